//! The port, method by method.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use hongbao_app::ports::{
    AuditSource, Authorization, Certificate, Clock, DueScan, JournalCursor, MerchantRecord,
    Message, NewCertificate, NewMerchant, NewUser, OrderRecord, PendingPayout, Person, Store,
    StoreError, Transact, Turn, UserRecord, WalletEntry, Work,
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
use rusqlite::Connection;

use super::{
    audit::Snapshot, files, open, open::OpenError, readers::Readers, schema, writer::Writer,
};
use crate::{
    error::{Failure, Outcome},
    queries::{admin, jobs, journal, packets, users},
    session::ready,
    settings::SettingsCache,
};

/// A store in one SQLite database.
pub struct SqliteStore {
    // First, so that the log is folded in and the lock given back by the writer, last of all.
    readers: Readers,
    writer: Option<Writer>,
    clock: Arc<dyn Clock>,
}

impl SqliteStore {
    /// Makes the database if there is none, and brings its schema up to date.
    pub fn migrate(path: &Path) -> Result<(), OpenError> {
        open::migrate(path)
    }

    /// Opens the database for a server: takes its lock and checks everything.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        files::check_modes(path)?;
        let lock = files::Lock::take(path)?;
        let settings = Arc::new(SettingsCache::default());
        let writer = Writer::open(path, Arc::clone(&clock), Arc::clone(&settings), lock)?;
        Ok(Self { readers: Readers::open(path, settings)?, writer: Some(writer), clock })
    }

    /// Has every batch of so many rows and more decided while the one before it is written, for
    /// tests and measurements; a server decides so what is large enough to gain from it.
    #[must_use]
    pub fn preparing_from(mut self, rows: usize) -> Self {
        if let Some(writer) = &mut self.writer {
            writer.prepare_from(rows);
        }
        self
    }

    /// Opens the database for reading only; works beside a running server. Schema and settings
    /// are not checked here: [`AuditSource::structure`] tells what is wrong with them. Half a
    /// store, which a move has not filled, is refused.
    pub fn open_read_only(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        files::check_modes(path)?;
        schema::refuse_half(&open::reader(path)?)?;
        Self::look(path, clock)
    }

    /// Opens the database like [`SqliteStore::open_read_only`], half a store as well.
    pub(crate) fn look(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        files::check_modes(path)?;
        open::check_version()?;
        Ok(Self {
            readers: Readers::open(path, Arc::new(SettingsCache::default()))?,
            writer: None,
            clock,
        })
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        let read_only = || StoreError::Unavailable("it was opened for reading only".to_owned());
        self.writer.as_ref().ok_or_else(read_only)
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer()?.write(change).await
    }

    /// For what jobs write: messages, history lines and how far they got, which no batch loads.
    async fn write_beside(
        &self,
        change: impl FnOnce(&Connection) -> Outcome<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.writer()?.write_beside(change).await
    }
}

#[async_trait]
impl Transact for SqliteStore {
    async fn transact(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        match self.writer() {
            Ok(writer) => writer.transact(needs, work).await,
            Err(error) => (work, Err(error)),
        }
    }

    async fn transact_in_turn(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
        turn: Turn,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        match self.writer() {
            Ok(writer) => writer.transact_in_turn(needs, work, turn).await,
            Err(error) => (work, Err(error)),
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.now())
    }

    /// Waits its turn, takes the write lock and gives it back. It writes nothing: a full or a
    /// failing disk shows at a commit or a checkpoint, and only from then on here.
    async fn check(&self) -> Result<(), StoreError> {
        self.writer()?.check().await
    }

    async fn create_merchant(
        &self,
        new: NewMerchant,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.write(move |tx| ready(admin::create_merchant(tx, &new, &record))).await
    }

    async fn merchant(&self, id: MerchantId) -> Result<Option<MerchantRecord>, StoreError> {
        self.readers.read(move |tx, settings| ready(admin::merchant(tx, settings, id))).await
    }

    async fn merchants(&self) -> Result<Vec<MerchantRecord>, StoreError> {
        self.readers.read(|tx, settings| ready(admin::merchants(tx, settings))).await
    }

    async fn update_settings(
        &self,
        id: MerchantId,
        expected: u64,
        settings: Settings,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.write(move |tx| ready(admin::update_settings(tx, id, expected, &settings, &record)))
            .await
    }

    async fn set_key(
        &self,
        id: MerchantId,
        sealed: Vec<u8>,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.write(move |tx| ready(admin::set_key(tx, id, &sealed, &record))).await
    }

    async fn add_certificate(
        &self,
        new: NewCertificate,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.write(move |tx| ready(admin::add_certificate(tx, &new, &record))).await
    }

