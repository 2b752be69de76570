//! Orders, packets and claims: their rows, and the whole record that a query shows.

use std::sync::Arc;

use hongbao_app::ports::{ClaimLine, OrderRecord};
use hongbao_domain::{
    Fen, PacketKey, Refusal,
    ledger::AccountKind,
    merchant::{Scene, SendWay},
    packet::{
        Order, OrderKey, OrderState, Packet, PacketKind, PacketState, RefusedOrder, Terms, Texts,
    },
    split::SplitTerms,
};
use serde::{Deserialize, Serialize};

use super::{admin, order_columns, order_joins, packet_columns, packet_joins, users::name_in};
use crate::{
    columns::{int, merchant_int},
    error::{Failure, Outcome},
    fields::Fields,
    session::{Session, values},
    settings::SettingsCache,
};

/// Where the order with this number stands: numbers belong to callers, orders lie with payers.
pub(crate) const ORDER_PLACE: &str = "
SELECT payer_id, packet_no
FROM send_order
WHERE caller_id = $1 AND bill_no = $2";

pub(crate) const ORDER_OF_PACKET: &str = concat!(
    "
SELECT ",
    order_columns!(),
    "
FROM packet
",
    order_joins!(),
    "
WHERE packet.merchant_id = $1 AND packet.packet_no = $2"
);

pub(crate) const PACKET: &str = concat!(
    "
SELECT ",
    packet_columns!(),
    "
FROM packet
",
    packet_joins!(),
    "
WHERE packet.merchant_id = $1 AND packet.packet_no = $2 AND packet.funded_at IS NOT NULL"
);

pub(crate) const GROUP_CLAIMS: &str = "
SELECT user_id, share_no, amount, at
FROM group_claim
WHERE merchant_id = $1 AND packet_no = $2
ORDER BY share_no";

/// The refusals that leave an order, as JSON in the store.
#[derive(Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Reason {
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

    /// As the store keeps it.
    pub(crate) fn text(refusal: &Refusal) -> Outcome<String> {
        Self::of(refusal)
            .and_then(|reason| serde_json::to_string(&reason).ok())
            .ok_or_else(|| Failure::corrupt("an order refused for what leaves no order"))
    }

    fn parse(text: &str) -> Option<Refusal> {
        let reason: Self = serde_json::from_str(text).ok()?;
        reason.refusal()
    }
}

/// A row of `order_columns!`.
pub(crate) fn order_row(fields: &mut Fields<'_>) -> Outcome<(OrderKey, Order)> {
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
        scene: fields.code_or_null(Scene::from_number)?,
        sub_merchant: fields.merchant_or_null()?,
        message_app: fields.parsed_or_null()?,
        texts: Texts {
            send_name: fields.raw()?,
            wishing: fields.raw()?,
            act_name: fields.raw()?,
            remark: fields.raw()?,
        },
        client_ip: fields.maybe()?,
        risk_info: fields.maybe()?,
    })
}

/// Funded when it has a time for that; else refused.
fn order_state(fields: &mut Fields<'_>, terms: &Terms) -> Outcome<OrderState> {
    let funded_at = fields.time_or_null()?;
    let (min, max): (Option<i64>, Option<i64>) = (fields.maybe()?, fields.maybe()?);
    if funded_at.is_some() {
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
    let reason: Option<String> = fields.maybe()?;
    let Some(reason) = reason else {
        return Err(fields.damaged("an order neither funded nor refused"));
    };
    let reason = Reason::parse(&reason);
    Ok(OrderState::Refused(RefusedOrder {
        reason: reason.ok_or_else(|| fields.damaged("an unknown reason"))?,
        since: fields.time()?,
        attempts: fields.u32()?,
    }))
}

/// The order with this number.
pub(crate) async fn order(
    session: &impl Session,
    settings: &SettingsCache,
    key: &OrderKey,
) -> Outcome<Option<OrderRecord>> {
    let key = values![merchant_int(key.caller), key.bill_no.as_str()];
    match session.find(ORDER_PLACE, "send_order", key, |fields| fields.packet_key()).await? {
        Some(packet) => order_of_packet(session, settings, packet).await,
        None => Ok(None),
    }
}

/// The order of the packet at `key`.
pub(crate) async fn order_of_packet(
    session: &impl Session,
    settings: &SettingsCache,
    key: PacketKey,
) -> Outcome<Option<OrderRecord>> {
    let place = values![merchant_int(key.merchant), int(key.no.get())?];
    let found = session.find(ORDER_OF_PACKET, "packet", place, order_row).await?;
    let Some((key, order)) = found else { return Ok(None) };
    let payer = order.packet.merchant;
    let merchant = admin::merchant(session, settings, payer).await?;
    let merchant = merchant
        .ok_or_else(|| Failure::corrupt(format!("an order paid by {payer}, who is unknown")))?;
    let packet = packet(session, order.packet).await?;
    let claims = match &packet {
        Some(packet) => claims(session, packet, &order.terms).await?,
        None => Vec::new(),
    };
    Ok(Some(OrderRecord { key, order, packet, claims, merchant: Arc::new(merchant.merchant) }))
}

/// Those of these packets that exist, by key.
pub(crate) async fn some(session: &impl Session, keys: &[PacketKey]) -> Outcome<Vec<Packet>> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let mut packets = Vec::with_capacity(keys.len());
    for key in keys {
        packets.extend(packet(session, key).await?);
    }
    Ok(packets)
}

async fn packet(session: &impl Session, key: PacketKey) -> Outcome<Option<Packet>> {
    let place = values![merchant_int(key.merchant), int(key.no.get())?];
    session.find(PACKET, "packet", place, |fields| fields.packet()).await
}

/// Who took what. A normal packet says it itself. The receiver has the openid that the sender
/// named, which may be the message app's; everybody else is named as in the packet's app.
async fn claims(session: &impl Session, packet: &Packet, terms: &Terms) -> Outcome<Vec<ClaimLine>> {
    let taken = match (packet.kind, packet.state) {
        (PacketKind::Normal, PacketState::Claimed { at }) => {
            vec![(packet.receiver, 1, packet.total, at)]
        }
        (PacketKind::Normal, PacketState::Open | PacketState::Refunded { .. }) => Vec::new(),
        (PacketKind::Group, _) => {
            let place = values![merchant_int(packet.key.merchant), int(packet.key.no.get())?];
            session
                .query(GROUP_CLAIMS, "group_claim", place, |fields| {
                    Ok((fields.user()?, fields.u32()?, fields.fen()?, fields.time()?))
                })
                .await?
        }
    };
    let mut lines = Vec::with_capacity(taken.len());
    for (user, share_no, amount, at) in taken {
        let (openid, display_name) = name_in(session, user, terms.app.as_str()).await?;
        let received = user == packet.receiver;
        let openid = if received { Some(terms.openid.clone()) } else { openid };
        lines.push(ClaimLine { user, openid, display_name, amount, share_no, at });
    }
    Ok(lines)
}
