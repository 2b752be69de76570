//! What became of an order.

use axum::{Json as Answer, extract::State};
use hongbao_app::packets::PacketReport;
use hongbao_domain::{
    BillNo, Fen, MerchantId,
    packet::{OrderKey, OrderState, Packet, RefusedOrder},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Operator, OpsState, permission::OrdersRead};
use crate::{
    pocket::{
        json::{InPath, Money, Route},
        words::{FormWord, KindWord, StatusWord},
    },
    problem::{MoneyState, Problem, refused},
};

/// An order with its packet and claims.
#[derive(Debug, Serialize, ToSchema)]
struct OrderReport {
    /// The merchant that called.
    caller: String,
    /// Its number.
    bill_no: String,
    /// The platform's number.
    list_id: String,
    /// The merchant whose money it is.
    payer: String,
    /// Where it stands.
    status: StatusWord,
    /// Where the money is: not moved, held for the receivers, paid, or returned.
    money_state: MoneyState,
    /// One receiver or a group.
    kind: KindWord,
    /// The app.
    appid: String,
    /// The receiver; of a group, who opens it first.
    openid: String,
    /// The money in it.
    total: Money,
    /// Into how many shares.
    share_count: u32,
    /// When the number was first seen.
    #[schema(format = DateTime)]
    created_at: String,
    /// Why it was refused, while it is.
    refused: Option<RefusedBody>,
    /// The packet, once it is funded.
    packet: Option<PacketBody>,
    /// Who got what, in order.
    claims: Vec<ClaimBody>,
    /// The merchant's time of this report.
    #[schema(format = DateTime)]
    at: String,
}

/// A refusal that can be cured.
#[derive(Debug, Serialize, ToSchema)]
struct RefusedBody {
    /// The newest reason, a problem's code.
    code: &'static str,
    /// When it was first refused: the day to cure it starts here.
    #[schema(format = DateTime)]
    since: String,
    /// How often it was refused.
    attempts: u32,
}

/// A funded packet.
#[derive(Debug, Serialize, ToSchema)]
struct PacketBody {
    /// The account that paid.
    paid_from: &'static str,
    /// In which form its receiver is told.
    form: FormWord,
    /// Claimed so far.
    claimed: Money,
    /// Shares claimed so far.
    claimed_count: u32,
    /// What went back.
    refunded: Money,
    /// When it was funded.
    #[schema(format = DateTime)]
    funded_at: String,
    /// From here on it cannot be claimed.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When all of it was claimed or the rest went back.
    #[schema(format = DateTime)]
    settled_at: Option<String>,
}

/// A share that was taken.
#[derive(Debug, Serialize, ToSchema)]
struct ClaimBody {
    /// The how manieth claim, from 1.
    share_no: u32,
    /// The taker in the packet's app; null for somebody known in other apps only.
    openid: Option<String>,
    /// How much.
    amount: Money,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

pub(super) fn routes() -> [Route<OpsState>; 1] {
    [Route::get("/ops/v1/orders/{mch_id}/{bill_no}", "What became of an order", show)
        .answers::<OrderReport>(200)]
}

async fn show(
    _operator: Operator<OrdersRead>,
    InPath((caller, bill_no)): InPath<(MerchantId, BillNo)>,
    State(state): State<OpsState>,
) -> Result<Answer<OrderReport>, Problem> {
    let report = state.app.query_order(&OrderKey { caller, bill_no }).await?;
    Ok(Answer(OrderReport::of(&report)))
}

impl OrderReport {
    fn of(report: &PacketReport) -> Self {
        let (record, order) = (&report.record, &report.record.order);
        let terms = &order.terms;
        let claims = record.claims.iter().map(|claim| ClaimBody {
            share_no: claim.share_no,
            openid: claim.openid.clone().map(Into::into),
            amount: Money::of(claim.amount),
            at: claim.at.rfc3339(),
        });
        Self {
            caller: record.key.caller.to_string(),
            bill_no: record.key.bill_no.to_string(),
            list_id: order.list_id().to_string(),
            payer: order.packet.merchant.to_string(),
            status: report.status.into(),
            money_state: money_of(record.packet.as_ref()),
            kind: terms.kind.into(),
            appid: terms.app.to_string(),
            openid: terms.openid.to_string(),
            total: Money::of(terms.total),
            share_count: terms.share_count,
            created_at: order.created_at.rfc3339(),
            refused: RefusedBody::of(&order.state),
            packet: record.packet.as_ref().map(PacketBody::of),
            claims: claims.collect(),
            at: report.at.rfc3339(),
        }
    }
}

/// Where an order's money is.
fn money_of(packet: Option<&Packet>) -> MoneyState {
    use hongbao_domain::packet::PacketState;

    match packet.map(|packet| packet.state) {
        None => MoneyState::NotMoved,
        Some(PacketState::Open) => MoneyState::Held,
        Some(PacketState::Claimed { .. }) => MoneyState::Paid,
        Some(PacketState::Refunded { .. }) => MoneyState::Returned,
    }
}

impl RefusedBody {
    fn of(state: &OrderState) -> Option<Self> {
        match state {
            OrderState::Refused(RefusedOrder { reason, since, attempts }) => Some(Self {
                code: refused(reason).row().code,
                since: since.rfc3339(),
                attempts: *attempts,
            }),
            OrderState::Funded { .. } => None,
        }
    }
}

impl PacketBody {
    fn of(packet: &Packet) -> Self {
        Self {
            paid_from: packet.paid_from.as_str(),
            form: packet.form.into(),
            claimed: Money::of(packet.claimed),
            claimed_count: packet.claimed_count,
            refunded: Money::of(packet.refunded().unwrap_or(Fen::ZERO)),
            funded_at: packet.funded_at.rfc3339(),
            expires_at: packet.expire_at.rfc3339(),
            settled_at: packet.state.settled_at().map(hongbao_domain::Timestamp::rfc3339),
        }
    }
}
