//! Writing orders.

use hongbao_domain::{
    PacketKey,
    merchant::Scene,
    packet::{Order, OrderKey, OrderState, RefusedOrder},
};
use rusqlite::{Connection, params};

use super::commit::insert;
use crate::{
    columns::{int, merchant_int},
    error::{Outcome, one},
    queries::packets::Reason,
};

const INSERT_ORDER: &str = "INSERT INTO send_order (caller_id, bill_no, payer_id, packet_no)
     VALUES (?1, ?2, ?3, ?4)";
const INSERT_TERMS: &str = "INSERT INTO packet_terms (
         merchant_id, packet_no, caller_id, bill_no, created_at, kind, way, appid, openid, total,
         share_count, scene, sub_merchant_id, message_appid, send_name, wishing, act_name, remark,
         client_ip, risk_info
     )
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
const INSERT_REFUSED: &str = "INSERT INTO refused_order (
         merchant_id, packet_no, reason, since, attempts
     )
     VALUES (?1, ?2, ?3, ?4, ?5)";
/// Attempts only grow, so that an older reason never comes back.
const UPDATE_REFUSED: &str = "UPDATE refused_order SET reason = ?3, attempts = ?5
     WHERE merchant_id = ?1 AND packet_no = ?2 AND since = ?4 AND attempts < ?5";

/// Writes a new order.
pub(super) fn insert_order(connection: &Connection, key: &OrderKey, order: &Order) -> Outcome<()> {
    let (caller, bill_no) = (merchant_int(key.caller), key.bill_no.as_str());
    let (merchant, no) = (merchant_int(order.packet.merchant), int(order.packet.no.get())?);
    let mut statement = connection.prepare_cached(INSERT_ORDER)?;
    insert(&mut statement, (caller, bill_no, merchant, no), "order")?;
    let terms = &order.terms;
    let params = params![
        merchant,
        no,
        caller,
        bill_no,
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
        terms.texts.send_name,
        terms.texts.wishing,
        terms.texts.act_name,
        terms.texts.remark,
        terms.client_ip,
        terms.risk_info,
    ];
    let mut statement = connection.prepare_cached(INSERT_TERMS)?;
    insert(&mut statement, params, "packet_terms")?;
    if let OrderState::Refused(refused) = &order.state {
        let mut statement = connection.prepare_cached(INSERT_REFUSED)?;
        let reason = Reason::text(&refused.reason)?;
        let row = (merchant, no, reason, refused.since.millis(), refused.attempts);
        insert(&mut statement, row, "refused_order")?;
    }
    Ok(())
}

/// Writes that an order was refused again.
pub(super) fn update_refused(
    connection: &Connection,
    packet: PacketKey,
    refused: &RefusedOrder,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(UPDATE_REFUSED)?;
    let row = (
        merchant_int(packet.merchant),
        int(packet.no.get())?,
        Reason::text(&refused.reason)?,
        refused.since.millis(),
        refused.attempts,
    );
    one(statement.execute(row)?, "refused_order")
}
