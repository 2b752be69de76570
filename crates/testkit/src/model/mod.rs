//! A store over plain maps.
//!
//! It holds the domain's own types under one lock and does nothing clever, so that it can be read
//! in one sitting and believed. What SQLite does with SQL, it must do as this one does: both pass
//! [`crate::suite`], and so must any store that is added.
//!
//! It is honest about versions: a write names the version that was loaded, and a batch that names
//! another one fails as a whole, see `State::check`.

mod audit;
mod entries;
mod jobs;
mod load;
mod merchants;
mod packets;
mod state;
mod users;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
pub use entries::wallet_entries_of;
use hongbao_app::ports::{
    AuditSource, Authorization, Certificate, Clock, DueScan, JournalCursor, MerchantRecord,
    Message, NewCertificate, NewMerchant, NewUser, OrderRecord, PendingPayout, Person, Store,
    StoreError, Transact, UserRecord, WalletEntry, Work,
};
use hongbao_domain::{
    MerchantId, PacketKey, Timestamp, UserId,
    change::ChangeRecord,
    facts::Needs,
    ledger::{JournalRow, Owner},
    merchant::Settings,
    packet::{OrderKey, Packet},
    wallet::Wallet,
};

use self::state::State;

/// The in-memory store.
pub struct ModelStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl ModelStore {
    /// An empty store whose deciding clock is `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// Every record of a protected change, oldest first.
    pub fn change_records(&self) -> Vec<ChangeRecord> {
        self.state().records.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transact for ModelStore {
    async fn transact(
        &self,
        needs: Needs,
        mut work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        let mut state = self.state();
        let facts = state.load(&needs, self.clock.now());
        let (facts, changes) = work.decide(facts);
        if changes.is_empty() {
            return (work, Ok(()));
        }
        let written = state.check(&facts, &changes).map(|()| state.write(&facts, changes));
        (work, written)
    }
}

#[async_trait]
impl Store for ModelStore {
    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.now())
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn create_merchant(
        &self,
        new: NewMerchant,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.state().create_merchant(new, record)
    }

    async fn merchant(&self, id: MerchantId) -> Result<Option<MerchantRecord>, StoreError> {
        Ok(self.state().merchants.get(&id).cloned())
    }

    async fn merchants(&self) -> Result<Vec<MerchantRecord>, StoreError> {
        Ok(self.state().merchants.values().cloned().collect())
    }

    async fn update_settings(
        &self,
        id: MerchantId,
        expected: u64,
        settings: Settings,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.state().update_settings(id, expected, settings, record)
    }

    async fn set_key(
        &self,
        id: MerchantId,
        sealed: Vec<u8>,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.state().set_key(id, sealed, record)
    }

    async fn add_certificate(
        &self,
        new: NewCertificate,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.state().add_certificate(new, record)
    }

    async fn certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
    ) -> Result<Option<Certificate>, StoreError> {
        let key = (merchant, serial.to_owned());
        Ok(self.state().certificates.get(&key).cloned())
    }

    async fn certificates(&self, merchant: MerchantId) -> Result<Vec<Certificate>, StoreError> {
        Ok(self.state().certificates_of(merchant))
    }

    async fn revoke_certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
        at: Timestamp,
        record: ChangeRecord,
    ) -> Result<bool, StoreError> {
        Ok(self.state().revoke_certificate(merchant, serial, at, record))
    }

    async fn authorization(
        &self,
        provider: MerchantId,
        sub_merchant: MerchantId,
    ) -> Result<Option<Authorization>, StoreError> {
        Ok(self.state().authorization(provider, sub_merchant))
    }

    async fn set_authorization(
        &self,
        before: Option<Authorization>,
        after: Authorization,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.state().set_authorization(before, after, record)
    }

    async fn register_user(&self, new: NewUser, _at: Timestamp) -> Result<UserRecord, StoreError> {
        self.state().register_user(new)
    }

    async fn users(
        &self,
        people: BTreeSet<Person>,
    ) -> Result<BTreeMap<Person, UserRecord>, StoreError> {
        Ok(self.state().users(people))
    }

    async fn set_wallet_frozen(
        &self,
        user: UserId,
        frozen: bool,
        record: ChangeRecord,
    ) -> Result<bool, StoreError> {
        Ok(self.state().set_wallet_frozen(user, frozen, record))
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        Ok(self.state().wallets.get(&user).cloned())
    }

    async fn wallet_entries(
        &self,
        user: UserId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<WalletEntry>, StoreError> {
        Ok(self.state().wallet_entries(user, before, limit))
    }

    async fn messages(
        &self,
        user: UserId,
        before: Option<(Timestamp, PacketKey)>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        Ok(self.state().messages_of(user, before, limit))
    }

    async fn put_messages(&self, messages: &[Message]) -> Result<(), StoreError> {
        self.state().put_messages(messages);
        Ok(())
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderRecord>, StoreError> {
        self.state().order_record(key)
    }

    async fn order_of_packet(&self, key: PacketKey) -> Result<Option<OrderRecord>, StoreError> {
        self.state().order_of_packet(key)
    }

    async fn packets(&self, keys: &[PacketKey]) -> Result<Vec<Packet>, StoreError> {
        let (state, keys) = (self.state(), keys.iter().collect::<BTreeSet<_>>());
        Ok(keys.into_iter().filter_map(|key| state.packets.get(key).cloned()).collect())
    }

    async fn due_packets(&self, now: Timestamp, limit: u32) -> Result<DueScan, StoreError> {
        Ok(self.state().due_packets(now, limit))
    }

    async fn settled_through(&self, times: &[(MerchantId, Timestamp)]) -> Result<(), StoreError> {
        self.state().settled_through(times);
        Ok(())
    }

    async fn unfollowed(
        &self,
        after: Option<MerchantId>,
        limit: u32,
    ) -> Result<Vec<JournalCursor>, StoreError> {
        Ok(self.state().unfollowed(after, limit))
    }

    async fn journal_after(
        &self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        Ok(self.state().journal_after(owner, seq, limit))
    }

    async fn follow(
        &self,
        merchant: MerchantId,
        from: u64,
        to: u64,
        entries: &[WalletEntry],
    ) -> Result<(), StoreError> {
        self.state().follow(merchant, from, to, entries)
    }

    async fn pending_payouts(
        &self,
        after: Option<&PendingPayout>,
        limit: u32,
    ) -> Result<Vec<PendingPayout>, StoreError> {
        Ok(self.state().pending_payouts(after, limit))
    }

    async fn audit_source(&self) -> Result<Box<dyn AuditSource>, StoreError> {
        Ok(Box::new(self.state().clone()))
    }
}
