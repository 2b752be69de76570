//! Writing orders.

use std::sync::LazyLock;

use hongbao_domain::{
    AppId, PacketKey,
    facts::{Changes, Facts},
    merchant::Scene,
    packet::{Order, OrderKey, OrderState, RefusedOrder},
};
use rusqlite::{Connection, params};

use super::{
    commit::insert,
    insert::{Insert, Values},
};
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
const INSERT_REFUSED: &str = "INSERT INTO refused_order (
         merchant_id, packet_no, reason, since, attempts
     )
     VALUES (?1, ?2, ?3, ?4, ?5)";
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
        match &order.state {
            OrderState::Refused(refused) if *made => {
                insert_refused(connection, order.packet, refused)?;
            }
            OrderState::Refused(refused) => update_refused(connection, order.packet, refused)?,
            OrderState::Funded { .. } => {}
        }
    }
    Ok(())
}

fn insert_refused(
    connection: &Connection,
    packet: PacketKey,
    refused: &RefusedOrder,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(INSERT_REFUSED)?;
    insert(&mut statement, refused_row(packet, refused)?, "refused_order")
}

fn update_refused(
    connection: &Connection,
    packet: PacketKey,
    refused: &RefusedOrder,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(UPDATE_REFUSED)?;
    one(statement.execute(refused_row(packet, refused)?)?, "refused_order")
}

/// As both statements take it.
fn refused_row(packet: PacketKey, refused: &RefusedOrder) -> Outcome<(i64, i64, String, i64, u32)> {
    let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
    let reason = Reason::text(&refused.reason)?;
    Ok((merchant, no, reason, refused.since.millis(), refused.attempts))
}