    async fn certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
    ) -> Result<Option<Certificate>, StoreError> {
        let serial = serial.to_owned();
        self.readers.read(move |tx, _| ready(admin::certificate(tx, merchant, &serial))).await
    }

    async fn certificates(&self, merchant: MerchantId) -> Result<Vec<Certificate>, StoreError> {
        self.readers.read(move |tx, _| ready(admin::certificates(tx, merchant))).await
    }

    async fn revoke_certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
        at: Timestamp,
        record: ChangeRecord,
    ) -> Result<bool, StoreError> {
        let serial = serial.to_owned();
        self.write(move |tx| ready(admin::revoke_certificate(tx, merchant, &serial, at, &record)))
            .await
    }

    async fn authorization(
        &self,
        provider: MerchantId,
        sub_merchant: MerchantId,
    ) -> Result<Option<Authorization>, StoreError> {
        self.readers
            .read(move |tx, _| ready(admin::authorization(tx, provider, sub_merchant)))
            .await
    }

    async fn set_authorization(
        &self,
        before: Option<Authorization>,
        after: Authorization,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        self.write(move |tx| ready(admin::set_authorization(tx, before, after, &record))).await
    }

    async fn register_user(&self, new: NewUser, at: Timestamp) -> Result<UserRecord, StoreError> {
        self.write(move |tx| ready(users::register(tx, &new, at))).await
    }

    async fn register_users(
        &self,
        new: Vec<NewUser>,
        at: Timestamp,
    ) -> Result<Vec<UserRecord>, StoreError> {
        // What fails is told as a value, so that those before it stay.
        let all = self.write(move |tx| {
            let mut registered = Vec::with_capacity(new.len());
            for new in &new {
                match ready(users::register(tx, new, at)) {
                    Ok(record) => registered.push(record),
                    Err(Failure::Store(refused)) => return Ok(Err(refused)),
                    Err(failure) => return Err(failure),
                }
            }
            Ok(Ok(registered))
        });
        all.await?
    }

    async fn users(
        &self,
        people: BTreeSet<Person>,
    ) -> Result<BTreeMap<Person, UserRecord>, StoreError> {
        self.readers.read(move |tx, _| ready(users::find_all(tx, people))).await
    }

    async fn set_wallet_frozen(
        &self,
        user: UserId,
        frozen: bool,
        record: ChangeRecord,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| ready(users::set_frozen(tx, user, frozen, &record))).await
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        self.readers.read(move |tx, _| ready(users::wallet(tx, user))).await
    }

    async fn wallet_entries(
        &self,
        user: UserId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<WalletEntry>, StoreError> {
        self.readers.read(move |tx, _| ready(users::entries(tx, user, before, limit))).await
    }

    async fn messages(
        &self,
        user: UserId,
        before: Option<(Timestamp, PacketKey)>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        self.readers.read(move |tx, _| ready(users::messages(tx, user, before, limit))).await
    }

    async fn put_messages(&self, messages: &[Message]) -> Result<(), StoreError> {
        if messages.is_empty() {
            return Ok(());
        }
        let messages = messages.to_vec();
        self.write_beside(move |tx| ready(users::put_messages(tx, &messages))).await
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderRecord>, StoreError> {
        let key = key.clone();
        self.readers.read(move |tx, settings| ready(packets::order(tx, settings, &key))).await
    }

    async fn order_of_packet(&self, key: PacketKey) -> Result<Option<OrderRecord>, StoreError> {
        self.readers
            .read(move |tx, settings| ready(packets::order_of_packet(tx, settings, key)))
            .await
    }

    async fn packets(&self, keys: &[PacketKey]) -> Result<Vec<Packet>, StoreError> {
        let keys = keys.to_vec();
        self.readers.read(move |tx, _| ready(packets::some(tx, &keys))).await
    }

    async fn due_packets(&self, now: Timestamp, limit: u32) -> Result<DueScan, StoreError> {
        self.readers.read(move |tx, _| ready(jobs::due_packets(tx, now, limit))).await
    }

    async fn expiring(
        &self,
        now: Timestamp,
        seconds: i64,
        look_at_max: u32,
    ) -> Result<u32, StoreError> {
        let count =
            self.readers.read(move |tx, _| ready(jobs::expiring(tx, now, seconds, look_at_max)));
        count.await
    }

    async fn settled_through(&self, times: &[(MerchantId, Timestamp)]) -> Result<(), StoreError> {
        if times.is_empty() {
            return Ok(());
        }
        let times = times.to_vec();
        let moved = self.readers.read(move |tx, _| ready(jobs::moved_cursors(tx, &times)));
        let moved = moved.await?;
        if moved.is_empty() {
            return Ok(());
        }
        self.write_beside(move |tx| ready(jobs::settled_through(tx, &moved))).await
    }

    async fn unfollowed(
        &self,
        after: Option<MerchantId>,
        limit: u32,
    ) -> Result<Vec<JournalCursor>, StoreError> {
        self.readers.read(move |tx, _| ready(jobs::unfollowed(tx, after, limit))).await
    }

    async fn journal_after(
        &self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.readers.read(move |tx, _| ready(journal::after(tx, owner, seq, limit))).await
    }

    async fn follow(
        &self,
        merchant: MerchantId,
        from: u64,
        to: u64,
        entries: &[WalletEntry],
    ) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.write_beside(move |tx| ready(jobs::follow(tx, merchant, from, to, &entries))).await
    }

    async fn pending_payouts(
        &self,
        after: Option<&PendingPayout>,
        limit: u32,
    ) -> Result<Vec<PendingPayout>, StoreError> {
        let after = after.cloned();
        self.readers
            .read(move |tx, _| ready(jobs::pending_payouts(tx, after.as_ref(), limit)))
            .await
    }

    async fn audit_source(&self) -> Result<Box<dyn AuditSource>, StoreError> {
        let snapshot = Snapshot::open(self.readers.path(), self.readers.settings()).await?;
        Ok(Box::new(snapshot))
    }
}
