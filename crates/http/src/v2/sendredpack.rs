//! `POST /mmpaymkttransfers/sendredpack`: one packet for one person (普通红包).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hongbao_app::{App, packets::SendRequest};
use hongbao_domain::{MerchantId, packet::PacketKind};
use hongbao_wire::{Fields, ParamError, SendNormal};

use super::send::{self, SendCall, Shape};

/// Sends one packet, or answers again what was sent under the same number.
pub(super) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    send::handle(&app, request, SendCall { name: "sendredpack", parse }).await
}

fn parse(caller: MerchantId, fields: &Fields) -> Result<SendRequest, ParamError> {
    let SendNormal { send, client_ip } = SendNormal::parse(fields)?;
    let shape = Shape { kind: PacketKind::Normal, share_count: 1, client_ip: Some(client_ip) };
    send::request(caller, send, &shape)
}
