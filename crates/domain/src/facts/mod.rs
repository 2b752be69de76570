//! Facts in, effects out, changes down.
//!
//! | step | who | what |
//! | --- | --- | --- |
//! | needs | [`Command::needs`] | names the rows a batch must load |
//! | load | a store | fills [`Facts`] under locks, in one fixed order, or brings them to the same by [`Facts::follow`] |
//! | decide | [`Command::decide`] | reads facts, answers with [`Effects`] or a refusal |
//! | fold | [`Batch::run`] | posts transfers, moves balances, marks rows; the next command sees it |
//! | commit | a store | writes [`Changes`] in one transaction |
//!
//! Maps are ordered by key, so that rows are loaded, locked and written in the same order on
//! every node: two batches can wait for each other in one direction only.

mod batch;
mod follow;

use std::collections::{BTreeMap, BTreeSet};

pub use batch::{Batch, BatchError, Changes};

use crate::{
    change::ChangeRecord,
    ids::{AppId, MerchantId, OpenId, PacketKey, UserId},
    ledger::{Owner, Transfer},
    limit::DayUse,
    merchant::Merchant,
    message::Following,
    packet::{GroupClaim, Order, OrderKey, Packet},
    refusal::Refusal,
    risk::Standing,
    time::Timestamp,
    wallet::{Payout, PayoutKey, Posted, PostedKey, Wallet},
};

/// A decision about money.
pub trait Command: Send + Sync + 'static {
    /// What it is called in metrics and traces; never changed once it has shipped.
    const NAME: &str;

    /// What a success tells.
    type Outcome: Clone + Send + 'static;

    /// Whose journal its transfers stand in. Commands of one journal are decided in the order in
    /// which they came.
    fn journal(&self) -> Owner;

    /// Names the rows to load.
    fn needs(&self, needs: &mut Needs);

    /// Decides. Pure: the same facts give the same verdict.
    fn decide(&self, facts: &Facts) -> Verdict<Self::Outcome>;
}

/// What [`Command::decide`] answers.
pub type Verdict<T> = Result<Accepted<T>, Refused>;

/// A yes.
#[derive(Clone, Debug)]
pub struct Accepted<T> {
    /// The answer.
    pub outcome: T,
    /// What it changes.
    pub effects: Effects,
}

impl<T> Accepted<T> {
    /// A yes that changes nothing, because an earlier command did it.
    pub fn already(outcome: T) -> Self {
        Self { outcome, effects: Effects::default() }
    }
}

/// A no. Money never moves with it; some refusals of a send leave an order.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The order it leaves.
    pub kept: Option<Box<(OrderKey, Order)>>,
}

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(refusal: R) -> Self {
        Self { refusal: refusal.into(), kept: None }
    }
}

/// What one command changes.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Money that moves.
    pub transfers: Vec<Transfer>,
    /// An order made or changed.
    pub order: Option<(OrderKey, Order)>,
    /// A packet made or changed.
    pub packet: Option<Packet>,
    /// A share of a group taken.
    pub group_claim: Option<(PacketKey, GroupClaim)>,
    /// A merchant's use of its daily cap.
    pub merchant_day: Option<(MerchantId, DayUse)>,
    /// A user's use of the daily caps at a merchant.
    pub user_day: Option<((MerchantId, UserId), DayUse)>,
    /// A reference used up.
    pub posted: Option<(PostedKey, Posted)>,
    /// A withdrawal made or settled.
    pub payout: Option<(PayoutKey, Payout)>,
    /// A sandbox clock's new offset in milliseconds.
    pub clock: Option<(MerchantId, i64)>,
    /// A record of a protected change.
    pub change: Option<ChangeRecord>,
}

/// A receiver's name, and whose limits apply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceiverKey {
    /// The merchant that pays.
    pub payer: MerchantId,
    /// The app.
    pub app: AppId,
    /// The name inside the app.
    pub openid: OpenId,
}

/// The person behind a [`ReceiverKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Who.
    pub user: UserId,
    /// What the host app thinks of the account.
    pub standing: Standing,
    /// How they stand to the app's official account.
    pub following: Following,
}

/// The rows a batch of commands must load.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Merchants, locked.
    pub merchants: BTreeSet<MerchantId>,
    /// Orders by number.
    pub orders: BTreeSet<OrderKey>,
    /// Receivers, each with its [`DayUse`] at the payer.
    pub receivers: BTreeSet<ReceiverKey>,
    /// Packets.
    pub packets: BTreeSet<PacketKey>,
    /// What a user took of a group.
    pub group_claims: BTreeSet<(PacketKey, UserId)>,
    /// What users claimed today at a merchant.
    pub user_days: BTreeSet<(MerchantId, UserId)>,
    /// Wallets, locked.
    pub wallets: BTreeSet<UserId>,
    /// Authorizations of a provider (first) by a merchant (second).
    pub authorizations: BTreeSet<(MerchantId, MerchantId)>,
    /// References used before.
    pub posted: BTreeSet<PostedKey>,
    /// Withdrawals.
    pub payouts: BTreeSet<PayoutKey>,
}

