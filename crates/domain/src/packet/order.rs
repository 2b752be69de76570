//! Orders: a number, its terms, and what became of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Packet, PacketKind, PacketState};
use crate::{
    ids::{AppId, BillNo, ListId, MerchantId, OpenId, PacketKey},
    merchant::{Scene, SendWay},
    money::Fen,
    refusal::Refusal,
    split::SplitTerms,
    time::Timestamp,
};

/// A refused order that nobody cures fails for good after a day, as seen at the original.
pub const REFUSED_ORDER_SECONDS: i64 = 86_400;

/// Under which name an order is unique (DEF6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderKey {
    /// The merchant that called, which for a provider is the provider.
    pub caller: MerchantId,
    /// Its number.
    pub bill_no: BillNo,
}

/// Texts a receiver sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Texts {
    /// Who sends.
    pub send_name: String,
    /// The greeting.
    pub wishing: String,
    /// The activity.
    pub act_name: String,
    /// A remark for the merchant.
    pub remark: String,
}

/// What an order asks for. Written once and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// One receiver or a group.
    pub kind: PacketKind,
    /// How it was sent.
    pub way: SendWay,
    /// The app in which the receiver is named.
    pub app: AppId,
    /// The receiver; of a group, the seed user.
    pub openid: OpenId,
    /// The money in it.
    pub total: Fen,
    /// Into how many shares.
    pub share_count: u32,
    /// The scene; `None` for the default one.
    pub scene: Option<Scene>,
    /// The merchant a provider sends for; `None` when the caller sends for itself.
    pub sub_merchant: Option<MerchantId>,
    /// The app through which a provider reaches the receiver.
    pub message_app: Option<AppId>,
    /// What the receiver reads.
    pub texts: Texts,
    /// The address the caller gave for itself; kept, never used for a decision (J-8).
    pub client_ip: Option<String>,
    /// What the caller told about the user's act; kept as it came.
    pub risk_info: Option<String>,
}

/// A refusal that left an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedOrder {
    /// The newest reason, kept for good.
    pub reason: Refusal,
    /// When the order was first refused: the day to cure it starts here.
    pub since: Timestamp,
    /// How often it was refused.
    pub attempts: u32,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Its money is in a packet.
    Funded {
        /// Between which bounds a group's shares were drawn.
        split: Option<SplitTerms>,
    },
    /// It was refused for a cause that can be cured.
    Refused(RefusedOrder),
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Where its packet is, or would be.
    pub packet: PacketKey,
    /// When the number was first seen.
    pub created_at: Timestamp,
    /// What it asks for.
    pub terms: Arc<Terms>,
    /// What became of it.
    pub state: OrderState,
}

impl Order {
    /// The platform's number for it.
    pub const fn list_id(&self) -> ListId {
        ListId::new(self.packet, self.created_at)
    }

    /// Refuses a second use of the number with other terms (DEF6). Texts may differ. The
    /// sub-merchant comes first: for another one, the receiver's names are others too.
    pub fn check_replay(&self, payer: MerchantId, terms: &Terms) -> Result<(), Refusal> {
        let first = &self.terms;
        if first.sub_merchant != terms.sub_merchant {
            return Err(Refusal::TermChanged { term: "sub_merchant" });
        }
        if first.app != terms.app || first.openid != terms.openid {
            return Err(Refusal::ReceiverChanged);
        }
        if first.total != terms.total {
            return Err(Refusal::AmountChanged);
        }
        let term = if first.share_count != terms.share_count {
            "share_count"
        } else if first.kind != terms.kind || first.way != terms.way {
            "kind"
        } else if first.scene != terms.scene {
            "scene"
        } else if first.message_app != terms.message_app {
            "message_app"
        } else if self.packet.merchant != payer {
            "payer"
        } else {
            return Ok(());
        };
        Err(Refusal::TermChanged { term })
    }

    /// True when the order was refused and its day is over.
    pub fn failed(&self, now: Timestamp) -> bool {
        match &self.state {
            OrderState::Funded { .. } => false,
            OrderState::Refused(refused) => {
                now >= refused.since.plus_seconds(REFUSED_ORDER_SECONDS)
            }
        }
    }
}

/// The states of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketStatus {
    /// `SENDING` 发放中: refused for a curable cause and waiting for the same number again.
    Sending,
    /// `SENT` 已发放待领取: money taken, something left to claim.
    Sent,
    /// `FAILED` 发放失败: final.
    Failed,
    /// `RECEIVED` 已领取: everything claimed.
    Received,
    /// `RFUND_ING` 退款中: ended, the refund is due.
    Refunding,
    /// `REFUND` 已退款: the rest is back with the merchant.
    Refunded,
}

impl PacketStatus {
    /// The status of an order and its packet at `now`, the merchant's time.
    pub fn of(order: &Order, packet: Option<&Packet>, now: Timestamp) -> Self {
        match packet {
            None if order.failed(now) => Self::Failed,
            None => Self::Sending,
            Some(packet) => match packet.state {
                PacketState::Open if now >= packet.expire_at => Self::Refunding,
                PacketState::Open => Self::Sent,
                PacketState::Claimed { .. } => Self::Received,
                PacketState::Refunded { .. } => Self::Refunded,
            },
        }
    }
}
