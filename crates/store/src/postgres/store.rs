//! The port, method by method.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use deadpool_postgres::Object;
use hongbao_app::ports::{
    AuditSource, Authorization, Certificate, Clock, DueScan, JournalCursor, MerchantRecord,
    Message, NewCertificate, NewMerchant, NewUser, OrderRecord, PendingPayout, Person, Prepared,
    Store, StoreError, Transact, UserRecord, WalletEntry, Work,
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
use tokio::time::timeout;

use super::{
    audit::Snapshot,
    bulk, distribute,
    lanes::Lanes,
    leases,
    open::{OpenError, PostgresUrl},
    pool::{self, Client, Connections, Mode, Transaction},
    prepared, register, schema, transact,
};
use crate::{
    error::{Failure, Outcome},
    queries::{admin, jobs, journal, packets, users},
    settings::SettingsCache,
};

/// Milliseconds since 1970, now: not when the transaction began, which `now()` would tell.
pub(super) const CLOCK: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// Names a server among those on one database.
const HOLDER: &str = "SELECT nextval('lane_number')";
/// Batches at once: while the server writes one, this process decides another.
const LANES: usize = 4;
/// For a first answer, before a migration.
const MIGRATE_CONNECT: Duration = Duration::from_secs(10);
/// A person that two servers register at once is there for the second attempt.
const REGISTER_ATTEMPTS: u32 = 3;

/// The clock that decides (DEF8).
pub(super) enum DecidingClock {
    /// The database's, the same for all servers.
    Database,
    /// Another, for tests.
    Given(Arc<dyn Clock>),
}

impl DecidingClock {
    /// The time now; in a batch, read behind its locks.
    pub(super) async fn read(&self, client: &Client) -> Outcome<Timestamp> {
        match self {
            Self::Given(clock) => Ok(clock.now()),
            Self::Database => {
                let statement = client.prepare_cached(CLOCK).await?;
                let row = client.query_one(&statement, &[]).await?;
                Ok(Timestamp::from_millis(row.try_get(0)?))
            }
        }
    }
}

/// What methods share.
pub(super) struct Shared {
    pub(super) connections: Connections,
    pub(super) settings: SettingsCache,
    pub(super) lanes: Lanes,
    pub(super) clock: DecidingClock,
    holder: i64,
    /// Held open by a server: moves see it by its lock.
    _at_work: Option<Client>,
}

/// A store in one PostgreSQL database, shared by any number of servers.
pub struct PostgresStore {
    shared: Arc<Shared>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("connections", &self.shared.connections).finish()
    }
}

impl PostgresStore {
    /// Brings the database's schema up to date.
    pub async fn migrate(url: &PostgresUrl) -> Result<(), OpenError> {
        Self::prepare(url, false).await
    }

    /// Brings the schema up to date, and distributes the tables over the machines of a Citus
    /// cluster. What is distributed already stays so.
    pub async fn migrate_and_distribute(url: &PostgresUrl) -> Result<(), OpenError> {
        Self::prepare(url, true).await
    }

    async fn prepare(url: &PostgresUrl, distributed: bool) -> Result<(), OpenError> {
        let hosts = url.hosts()?;
        let connected = timeout(MIGRATE_CONNECT, hosts.connect()).await;
        let silent = |_elapsed| OpenError::Unreachable("no server answers".to_owned());
        let (mut client, running) = connected.map_err(silent)??;
        super::open::check_server(&client).await?;
        let mut migrated = schema::migrate(&mut client).await;
        if migrated.is_ok() && distributed {
            migrated = distribute::tables(&client).await;
        }
        drop(client);
        // Ends by itself, for its client is gone.
        drop(running.await);
        migrated
    }

    /// Opens the database for a server: checks server, settings and schema.
    pub async fn open(url: &PostgresUrl) -> Result<Self, OpenError> {
        Self::open_with(url, DecidingClock::Database).await
    }

    /// Opens the database like [`PostgresStore::open`], but decides by `clock`. For tests.
    pub async fn open_with_clock(
        url: &PostgresUrl,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        Self::open_with(url, DecidingClock::Given(clock)).await
    }

    /// Opens the database for looking only. The schema is not checked here:
    /// [`AuditSource::structure`] tells what is wrong with it. Half a store, which a move has not
    /// filled, is refused.
    pub async fn open_read_only(url: &PostgresUrl) -> Result<Self, OpenError> {
        let store = Self::look(url).await?;
        let connection = store.shared.connections.connection().await;
        let connection = connection.map_err(OpenError::unreachable)?;
        schema::refuse_half(&connection).await?;
        drop(connection);
        Ok(store)
    }

    /// Opens the database like [`PostgresStore::open_read_only`], half a store as well.
    pub(crate) async fn look(url: &PostgresUrl) -> Result<Self, OpenError> {
        let mut connections = Connections::new(url.hosts()?)?;
        connections.learn().await?;
        Ok(Self::over(connections, DecidingClock::Database, 0, None))
    }

