//! Orders: their rows, and the whole record that a query shows.

use std::sync::Arc;

use hongbao_app::ports::{ClaimLine, OrderRecord};
use hongbao_domain::{
    Fen, PacketKey, Refusal, UserId,
    ledger::AccountKind,
    merchant::{Scene, SendWay},
    packet::{
        Order, OrderKey, OrderState, Packet, PacketKind, PacketState, RefusedOrder, Terms, Texts,
    },
    split::SplitTerms,
};
use rusqlite::{Connection, Params, params};
use serde::{Deserialize, Serialize};

use super::{
    admin,
    commit::{insert, one},
    error::{Failure, Outcome},
    readers::Reading,
    rows::{Fields, int, merchant_int},
    users::name_in,
};
use crate::queries::packets as sql;

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

/// The refusals that leave an order, as JSON in the store.
#[derive(Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case", deny_unknown_fields)]
enum Reason {
    RiskStopped { level: u8 },
    MerchantDayAmount { cap: Fen, used: Fen },
    UserDayCount { cap: u32, used: u32 },
    UserDayAmount { cap: Fen, used: Fen },
    BalanceTooLow { account: u8, balance: Fen },
}

impl Reason {
    fn of(refusal: &Refusal) -> Option<Self> {
        Some(match *refusal {
            Refusal::RiskStopped { level } => Self::RiskStopped { level },
            Refusal::MerchantDayAmount { cap, used } => Self::MerchantDayAmount { cap, used },
            Refusal::UserDayCount { cap, used } => Self::UserDayCount { cap, used },
            Refusal::UserDayAmount { cap, used } => Self::UserDayAmount { cap, used },
            Refusal::BalanceTooLow { account, balance } => {
                Self::BalanceTooLow { account: account.code(), balance }
            }
            _ => return None,
        })
    }

    fn refusal(self) -> Option<Refusal> {
        Some(match self {
            Self::RiskStopped { level } => Refusal::RiskStopped { level },
            Self::MerchantDayAmount { cap, used } => Refusal::MerchantDayAmount { cap, used },
            Self::UserDayCount { cap, used } => Refusal::UserDayCount { cap, used },
            Self::UserDayAmount { cap, used } => Refusal::UserDayAmount { cap, used },
            Self::BalanceTooLow { account, balance } => {
                Refusal::BalanceTooLow { account: AccountKind::from_code(account)?, balance }
            }
        })
    }

    fn text(refusal: &Refusal) -> Outcome<String> {
        Self::of(refusal)
            .and_then(|reason| serde_json::to_string(&reason).ok())
            .ok_or_else(|| Failure::corrupt("an order refused for what leaves no order"))
    }

    fn parse(text: &str) -> Option<Refusal> {
        let reason: Self = serde_json::from_str(text).ok()?;
        reason.refusal()
    }
}

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

/// A row of `order_columns!`.
pub(super) fn order_row(fields: &mut Fields<'_>) -> Outcome<(OrderKey, Order)> {
    let key = OrderKey { caller: fields.merchant()?, bill_no: fields.parsed()? };
    let packet = fields.packet_key()?;
    let created_at = fields.time()?;
    let terms = terms(fields)?;
    let state = order_state(fields, &terms)?;
    let order = Order { packet, created_at, terms: Arc::new(terms), state };
    Ok((key, order))
}

fn terms(fields: &mut Fields<'_>) -> Outcome<Terms> {
    Ok(Terms {
        kind: fields.code(PacketKind::from_code)?,
        way: fields.code(SendWay::from_code)?,
        app: fields.parsed()?,
        openid: fields.parsed()?,
        total: fields.fen()?,
        share_count: fields.u32()?,
        scene: fields.known_or_null(|number: u8| Scene::from_number(number))?,
        sub_merchant: fields.merchant_or_null()?,
        message_app: fields.parsed_or_null()?,
        texts: Texts {
            send_name: fields.raw()?,
            wishing: fields.raw()?,
            act_name: fields.raw()?,
            remark: fields.raw()?,
        },
        client_ip: fields.raw()?,
        risk_info: fields.raw()?,
    })
}

