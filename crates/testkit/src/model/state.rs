//! What the model keeps.

use std::collections::BTreeMap;

use hongbao_app::ports::{
    AuthorizationState, Certificate, MerchantRecord, Message, Person, StoreError, UserRecord,
    WalletEntry,
};
use hongbao_domain::{
    MerchantId, PacketKey, Timestamp, UserId,
    change::ChangeRecord,
    ledger::{JournalRow, Owner},
    limit::DayUse,
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::{Payout, PayoutKey, Posted, PostedKey, Wallet},
};

/// Everything, in maps ordered by key.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) merchants: BTreeMap<MerchantId, MerchantRecord>,
    pub(super) certificates: BTreeMap<(MerchantId, String), Certificate>,
    pub(super) authorizations: BTreeMap<(MerchantId, MerchantId), AuthorizationState>,
    pub(super) people: BTreeMap<Person, UserRecord>,
    pub(super) subjects: BTreeMap<String, UserId>,
    pub(super) wallets: BTreeMap<UserId, Wallet>,
    pub(super) orders: BTreeMap<OrderKey, Order>,
    pub(super) order_of_packet: BTreeMap<PacketKey, OrderKey>,
    pub(super) packets: BTreeMap<PacketKey, Packet>,
    pub(super) group_claims: BTreeMap<(PacketKey, UserId), GroupClaim>,
    pub(super) user_days: BTreeMap<(MerchantId, UserId), DayUse>,
    pub(super) posted: BTreeMap<PostedKey, Posted>,
    pub(super) payouts: BTreeMap<PayoutKey, Payout>,
    pub(super) journals: BTreeMap<Owner, Vec<JournalRow>>,
    pub(super) wallet_lines: BTreeMap<(UserId, u64), WalletEntry>,
    pub(super) followed: BTreeMap<MerchantId, u64>,
    pub(super) settled: BTreeMap<MerchantId, Timestamp>,
    pub(super) messages: BTreeMap<InboxKey, Message>,
    pub(super) records: Vec<ChangeRecord>,
}

/// To whom, when sent, about which packet: the order in which an inbox is listed.
pub(super) type InboxKey = (UserId, Timestamp, PacketKey);

/// "Somebody was faster."
pub(super) const fn conflict(what: &'static str) -> StoreError {
    StoreError::Conflict { what }
}

/// A page's length as a number of items.
pub(super) fn page(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
