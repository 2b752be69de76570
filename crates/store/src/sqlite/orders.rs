//! Writing orders.

use std::sync::LazyLock;

use hongbao_domain::{
    AppId,
    facts::{Changes, Facts},
    merchant::Scene,
    packet::{Order, OrderKey, OrderState},
};
use rusqlite::{Connection, params};

use super::insert::{Insert, Values};
use crate::{
    columns::{absent, int, made_orders, merchant_int},
    error::{Outcome, one},
    queries::packets::Reason,
};

static INSERT_ORDERS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new("order", "INSERT INTO send_order (caller_id, bill_no, payer_id, packet_no)")
});
static INSERT_TERMS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "packet_terms",
        "INSERT INTO packet_terms (
             merchant_id, packet_no, caller_id, bill_no, created_at, kind, way, appid, openid,
             total, share_count, scene, sub_merchant_id, message_appid, send_name, wishing,
             act_name, remark, client_ip, risk_info
         )",
    )
});
static INSERT_REFUSED: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "refused_order",
        "INSERT INTO refused_order (merchant_id, packet_no, reason, since, attempts)",
    )
});
/// Attempts only grow, so that an older reason never comes back.
const UPDATE_REFUSED: &str = "UPDATE refused_order SET reason = ?3, attempts = ?5
     WHERE merchant_id = ?1 AND packet_no = ?2 AND since = ?4 AND attempts < ?5";

/// Writes the orders that a batch made, their terms, and what was refused.
pub(super) fn orders(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    let mut made = made_orders(facts, changes)?;
    INSERT_ORDERS.all(connection, &made, |(key, Order { packet, .. }), values| {
        let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
        values.bind(params![merchant_int(key.caller), key.bill_no.as_str(), merchant, no])
    })?;
    // Numbers of orders are in no order, those of packets are: terms are appended.
    made.sort_unstable_by_key(|(_, order)| order.packet);
    INSERT_TERMS.all(connection, &made, |(key, order), values| new_terms(key, order, values))?;
    refusals(connection, facts, changes)
}

fn new_terms(key: &OrderKey, order: &Order, values: &mut Values<'_, '_>) -> Outcome<()> {
    let terms = &order.terms;
    values.bind(params![
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
        terms.message_app.as_ref().map(AppId::as_str),
        terms.texts.send_name,
        terms.texts.wishing,
        terms.texts.act_name,
        terms.texts.remark,
        terms.client_ip,
        terms.risk_info,
    ])
}

/// Orders that were refused. One refused and cured within this batch is written as funded only: no
/// reason is kept. Of one cured that was refused before, the reason stays.
fn refusals(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    for (key, made) in &changes.orders {
        let order = facts.orders.get(key).ok_or_else(|| absent("order"))?;
        let OrderState::Refused(refused) = &order.state else { continue };
        let params = params![
            merchant_int(order.packet.merchant),
            int(order.packet.no.get())?,
            Reason::text(&refused.reason)?,
            refused.since.millis(),
            refused.attempts,
        ];
        if *made {
            INSERT_REFUSED.row(connection, params)?;
        } else {
            let mut statement = connection.prepare_cached(UPDATE_REFUSED)?;
            one(statement.execute(params)?, "refused_order")?;
        }
    }
    Ok(())
}