/// Funded when there is a packet; else refused.
fn order_state(fields: &mut Fields<'_>, terms: &Terms) -> Outcome<OrderState> {
    let packet_version: Option<i64> = fields.raw()?;
    let (min, max): (Option<i64>, Option<i64>) = (fields.raw()?, fields.raw()?);
    if packet_version.is_some() {
        let bounds = min.zip(max);
        return Ok(OrderState::Funded {
            split: bounds.map(|(min, max)| SplitTerms {
                total: terms.total,
                count: terms.share_count,
                min: Fen::new(min),
                max: Fen::new(max),
            }),
        });
    }
    let reason: Option<String> = fields.raw()?;
    let Some(reason) = reason else {
        return Err(fields.damaged("an order with neither a packet nor a refusal"));
    };
    let reason = Reason::parse(&reason);
    Ok(OrderState::Refused(RefusedOrder {
        reason: reason.ok_or_else(|| fields.damaged("an unknown reason"))?,
        since: fields.time()?,
        attempts: fields.u32()?,
    }))
}

/// The order with this number.
pub(super) fn order(reading: &Reading<'_>, key: &OrderKey) -> Outcome<Option<OrderRecord>> {
    let key = (merchant_int(key.caller), key.bill_no.as_str());
    record(reading, sql::ORDER, key)
}

/// The order of the packet at `key`.
pub(super) fn order_of_packet(
    reading: &Reading<'_>,
    key: PacketKey,
) -> Outcome<Option<OrderRecord>> {
    let key = (merchant_int(key.merchant), int(key.no.get())?);
    record(reading, sql::ORDER_OF_PACKET, key)
}

fn record(reading: &Reading<'_>, sql: &str, params: impl Params) -> Outcome<Option<OrderRecord>> {
    let mut statement = reading.tx.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let (key, order) = order_row(&mut Fields::new(row, "packet_terms"))?;
    let payer = order.packet.merchant;
    let merchant = admin::merchant(reading, payer)?
        .ok_or_else(|| Failure::corrupt(format!("an order paid by {payer}, who is unknown")))?;
    let packet = packet(&reading.tx, order.packet)?;
    let claims = match &packet {
        Some(packet) => claims(&reading.tx, packet, &order.terms)?,
        None => Vec::new(),
    };
    Ok(Some(OrderRecord { key, order, packet, claims, merchant: Arc::new(merchant.merchant) }))
}

/// Those of these packets that exist, by key.
pub(super) fn some(connection: &Connection, keys: &[PacketKey]) -> Outcome<Vec<Packet>> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter_map(|key| packet(connection, key).transpose()).collect()
}

fn packet(connection: &Connection, key: PacketKey) -> Outcome<Option<Packet>> {
    let mut statement = connection.prepare_cached(sql::PACKET)?;
    let mut rows = statement.query((merchant_int(key.merchant), int(key.no.get())?))?;
    match rows.next()? {
        Some(row) => Fields::new(row, "packet").packet().map(Some),
        None => Ok(None),
    }
}

/// Who took what. A normal packet says it itself. The receiver has the openid that the sender
/// named, which may be the message app's; everybody else is named as in the packet's app.
fn claims(connection: &Connection, packet: &Packet, terms: &Terms) -> Outcome<Vec<ClaimLine>> {
    let named = |user: UserId, share_no, amount, at| {
        let (openid, display_name) = name_in(connection, user, terms.app.as_str())?;
        let received = user == packet.receiver;
        let openid = if received { Some(terms.openid.clone()) } else { openid };
        Ok::<_, Failure>(ClaimLine { user, openid, display_name, amount, share_no, at })
    };
    match (packet.kind, packet.state) {
        (PacketKind::Normal, PacketState::Claimed { at }) => {
            Ok(vec![named(packet.receiver, 1, packet.total, at)?])
        }
        (PacketKind::Normal, PacketState::Open | PacketState::Refunded { .. }) => Ok(Vec::new()),
        (PacketKind::Group, _) => {
            let mut statement = connection.prepare_cached(sql::GROUP_CLAIMS)?;
            let key = (merchant_int(packet.key.merchant), int(packet.key.no.get())?);
            let mut rows = statement.query(key)?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                let mut fields = Fields::new(row, "group_claim");
                let (user, share_no) = (fields.user()?, fields.u32()?);
                lines.push(named(user, share_no, fields.fen()?, fields.time()?)?);
            }
            Ok(lines)
        }
    }
}