    async fn open_with(url: &PostgresUrl, clock: DecidingClock) -> Result<Self, OpenError> {
        let mut connections = Connections::new(url.hosts()?)?;
        connections.learn().await?;
        let client = connections.connection().await.map_err(OpenError::unreachable)?;
        schema::check(&client).await?;
        super::moving::be_at_work(&client).await?;
        // A move that ended while the lock was waited for left its mark.
        schema::refuse_moved(&client).await?;
        let holder = client.query_one(HOLDER, &[]).await?.try_get(0)?;
        // Out of the pool, which closes connections now and then, and their locks with them.
        let at_work = Some(Object::take(client));
        Ok(Self::over(connections, clock, holder, at_work))
    }

    fn over(
        connections: Connections,
        clock: DecidingClock,
        holder: i64,
        at_work: Option<Client>,
    ) -> Self {
        let (settings, lanes) = (SettingsCache::default(), Lanes::default());
        let shared = Shared { connections, settings, lanes, clock, holder, _at_work: at_work };
        Self { shared: Arc::new(shared) }
    }

    async fn snapshot(&self) -> Result<Transaction, StoreError> {
        self.begin(Mode::Snapshot).await
    }

    async fn begin(&self, mode: Mode) -> Result<Transaction, StoreError> {
        self.shared.connections.begin(mode).await.map_err(Failure::into_store)
    }
}

#[async_trait]
impl Transact for PostgresStore {
    async fn transact(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        let mut work = work;
        let result = transact::run(&self.shared, &needs, work.as_mut()).await;
        (work, result)
    }

    fn lanes(&self) -> usize {
        LANES
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn now(&self) -> Result<Timestamp, StoreError> {
        let client = self.shared.connections.connection().await.map_err(Failure::into_store)?;
        self.shared.clock.read(&client).await.map_err(Failure::into_store)
    }

    async fn check(&self) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let server = pool::check(&transaction).await;
        transaction.read(server).await
    }

    async fn create_merchant(
        &self,
        new: NewMerchant,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = admin::create_merchant(&transaction, &new, &record).await;
        transaction.change(changed).await
    }

