//! A packet's life.
//!
//! ```text
//! order refused, curable ──(same number again, cause gone)──► funded
//!        └──(a day passes)──► failed
//! funded: Open ──claims──► Claimed            all shares taken
//!           └──(end, something left)──► Refunded
//! ```
//!
//! An *order* is a number and its terms; a *packet* exists once the money is in escrow. What the
//! original calls `SENDING`, `SENT`, `FAILED`, `RECEIVED`, `RFUND_ING` and `REFUND` is
//! [`PacketStatus`], which is read from order, packet and time, never stored beside them.

mod claim;
mod order;
mod refund;
mod send;
#[cfg(test)]
mod tests;

pub use claim::{ClaimShare, Claimed, GroupClaim};
pub use order::{
    Order, OrderKey, OrderState, PacketStatus, REFUSED_ORDER_SECONDS, RefusedOrder, Terms, Texts,
};
pub use refund::{RefundPacket, Refunded};
pub use send::{GROUP_COUNT_MAX, GROUP_COUNT_MIN, SendPacket, Sent};

use serde::{Deserialize, Serialize};

use crate::{
    facts::Versioned,
    ids::{PacketKey, PacketSecret, UserId},
    ledger::AccountKind,
    message::MessageForm,
    money::{Fen, MoneyOverflow},
    time::Timestamp,
};

/// One receiver, or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketKind {
    /// 普通红包: one receiver.
    Normal,
    /// 裂变红包: a group of shares that the first receiver passes on.
    Group,
}

impl PacketKind {
    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Normal => 1,
            Self::Group => 2,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Normal, Self::Group].into_iter().find(|kind| kind.code() == code)
    }
}

/// Where a funded packet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketState {
    /// Money in escrow, shares to claim.
    Open,
    /// Every share was claimed.
    Claimed {
        /// When the last one was.
        at: Timestamp,
    },
    /// What nobody claimed went back.
    Refunded {
        /// When.
        at: Timestamp,
    },
}

impl PacketState {
    /// When the packet was settled.
    pub const fn settled_at(self) -> Option<Timestamp> {
        match self {
            Self::Open => None,
            Self::Claimed { at } | Self::Refunded { at } => Some(at),
        }
    }
}

/// A funded packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it is stored.
    pub key: PacketKey,
    /// One receiver or a group.
    pub kind: PacketKind,
    /// Who was sent it; of a group, the seed user.
    pub receiver: UserId,
    /// The money in it at first.
    pub total: Fen,
    /// Into how many shares it is split.
    pub share_count: u32,
    /// The account that paid, to which the rest goes back.
    pub paid_from: AccountKind,
    /// When it was funded.
    pub funded_at: Timestamp,
    /// From here on it cannot be claimed (DEF5).
    pub expire_at: Timestamp,
    /// What codes and split come from.
    pub secret: PacketSecret,
    /// In which form its receiver is told, decided when it was sent.
    pub form: MessageForm,
    /// The drawn shares in claim order; empty for a normal packet, which has one.
    pub shares: Vec<Fen>,
    /// Claimed so far.
    pub claimed: Fen,
    /// Shares claimed so far.
    pub claimed_count: u32,
    /// Where it stands.
    pub state: PacketState,
    /// [`Packet::FUNDED`] at first, one more for every claim and for the refund.
    pub version: u64,
}

impl Packet {
    /// The version of a packet of which nothing was claimed or went back.
    pub const FUNDED: u64 = 1;

    /// Money still in escrow, `ES(p)` of the invariants.
    pub fn escrow(&self) -> Result<Fen, MoneyOverflow> {
        match self.state {
            PacketState::Open => self.total.minus(self.claimed),
            PacketState::Claimed { .. } | PacketState::Refunded { .. } => Ok(Fen::ZERO),
        }
    }

    /// What went back.
    pub fn refunded(&self) -> Result<Fen, MoneyOverflow> {
        match self.state {
            PacketState::Refunded { .. } => self.total.minus(self.claimed),
            PacketState::Open | PacketState::Claimed { .. } => Ok(Fen::ZERO),
        }
    }

    /// The share the next claim takes; `None` when all are taken.
    pub fn next_share(&self) -> Option<Fen> {
        match self.kind {
            PacketKind::Normal => (self.claimed_count == 0).then_some(self.total),
            PacketKind::Group => {
                let next = usize::try_from(self.claimed_count).ok()?;
                self.shares.get(next).copied()
            }
        }
    }
}

impl Versioned for Packet {
    fn version(&self) -> u64 {
        self.version
    }
}
