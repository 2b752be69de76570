//! `POST /mmpaymkttransfers/gethbinfo`: what became of an order.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hongbao_app::{App, AppError, executor::Failure, merchants::CallKind, packets::PacketReport};
use hongbao_domain::{
    money::MoneyOverflow,
    packet::{OrderKey, OrderState, Packet, PacketState, Terms},
};
use hongbao_wire::{Answer, ClaimLine, ParamError, Query, QueryAnswer, names};

use super::{
    answer::{self, Identifiers},
    error::{Stop, Words},
    gates::{self, Caller, Incoming},
    vocabulary,
};

const CALL: &str = "gethbinfo";

/// A query reaches back 30 days; what is older looks as if it had never been.
const WINDOW_SECONDS: i64 = 30 * 86_400;

/// Answers with the state of the order now. Never signed: the list of claims is nested.
pub(super) async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let incoming = match gates::read(request).await {
        Ok(incoming) => incoming,
        Err(stop) => return answer::unreadable(CALL, &stop),
    };
    let ids = Identifiers::of(&incoming.fields);
    let outcome = query(&app, &incoming).await.and_then(|report| render(&report, ids));
    let code = answer::log(CALL, ids, outcome.as_ref().err());
    let xml = match outcome {
        Ok(answer) => answer.render(),
        Err(stop) => refusal(&stop, ids).render(),
    };
    answer::response(xml, code)
}

async fn query(app: &App, incoming: &Incoming) -> Result<PacketReport, Stop> {
    let caller = gates::identify(app, incoming).await?;
    gates::admit(app, &caller, CallKind::Query)?;
    let query = Query::parse(&incoming.fields).map_err(Stop::Param)?;
    let report = app.query_order(&order_key(&caller, &query)?).await.map_err(Stop::App)?;
    let order = &report.record.order;
    if report.at > order.created_at.plus_seconds(WINDOW_SECONDS) {
        return Err(Stop::App(AppError::NotFound { what: "order of the last 30 days" }));
    }
    check_app(&order.terms, &query.appid)?;
    Ok(report)
}

fn order_key(caller: &Caller, query: &Query) -> Result<OrderKey, Stop> {
    // The wire has checked the form; what did not fit here could not have been sent either.
    let missing = Stop::App(AppError::NotFound { what: "order" });
    let bill_no = query.mch_billno.parse().or(Err(missing))?;
    Ok(OrderKey { caller: caller.merchant, bill_no })
}

/// The appid is the one the packet was sent in or, for a provider, the one it reached the user
/// by. The caller owns the order either way, so naming the field gives nothing away.
fn check_app(terms: &Terms, appid: &str) -> Result<(), Stop> {
    let message_app = terms.message_app.as_ref();
    if terms.app.as_str() == appid || message_app.is_some_and(|app| app.as_str() == appid) {
        return Ok(());
    }
    Err(Stop::Param(ParamError {
        field: names::APPID,
        text_zh: "appid有误：必须是发放该红包时使用的wxappid".to_owned(),
        text_en: "appid is wrong: it must be the wxappid the packet was sent with".to_owned(),
    }))
}

fn refusal(stop: &Stop, ids: Identifiers<'_>) -> Answer {
    let mut answer = answer::bad(&stop.words());
    ids.echo_order(&mut answer);
    answer
}

fn render(report: &PacketReport, ids: Identifiers<'_>) -> Result<QueryAnswer, Stop> {
    let record = &report.record;
    let (order, packet) = (&record.order, record.packet.as_ref());
    let terms = &order.terms;
    let mut answer = answer::good("OK");
    ids.echo_order(&mut answer);
    answer
        .push_text(names::DETAIL_ID, &order.list_id().to_string())
        .push_text(names::STATUS, vocabulary::status(report.status).as_str())
        .push_text(names::SEND_TYPE, vocabulary::send_type(terms.way).as_str())
        .push_text(names::HB_TYPE, vocabulary::hb_type(terms.kind).as_str())
        .push_number(names::TOTAL_NUM, terms.share_count.into())
        .push_number(names::TOTAL_AMOUNT, terms.total.get());
    if let OrderState::Refused(refused) = &order.state {
        answer.push_text(names::REASON, &Words::of_refusal(&refused.reason).text);
    }
    let sent_at = packet.map_or(order.created_at, |packet| packet.funded_at);
    answer.push_text(names::SEND_TIME, &sent_at.beijing_text());
    if let Some(packet) = packet {
        push_refund(&mut answer, packet)
            .map_err(|MoneyOverflow| Stop::App(Failure::Defect.into()))?;
    }
    answer
        .push_text(names::WISHING, &terms.texts.wishing)
        .push_text(names::REMARK, &terms.texts.remark)
        .push_text(names::ACT_NAME, &terms.texts.act_name);
    Ok(answer.with_claims(claims(report)))
}

fn push_refund(answer: &mut Answer, packet: &Packet) -> Result<(), MoneyOverflow> {
    match packet.state {
        PacketState::Open | PacketState::Claimed { at: _ } => {}
        PacketState::Refunded { at } => {
            answer
                .push_text(names::REFUND_TIME, &at.beijing_text())
                .push_number(names::REFUND_AMOUNT, packet.refunded()?.get());
        }
    }
    Ok(())
}

/// The claims in order. Somebody who opened a shared group packet and is not known in its app has
/// no openid there: the element is empty rather than filled with a name of another kind.
fn claims(report: &PacketReport) -> Vec<ClaimLine> {
    let line = |claim: &hongbao_app::ports::ClaimLine| ClaimLine {
        openid: claim.openid.as_ref().map(ToString::to_string).unwrap_or_default(),
        amount_fen: claim.amount.get(),
        rcv_time: claim.at.beijing_text(),
    };
    report.record.claims.iter().map(line).collect()
}
