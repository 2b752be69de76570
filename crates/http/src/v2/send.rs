//! What the two send calls share: the request in domain words, the way through, the answer.

use std::{net::IpAddr, str::FromStr};

use axum::{extract::Request, response::Response};
use hongbao_app::{App, merchants::CallKind, packets::SendRequest};
use hongbao_domain::{
    Fen, MerchantId,
    ids::IdError,
    merchant::SendWay,
    packet::{OrderKey, PacketKind, Sent, Terms, Texts},
};
use hongbao_wire::{Answer, Fields, ParamError, SendFields, names};

use super::{
    answer::{self, Identifiers},
    error::Stop,
    gates::{self, Caller},
    vocabulary,
};

/// One of the two calls.
pub(super) struct SendCall {
    /// Its name in the log.
    pub(super) name: &'static str,
    /// Reads its fields; they were signed by this merchant.
    pub(super) parse: fn(MerchantId, &Fields) -> Result<SendRequest, ParamError>,
}

/// What a call says beside the fields that both share.
pub(super) struct Shape {
    /// One receiver or a group.
    pub(super) kind: PacketKind,
    /// Into how many shares.
    pub(super) share_count: u32,
    /// The address the caller gives for itself.
    pub(super) client_ip: Option<IpAddr>,
}

/// Takes a call from its body to its answer.
pub(super) async fn handle(app: &App, request: Request, call: SendCall) -> Response {
    let incoming = match gates::read(request).await {
        Ok(incoming) => incoming,
        Err(stop) => return answer::unreadable(call.name, &stop),
    };
    let ids = Identifiers::of(&incoming.fields);
    let (outcome, signer) = match gates::identify(app, &incoming).await {
        Ok(caller) => {
            let outcome = send(app, &caller, &incoming.fields, call.parse).await;
            (outcome, Some(caller.signer))
        }
        Err(stop) => (Err(stop), None),
    };
    let code = answer::log(call.name, ids, outcome.as_ref().err());
    let mut answer = match &outcome {
        Ok(done) => done.answer(ids),
        Err(stop) => refusal(stop, ids),
    };
    answer::sign(&mut answer, signer.as_ref());
    answer::response(answer.render(), code)
}

async fn send(
    app: &App,
    caller: &Caller,
    fields: &Fields,
    parse: fn(MerchantId, &Fields) -> Result<SendRequest, ParamError>,
) -> Result<Done, Stop> {
    gates::admit(app, caller, CallKind::Send)?;
    let request = parse(caller.merchant, fields).map_err(Stop::Param)?;
    let (kind, share_count) = (request.terms.kind, request.terms.share_count);
    let sent = app.send_packet(request).await.map_err(Stop::App)?;
    Ok(Done { sent, kind, share_count })
}

/// A packet that was sent, now or by an earlier call: the answer is the same.
struct Done {
    sent: Sent,
    kind: PacketKind,
    share_count: u32,
}

impl Done {
    fn answer(&self, ids: Identifiers<'_>) -> Answer {
        let mut answer = answer::good("发放成功");
        ids.echo_send(&mut answer);
        match self.kind {
            PacketKind::Normal => {}
            PacketKind::Group => {
                answer.push_number(names::TOTAL_NUM, self.share_count.into());
            }
        }
        answer.push_text(names::SEND_LISTID, &self.sent.list_id.to_string());
        answer
    }
}

fn refusal(stop: &Stop, ids: Identifiers<'_>) -> Answer {
    let mut answer = answer::bad(&stop.words());
    ids.echo_send(&mut answer);
    answer
}

/// A call of `caller` as a request to send.
///
/// Without `sub_mch_id` the fields of provider mode mean nothing, as in the original: the caller
/// pays, and the receiver is named under `wxappid` alone.
pub(super) fn request(
    caller: MerchantId,
    send: SendFields,
    shape: &Shape,
) -> Result<SendRequest, ParamError> {
    let sub_merchant = send.sub_mch_id.map(|id| merchant(names::SUB_MCH_ID, &id)).transpose()?;
    let in_provider_mode = |_: &String| sub_merchant.is_some();
    let payer = send.consume_mch_id.filter(in_provider_mode);
    let message_app = send.msgappid.filter(in_provider_mode);
    let order = OrderKey {
        caller,
        bill_no: id(names::MCH_BILLNO, &send.mch_billno, "只能使用1到28位数字和英文字母")?,
    };
    let terms = Terms {
        kind: shape.kind,
        way: SendWay::Api,
        app: id(names::WXAPPID, &send.wxappid, APP_RULE)?,
        openid: id(names::RE_OPENID, &send.re_openid, APP_RULE)?,
        total: Fen::new(send.total_amount_fen),
        share_count: shape.share_count,
        scene: send.scene_id.map(vocabulary::scene),
        sub_merchant,
        message_app: message_app.map(|app| id(names::MSGAPPID, &app, APP_RULE)).transpose()?,
        texts: Texts {
            send_name: send.send_name,
            wishing: send.wishing,
            act_name: send.act_name,
            remark: send.remark,
        },
        client_ip: shape.client_ip.map(|ip| ip.to_string()),
        risk_info: send.risk_info,
    };
    let payer = payer.map(|id| merchant(names::CONSUME_MCH_ID, &id)).transpose()?;
    Ok(SendRequest { order, payer, terms })
}

const APP_RULE: &str = "只能使用1到32位数字、英文字母、下划线和减号";

fn merchant(field: &'static str, text: &str) -> Result<MerchantId, ParamError> {
    id(field, text, "必须是8到10位数字的商户号")
}

/// A field's text as the id it stands for.
fn id<T: FromStr<Err = IdError>>(
    field: &'static str,
    text: &str,
    rule_zh: &str,
) -> Result<T, ParamError> {
    text.parse().map_err(|IdError { rule, .. }| ParamError {
        field,
        text_zh: format!("{field}有误：{rule_zh}"),
        text_en: format!("{field} is wrong: {rule}"),
    })
}