    async fn merchant(&self, id: MerchantId) -> Result<Option<MerchantRecord>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = admin::merchant(&snapshot, &self.shared.settings, id).await;
        snapshot.read(found).await
    }

    async fn merchants(&self) -> Result<Vec<MerchantRecord>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = admin::merchants(&snapshot, &self.shared.settings).await;
        snapshot.read(found).await
    }

    async fn update_settings(
        &self,
        id: MerchantId,
        expected: u64,
        settings: Settings,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = admin::update_settings(&transaction, id, expected, &settings, &record).await;
        transaction.change(changed).await
    }

    async fn set_key(
        &self,
        id: MerchantId,
        sealed: Vec<u8>,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = admin::set_key(&transaction, id, &sealed, &record).await;
        transaction.change(changed).await
    }

    async fn add_certificate(
        &self,
        new: NewCertificate,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = admin::add_certificate(&transaction, &new, &record).await;
        transaction.change(changed).await
    }

    async fn certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
    ) -> Result<Option<Certificate>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = admin::certificate(&snapshot, merchant, serial).await;
        snapshot.read(found).await
    }

    async fn certificates(&self, merchant: MerchantId) -> Result<Vec<Certificate>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = admin::certificates(&snapshot, merchant).await;
        snapshot.read(found).await
    }

    async fn revoke_certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
        at: Timestamp,
        record: ChangeRecord,
    ) -> Result<bool, StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = admin::revoke_certificate(&transaction, merchant, serial, at, &record).await;
        transaction.change(changed).await
    }

    async fn authorization(
        &self,
        provider: MerchantId,
        sub_merchant: MerchantId,
    ) -> Result<Option<Authorization>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = admin::authorization(&snapshot, provider, sub_merchant).await;
        snapshot.read(found).await
    }

    async fn set_authorization(
        &self,
        before: Option<Authorization>,
        after: Authorization,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = admin::set_authorization(&transaction, before, after, &record).await;
        transaction.change(changed).await
    }

    async fn register_user(&self, new: NewUser, at: Timestamp) -> Result<UserRecord, StoreError> {
        let mut attempt = 1;
        loop {
            let transaction = self.begin(Mode::Change).await?;
            let registered = users::register(&transaction, &new, at).await;
            match transaction.change(registered).await {
                Err(StoreError::Conflict { .. }) if attempt < REGISTER_ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }

    async fn register_users(
        &self,
        new: Vec<NewUser>,
        at: Timestamp,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let registered = register::all(&transaction, &new, at).await;
        match transaction.change(registered).await {
            Err(StoreError::Conflict { .. }) => {}
            done => return done,
        }
        let mut registered = Vec::with_capacity(new.len());
        for new in new {
            registered.push(self.register_user(new, at).await?);
        }
        Ok(registered)
    }

    async fn users(
        &self,
        people: BTreeSet<Person>,
    ) -> Result<BTreeMap<Person, UserRecord>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = bulk::users(&snapshot, &people).await;
        snapshot.read(found).await
    }

    async fn set_wallet_frozen(
        &self,
        user: UserId,
        frozen: bool,
        record: ChangeRecord,
    ) -> Result<bool, StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = users::set_frozen(&transaction, user, frozen, &record).await;
        transaction.change(changed).await
    }

    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = users::wallet(&snapshot, user).await;
        snapshot.read(found).await
    }

    async fn wallet_entries(
        &self,
        user: UserId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<WalletEntry>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = users::entries(&snapshot, user, before, limit).await;
        snapshot.read(found).await
    }

    async fn messages(
        &self,
        user: UserId,
        before: Option<(Timestamp, PacketKey)>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = users::messages(&snapshot, user, before, limit).await;
        snapshot.read(found).await
    }

    async fn put_messages(&self, messages: &[Message]) -> Result<(), StoreError> {
        if messages.is_empty() {
            return Ok(());
        }
        let transaction = self.begin(Mode::Change).await?;
        let changed = bulk::put_messages(&transaction, messages).await;
        transaction.change(changed).await
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderRecord>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = packets::order(&snapshot, &self.shared.settings, key).await;
        snapshot.read(found).await
    }

    async fn order_of_packet(&self, key: PacketKey) -> Result<Option<OrderRecord>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = packets::order_of_packet(&snapshot, &self.shared.settings, key).await;
        snapshot.read(found).await
    }

    async fn packets(&self, keys: &[PacketKey]) -> Result<Vec<Packet>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = bulk::packets(&snapshot, keys).await;
        snapshot.read(found).await
    }

    async fn lease(&self, job: &'static str) -> Result<bool, StoreError> {
        let taken = leases::take(&self.shared.connections, job, self.shared.holder).await;
        taken.map_err(Failure::into_store)
    }

    async fn give_up_lease(&self, job: &'static str) -> Result<(), StoreError> {
        let given_up = leases::give_up(&self.shared.connections, job, self.shared.holder).await;
        given_up.map_err(Failure::into_store)
    }

    async fn due_packets(&self, now: Timestamp, limit: u32) -> Result<DueScan, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = jobs::due_packets(&snapshot, now, limit).await;
        snapshot.read(found).await
    }

    async fn expiring(
        &self,
        now: Timestamp,
        seconds: i64,
        look_at_max: u32,
    ) -> Result<u32, StoreError> {
        let snapshot = self.snapshot().await?;
        let counted = jobs::expiring(&snapshot, now, seconds, look_at_max).await;
        snapshot.read(counted).await
    }

    async fn settled_through(&self, times: &[(MerchantId, Timestamp)]) -> Result<(), StoreError> {
        if times.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot().await?;
        let moved = jobs::moved_cursors(&snapshot, times).await;
        let moved = snapshot.read(moved).await?;
        if moved.is_empty() {
            return Ok(());
        }
        let transaction = self.begin(Mode::Change).await?;
        let changed = jobs::settled_through(&transaction, &moved).await;
        transaction.change(changed).await
    }

    async fn unfollowed(
        &self,
        after: Option<MerchantId>,
        limit: u32,
    ) -> Result<Vec<JournalCursor>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = jobs::unfollowed(&snapshot, after, limit).await;
        snapshot.read(found).await
    }

    async fn journal_after(
        &self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = journal::after(&snapshot, owner, seq, limit).await;
        snapshot.read(found).await
    }

    async fn follow(
        &self,
        merchant: MerchantId,
        from: u64,
        to: u64,
        entries: &[WalletEntry],
    ) -> Result<(), StoreError> {
        let transaction = self.begin(Mode::Change).await?;
        let changed = bulk::follow(&transaction, merchant, from, to, entries).await;
        transaction.change(changed).await
    }

    async fn pending_payouts(
        &self,
        after: Option<&PendingPayout>,
        limit: u32,
    ) -> Result<Vec<PendingPayout>, StoreError> {
        let snapshot = self.snapshot().await?;
        let found = jobs::pending_payouts(&snapshot, after, limit).await;
        snapshot.read(found).await
    }

    async fn prepared(&self) -> Result<Prepared, StoreError> {
        prepared::count(&self.shared.connections).await.map_err(Failure::into_store)
    }

    async fn audit_source(&self) -> Result<Box<dyn AuditSource>, StoreError> {
        let snapshot = Snapshot::open(Arc::clone(&self.shared)).await;
        Ok(Box::new(snapshot.map_err(Failure::into_store)?))
    }
}