impl Needs {
    /// How many rows these are.
    pub fn rows(&self) -> usize {
        let keys = [
            self.merchants.len(),
            self.orders.len(),
            self.receivers.len(),
            self.packets.len(),
            self.group_claims.len(),
            self.user_days.len(),
            self.wallets.len(),
            self.authorizations.len(),
            self.posted.len(),
            self.payouts.len(),
        ];
        keys.into_iter().sum()
    }
}

/// A row that knows which version it is, so that a write can name the one it expects.
pub trait Versioned {
    /// The version; grows with every change.
    fn version(&self) -> u64;
}

/// A loaded row: as it was, and as the batch has made it.
#[derive(Clone, Debug)]
pub struct Slot<T> {
    /// The version that was loaded; `None` when the row did not exist.
    pub loaded: Option<u64>,
    /// The row now.
    pub row: T,
    /// True when the batch changed it.
    pub changed: bool,
}

impl<T: Versioned> Slot<T> {
    /// A row as loaded.
    pub fn loaded(row: T) -> Self {
        Self { loaded: Some(row.version()), row, changed: false }
    }
}

impl<T> Slot<T> {
    /// A row that does not exist yet.
    pub const fn new(row: T) -> Self {
        Self { loaded: None, row, changed: false }
    }
}

impl Versioned for DayUse {
    fn version(&self) -> u64 {
        self.version
    }
}

/// The rows of a batch.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The deciding clock, read after the locks are held (DEF8).
    pub now: Timestamp,
    /// Merchants.
    pub merchants: BTreeMap<MerchantId, Slot<Merchant>>,
    /// Orders that exist.
    pub orders: BTreeMap<OrderKey, Order>,
    /// Receivers that exist.
    pub receivers: BTreeMap<ReceiverKey, Receiver>,
    /// Packets that exist.
    pub packets: BTreeMap<PacketKey, Slot<Packet>>,
    /// Group claims that exist.
    pub group_claims: BTreeMap<(PacketKey, UserId), GroupClaim>,
    /// Users' use of daily caps; absent means none yet.
    pub user_days: BTreeMap<(MerchantId, UserId), Slot<DayUse>>,
    /// Wallets of users that exist.
    pub wallets: BTreeMap<UserId, Slot<Wallet>>,
    /// Active authorizations: provider, sub-merchant.
    pub authorizations: BTreeSet<(MerchantId, MerchantId)>,
    /// References used before.
    pub posted: BTreeMap<PostedKey, Posted>,
    /// Withdrawals that exist.
    pub payouts: BTreeMap<PayoutKey, Payout>,
}

impl Facts {
    /// The merchant, or a refusal.
    pub fn merchant(&self, id: MerchantId) -> Result<&Merchant, Refusal> {
        self.merchants.get(&id).map(|slot| &slot.row).ok_or(Refusal::MerchantUnknown)
    }

    /// The wallet, or a refusal.
    pub fn wallet(&self, id: UserId) -> Result<&Wallet, Refusal> {
        self.wallets.get(&id).map(|slot| &slot.row).ok_or(Refusal::UserUnknown)
    }

    /// The order, if the number was used.
    pub fn order(&self, key: &OrderKey) -> Option<&Order> {
        self.orders.get(key)
    }

    /// The packet, if there is one.
    pub fn packet(&self, key: PacketKey) -> Option<&Packet> {
        self.packets.get(&key).map(|slot| &slot.row)
    }

    /// The receiver, if the openid is one of the app.
    pub fn receiver(&self, key: &ReceiverKey) -> Option<&Receiver> {
        self.receivers.get(key)
    }

    /// What the user took of the group, if anything.
    pub fn group_claim(&self, packet: PacketKey, user: UserId) -> Option<&GroupClaim> {
        self.group_claims.get(&(packet, user))
    }

    /// What the user has used of the daily caps at the merchant.
    pub fn user_day(&self, merchant: MerchantId, user: UserId) -> DayUse {
        self.user_days.get(&(merchant, user)).map(|slot| slot.row).unwrap_or_default()
    }

    /// Whether the sub-merchant's authorization of the provider is active.
    pub fn authorized(&self, provider: MerchantId, sub_merchant: MerchantId) -> bool {
        self.authorizations.contains(&(provider, sub_merchant))
    }

    /// What was booked under a reference.
    pub fn posted(&self, key: &PostedKey) -> Option<&Posted> {
        self.posted.get(key)
    }

    /// The withdrawal, if there is one.
    pub fn payout(&self, key: &PayoutKey) -> Option<&Payout> {
        self.payouts.get(key)
    }
}
