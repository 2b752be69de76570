//! `POST /mmpaymkttransfers/sendgroupredpack`: one packet for a group (裂变红包).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hongbao_app::{App, packets::SendRequest};
use hongbao_domain::{MerchantId, packet::PacketKind};
use hongbao_wire::{Fields, ParamError, SendGroup};

use super::send::{self, SendCall, Shape};

/// Sends a group packet to its seed user, or answers again what was sent under the same number.
pub(super) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    send::handle(&app, request, SendCall { name: "sendgroupredpack", parse }).await
}

fn parse(caller: MerchantId, fields: &Fields) -> Result<SendRequest, ParamError> {
    let SendGroup { send, client_ip, total_num } = SendGroup::parse(fields)?;
    // The wire lets 3 to 20 pass; a number that does not fit is the domain's to refuse.
    let share_count = u32::try_from(total_num).unwrap_or(u32::MAX);
    send::request(caller, send, &Shape { kind: PacketKind::Group, share_count, client_ip })
}
