//! Writing orders.

use std::sync::LazyLock;

use hongbao_domain::{
    facts::{Changes, Facts},
    packet::{Order, OrderKey, RefusedOrder},
};
use rusqlite::{Connection, ToSql, params};

use super::{insert::Insert, values::Values};
use crate::{
    columns::{FundingColumns, OrderChanges, int, merchant_int},
    error::{Outcome, one},
    queries::packets::Reason,
    terms::{CommonColumns, CommonRows},
};

static INSERT_ORDERS: LazyLock<Insert> =
    LazyLock::new(|| Insert::new("order", "send_order (caller_id, bill_no, payer_id, packet_no)"));
static INSERT_PACKETS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "packet",
        "packet (
             merchant_id, packet_no, kind, total, share_count, receiver_id, paid_from, funded_at,
             expire_at, secret, form, split_min, split_max, shares, caller_id, bill_no, created_at,
             openid, risk_info, terms_of, way, appid, scene, sub_merchant_id, message_appid,
             send_name, wishing, act_name, remark, client_ip
         )",
    )
});
/// An order is funded once.
const FUND_PACKET: &str = "UPDATE packet SET
         receiver_id = ?3, paid_from = ?4, funded_at = ?5, expire_at = ?6, secret = ?7, form = ?8,
         split_min = ?9, split_max = ?10, shares = ?11
     WHERE merchant_id = ?1 AND packet_no = ?2 AND funded_at IS NULL";
static INSERT_REFUSED: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new("refused_order", "refused_order (merchant_id, packet_no, reason, since, attempts)")
});
/// Attempts only grow, so that an older reason never comes back.
const UPDATE_REFUSED: &str = "UPDATE refused_order SET reason = ?3, attempts = ?5
     WHERE merchant_id = ?1 AND packet_no = ?2 AND since = ?4 AND attempts < ?5";

/// Writes the orders that a batch made, the packets they became, and what was refused.
pub(super) fn orders(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    let OrderChanges { mut made, cured, refused, refused_again } =
        OrderChanges::of(facts, changes)?;
    INSERT_ORDERS.all(connection, &made, |(key, Order { packet, .. }), values| {
        let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
        values.bind(params![merchant_int(key.caller), key.bill_no.as_str(), merchant, no])
    })?;
    // Numbers of orders are in no order, those of packets are: packets are appended.
    made.sort_unstable_by_key(|(_, order)| order.packet);
    let mut common = CommonRows::default();
    INSERT_PACKETS.all(connection, &made, |(key, order), values| {
        new_packet(key, order, &FundingColumns::of(facts, order)?, &common.next(order)?, values)
    })?;
    for order in cured {
        fund(connection, facts, order)?;
    }
    for (order, refused) in refused {
        refusal(order, refused, |values| INSERT_REFUSED.row(connection, values))?;
    }
    for (order, refused) in refused_again {
        let mut statement = connection.prepare_cached(UPDATE_REFUSED)?;
        refusal(order, refused, |values| one(statement.execute(values)?, "refused_order"))?;
    }
    Ok(())
}

fn new_packet(
    key: &OrderKey,
    order: &Order,
    funding: &FundingColumns<'_>,
    common: &CommonColumns<'_>,
    values: &mut Values<'_, '_>,
) -> Outcome<()> {
    let terms = &order.terms;
    values.bind(params![
        merchant_int(order.packet.merchant),
        int(order.packet.no.get())?,
        terms.kind.code(),
        terms.total.get(),
        terms.share_count,
        funding.receiver,
        funding.paid_from,
        funding.funded_at,
        funding.expire_at,
        funding.secret,
        funding.form,
        funding.split_min,
        funding.split_max,
        funding.shares,
        merchant_int(key.caller),
        key.bill_no.as_str(),
        order.created_at.millis(),
        terms.openid.as_str(),
        terms.risk_info,
        common.terms_of,
        common.way,
        common.app,
        common.scene,
        common.sub_merchant,
        common.message_app,
        common.send_name,
        common.wishing,
        common.act_name,
        common.remark,
        common.client_ip,
    ])
}

fn fund(connection: &Connection, facts: &Facts, order: &Order) -> Outcome<()> {
    let funding = FundingColumns::of(facts, order)?;
    let mut statement = connection.prepare_cached(FUND_PACKET)?;
    let params = params![
        merchant_int(order.packet.merchant),
        int(order.packet.no.get())?,
        funding.receiver,
        funding.paid_from,
        funding.funded_at,
        funding.expire_at,
        funding.secret,
        funding.form,
        funding.split_min,
        funding.split_max,
        funding.shares,
    ];
    one(statement.execute(params)?, "packet")
}

/// Writes why and since when an order is refused.
fn refusal(
    order: &Order,
    refused: &RefusedOrder,
    write: impl FnOnce(&[&dyn ToSql]) -> Outcome<()>,
) -> Outcome<()> {
    write(params![
        merchant_int(order.packet.merchant),
        int(order.packet.no.get())?,
        Reason::text(&refused.reason)?,
        refused.since.millis(),
        refused.attempts,
    ])
}
