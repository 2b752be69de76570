//! Writing orders.

use hongbao_domain::{
    facts::{Changes, Facts},
    merchant::Scene,
    packet::{Order, OrderKey, OrderState},
};

use super::rows::{Rows, Write};
use crate::{
    columns::{absent, int, made_orders, merchant_int},
    error::Outcome,
    queries::packets::Reason,
    session::values,
};

const INSERT_ORDERS: &str = "
INSERT INTO send_order (caller_id, bill_no, payer_id, packet_no)
SELECT *
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])";
const INSERT_TERMS: &str = "
INSERT INTO packet_terms (
    merchant_id, packet_no, caller_id, bill_no, created_at, kind, way, appid, openid, total,
    share_count, scene, sub_merchant_id, message_appid, send_name, wishing, act_name, remark,
    client_ip, risk_info
)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::smallint[],
    $7::smallint[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::smallint[],
    $13::bigint[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[],
    $20::text[]
)";
const INSERT_REFUSED: &str = "
INSERT INTO refused_order (merchant_id, packet_no, reason, since, attempts)
SELECT *
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])";
/// Attempts only grow, so that an older reason never comes back.
const UPDATE_REFUSED: &str = "
UPDATE refused_order
SET reason = new.reason, attempts = new.attempts
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
    AS new (merchant_id, packet_no, reason, since, attempts)
WHERE refused_order.merchant_id = new.merchant_id AND refused_order.packet_no = new.packet_no
    AND refused_order.since = new.since AND refused_order.attempts < new.attempts";

/// The reasons of refused orders, as the store keeps them, by order. Made first, because rows
/// borrow them.
pub(super) fn reasons<'b>(
    facts: &'b Facts,
    changes: &'b Changes,
) -> Outcome<Vec<(&'b OrderKey, String)>> {
    let mut reasons = Vec::new();
    for key in changes.orders.keys() {
        if let Some(Order { state: OrderState::Refused(refused), .. }) = facts.orders.get(key) {
            reasons.push((key, Reason::text(&refused.reason)?));
        }
    }
    Ok(reasons)
}

/// Orders made, their terms, refusals made, refusals made again. An order refused and cured within
/// this batch is written as funded only: no reason is kept.
pub(super) fn writes<'b>(
    facts: &'b Facts,
    changes: &'b Changes,
    reasons: &'b [(&'b OrderKey, String)],
) -> Outcome<[Write<'b>; 4]> {
    let (mut orders, mut terms) = (Rows::default(), Rows::default());
    let mut made = made_orders(facts, changes)?;
    for (key, Order { packet, .. }) in &made {
        let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
        orders.push(values![merchant_int(key.caller), key.bill_no.as_str(), merchant, no]);
    }
    // Numbers of orders are in no order, those of packets are: the index of terms is appended to.
    made.sort_unstable_by_key(|(_, order)| order.packet);
    for (key, order) in made {
        insert_terms(&mut terms, key, order)?;
    }
    let (mut refused, mut refused_again) = (Rows::default(), Rows::default());
    for (key, reason) in reasons {
        let Some(Order { packet, state: OrderState::Refused(state), .. }) = facts.orders.get(key)
        else {
            return Err(absent("refused order"));
        };
        let made = changes.orders.get(key).is_some_and(|made| *made);
        let rows = if made { &mut refused } else { &mut refused_again };
        let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
        rows.push(values![merchant, no, reason, state.since.millis(), state.attempts]);
    }
    Ok([
        Write::new(INSERT_ORDERS, "order", orders),
        Write::new(INSERT_TERMS, "packet_terms", terms),
        Write::new(INSERT_REFUSED, "refused_order", refused),
        Write::new(UPDATE_REFUSED, "refused_order", refused_again),
    ])
}

fn insert_terms<'b>(rows: &mut Rows<'b>, key: &'b OrderKey, order: &'b Order) -> Outcome<()> {
    let terms = &order.terms;
    rows.push(values![
        merchant_int(order.packet.merchant),
        int(order.packet.no.get())?,
        merchant_int(key.caller),
        key.bill_no.as_str(),
        order.created_at.millis(),
        terms.kind.code(),
        terms.way.code(),
        terms.app.as_str(),
        terms.openid.as_str(),
        terms.total.get(),
        terms.share_count,
        terms.scene.map(Scene::number),
        terms.sub_merchant.map(merchant_int),
        terms.message_app.as_ref().map(hongbao_domain::AppId::as_str),
        &terms.texts.send_name,
        &terms.texts.wishing,
        &terms.texts.act_name,
        &terms.texts.remark,
        terms.client_ip.as_deref(),
        terms.risk_info.as_deref(),
    ]);
    Ok(())
}
