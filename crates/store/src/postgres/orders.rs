//! Writing orders.

use hongbao_domain::{
    facts::Facts,
    packet::{Order, OrderKey, RefusedOrder},
};

use super::rows::{Rows, Write};
use crate::{
    columns::{FundingColumns, OrderChanges, int, merchant_int},
    error::Outcome,
    queries::packets::Reason,
    session::values,
    terms::{CommonColumns, CommonRows},
};

const INSERT_ORDERS: &str = "
INSERT INTO send_order (caller_id, bill_no, payer_id, packet_no)
SELECT *
FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])";
const INSERT_PACKETS: &str = "
INSERT INTO packet (
    merchant_id, packet_no, caller_id, bill_no, created_at, kind, openid, total, share_count,
    risk_info, receiver_id, paid_from, funded_at, expire_at, secret, form, split_min, split_max,
    shares, terms_of, way, appid, scene, sub_merchant_id, message_appid, send_name, wishing,
    act_name, remark, client_ip
)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::smallint[],
    $7::text[], $8::bigint[], $9::bigint[], $10::text[], $11::bigint[], $12::smallint[],
    $13::bigint[], $14::bigint[], $15::bytea[], $16::smallint[], $17::bigint[], $18::bigint[],
    $19::bytea[], $20::bigint[], $21::smallint[], $22::text[], $23::smallint[], $24::bigint[],
    $25::text[], $26::text[], $27::text[], $28::text[], $29::text[], $30::text[]
)";
/// An order is funded once.
const FUND_PACKETS: &str = "
UPDATE packet
SET receiver_id = new.receiver_id, paid_from = new.paid_from, funded_at = new.funded_at,
    expire_at = new.expire_at, secret = new.secret, form = new.form, split_min = new.split_min,
    split_max = new.split_max, shares = new.shares
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[],
    $7::bytea[], $8::smallint[], $9::bigint[], $10::bigint[], $11::bytea[]
) AS new (
    merchant_id, packet_no, receiver_id, paid_from, funded_at, expire_at, secret, form, split_min,
    split_max, shares
)
WHERE packet.merchant_id = new.merchant_id AND packet.packet_no = new.packet_no
    AND packet.funded_at IS NULL";
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

/// What rows borrow that has to be made for them, in the order of the rows.
pub(super) struct Made<'b> {
    packets: Vec<FundingColumns<'b>>,
    cured: Vec<FundingColumns<'b>>,
    reasons: Vec<String>,
    reasons_again: Vec<String>,
}

impl<'b> Made<'b> {
    /// For these orders.
    pub(super) fn of(facts: &'b Facts, orders: &OrderChanges<'b>) -> Outcome<Self> {
        let reason = |(_, refused): &(_, &RefusedOrder)| Reason::text(&refused.reason);
        let funding = |order: &&Order| FundingColumns::of(facts, order);
        Ok(Self {
            packets: orders.made.iter().map(|(_, order)| funding(order)).collect::<Outcome<_>>()?,
            cured: orders.cured.iter().map(funding).collect::<Outcome<_>>()?,
            reasons: orders.refused.iter().map(reason).collect::<Outcome<_>>()?,
            reasons_again: orders.refused_again.iter().map(reason).collect::<Outcome<_>>()?,
        })
    }
}

/// Orders and packets made, orders funded later, refusals made, refusals made again.
pub(super) fn writes<'b>(orders: &OrderChanges<'b>, made: &'b Made<'b>) -> Outcome<[Write<'b>; 5]> {
    let (mut places, mut packets, mut funded) = (Rows::default(), Rows::default(), Rows::default());
    let mut by_packet: Vec<_> = orders.made.iter().zip(&made.packets).collect();
    for ((key, Order { packet, .. }), _) in &by_packet {
        let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
        places.push(values![merchant_int(key.caller), key.bill_no.as_str(), merchant, no]);
    }
    // Numbers of orders are in no order, those of packets are: the index of packets is appended to.
    by_packet.sort_unstable_by_key(|((_, order), _)| order.packet);
    let mut common = CommonRows::default();
    for ((key, order), funding) in by_packet {
        insert_packet(&mut packets, key, order, funding, &common.next(order)?)?;
    }
    for (order, funding) in orders.cured.iter().zip(&made.cured) {
        fund(&mut funded, order, funding)?;
    }
    let refused = refusals(&orders.refused, &made.reasons)?;
    let refused_again = refusals(&orders.refused_again, &made.reasons_again)?;
    Ok([
        Write::new(INSERT_ORDERS, "order", places),
        Write::new(INSERT_PACKETS, "packet", packets),
        Write::new(FUND_PACKETS, "packet", funded),
        Write::new(INSERT_REFUSED, "refused_order", refused),
        Write::new(UPDATE_REFUSED, "refused_order", refused_again),
    ])
}

fn insert_packet<'b>(
    rows: &mut Rows<'b>,
    key: &'b OrderKey,
    order: &'b Order,
    funding: &'b FundingColumns<'b>,
    common: &CommonColumns<'b>,
) -> Outcome<()> {
    let terms = &order.terms;
    rows.push(values![
        merchant_int(order.packet.merchant),
        int(order.packet.no.get())?,
        merchant_int(key.caller),
        key.bill_no.as_str(),
        order.created_at.millis(),
        terms.kind.code(),
        terms.openid.as_str(),
        terms.total.get(),
        terms.share_count,
        terms.risk_info.as_deref(),
        funding.receiver,
        funding.paid_from,
        funding.funded_at,
        funding.expire_at,
        funding.secret,
        funding.form,
        funding.split_min,
        funding.split_max,
        funding.shares.as_deref(),
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
    ]);
    Ok(())
}

fn fund<'b>(rows: &mut Rows<'b>, order: &Order, funding: &'b FundingColumns<'b>) -> Outcome<()> {
    rows.push(values![
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
        funding.shares.as_deref(),
    ]);
    Ok(())
}

fn refusals<'b>(
    refused: &[(&'b Order, &'b RefusedOrder)],
    reasons: &'b [String],
) -> Outcome<Rows<'b>> {
    let mut rows = Rows::default();
    for ((Order { packet, .. }, refused), reason) in refused.iter().zip(reasons) {
        let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
        rows.push(values![merchant, no, reason, refused.since.millis(), refused.attempts]);
    }
    Ok(rows)
}
