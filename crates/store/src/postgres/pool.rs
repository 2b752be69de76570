//! Connections, each checked when it is made, and transactions that never leak.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use deadpool_postgres::{
    ClientWrapper, Connect, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError,
    RecyclingMethod, Runtime,
};
use futures_util::join;
use hongbao_app::ports::StoreError;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Config};

use super::{
    distribute,
    open::{self, Hosts, OpenError},
    tls::Connector,
};
use crate::error::{Failure, Outcome};

/// A connection in use.
pub(super) type Client = ClientWrapper;

/// Connections of one process: a few lanes, the rest for queries.
const CONNECTIONS_MAX: usize = 24;
/// Whoever gets no connection in this time is refused, and nothing happened (C-12).
const WAIT: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(5);

/// How a transaction begins. The isolation level is named, whatever the database's default is:
/// batches rest on locks and conditions, snapshots on one point in time.
///
/// | mode | settings |
/// | --- | --- |
/// | batch | plans that go through the primary key, also before there are statistics, and kept |
/// | large batch | the same, planned for the tables as they are now |
/// | change | as the session is |
/// | snapshot | everything read as it was at one moment |
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    /// A batch of commands.
    Batch,
    /// A batch of so many commands that planning anew is cheap, and a kept plan could be dear: one
    /// that was made when a table was empty goes through the whole table for each key.
    LargeBatch,
    /// A change that one person makes.
    Change,
    /// Reading.
    Snapshot,
}

/// How a batch begins with such a `plan_cache_mode`.
macro_rules! begin_batch {
    ($plans:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
             SET LOCAL plan_cache_mode = ",
            $plans,
            ";
             SET LOCAL enable_hashjoin = off;
             SET LOCAL enable_mergejoin = off;
             SET LOCAL enable_seqscan = off;
             SET LOCAL random_page_cost = 0.1;
             SET LOCAL jit = off"
        )
    };
}

impl Mode {
    /// On a distributed database a batch is planned for the keys that it is given, which say on
    /// which shards the rows lie; and writers hold what [`super::distribute::fix_view`] waits for.
    const fn begin(self, distributed: bool) -> &'static str {
        match self {
            Self::Batch | Self::LargeBatch | Self::Change if distributed => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
                 SET LOCAL citus.propagate_set_commands = 'local';
                 SELECT pg_advisory_xact_lock_shared(
                     471612, current_schema()::regnamespace::oid::integer)"
            }
            Self::Batch => begin_batch!("force_generic_plan"),
            Self::LargeBatch => begin_batch!("force_custom_plan"),
            Self::Change => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// What a session says at its start holds on the coordinator only. This is passed on to the workers,
/// and by itself, for Citus passes on the whole text that it stands in.
const ON_WORKERS: &str = "SET LOCAL lock_timeout = '10s'";

/// The pool of one store.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pool: Pool,
    distributed: bool,
}

impl Connections {
    /// A pool that connects when it is asked.
    pub(super) fn new(hosts: Hosts) -> Result<Self, OpenError> {
        let recycling_method = RecyclingMethod::Fast;
        let (newest, known) = (hosts.newest(), hosts.newest());
        let manager = Manager::from_connect(
            Config::new(),
            ToHosts(hosts),
            ManagerConfig { recycling_method },
        );
        let checked = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let newest = Arc::clone(&newest);
            Box::pin(async move {
                let checked = open::check_server(client).await;
                let admitted = checked.and_then(|timeline| newest.admit(timeline));
                admitted.map_err(|error| HookError::message(error.to_string()))
            })
        });
        let current = Hook::sync_fn(move |_, metrics| {
            let outdated = HookError::message("another server took over since");
            if known.outdates(metrics.created) { Err(outdated) } else { Ok(()) }
        });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS_MAX)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .runtime(Runtime::Tokio1)
            .post_create(checked)
            .pre_recycle(current)
            .build()
            .map_err(|error| OpenError::Unreachable(error.to_string()))?;
        Ok(Self { pool, distributed: false })
    }

    /// Finds out whether the database is distributed: then some statements have another form.
    pub(super) async fn learn(&mut self) -> Result<(), OpenError> {
        let client = self.connection().await.map_err(OpenError::unreachable)?;
        self.distributed = distribute::is_distributed(&client).await?;
        Ok(())
    }

    /// Whether the database is distributed.
    pub(super) const fn distributed(&self) -> bool {
        self.distributed
    }

    /// A connection outside of any transaction.
    pub(super) async fn connection(&self) -> Outcome<Object> {
        self.pool.get().await.map_err(|error| match error {
            // With the server's own sentence, and its code: one that is starting is asked again.
            PoolError::Backend(error) => error.into(),
            other => Failure::unavailable(other.to_string()),
        })
    }

    /// Closes the connections that nobody uses: after one of them broke or fell silent, the others
    /// lead to the same server, and new ones may lead to another.
    pub(super) fn forget(&self) {
        drop(self.pool.retain(|_, _| false));
    }

    /// A connection for a transaction that its user begins together with the first statements.
    pub(super) async fn lend(&self) -> Outcome<Transaction> {
        Ok(Transaction { client: Some(self.connection().await?), distributed: self.distributed })
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self, mode: Mode) -> Outcome<Transaction> {
        let transaction = self.lend().await?;
        transaction.begin(mode).await?;
        Ok(transaction)
    }
}

/// One transaction on a connection of its own. When it is dropped before it ended, because its
/// user failed or was given up, the connection is closed and the server rolls back: no connection
/// goes back into the pool inside a transaction (C-8).
pub(super) struct Transaction {
    client: Option<Object>,
    distributed: bool,
}

impl Transaction {
    /// The connection.
    pub(super) fn client(&self) -> Outcome<&Client> {
        let ended = || Failure::unavailable("the transaction has ended");
        self.client.as_deref().ok_or_else(ended)
    }

    /// Whether the database is distributed.
    pub(super) const fn distributed(&self) -> bool {
        self.distributed
    }

    /// Begins. Statements may be sent before the answer is there.
    pub(super) async fn begin(&self, mode: Mode) -> Outcome<()> {
        let client = self.client()?;
        let begun = client.batch_execute(mode.begin(self.distributed));
        if !self.distributed || matches!(mode, Mode::Snapshot) {
            return Ok(begun.await?);
        }
        // Sent together, so that whatever is sent meanwhile comes behind both.
        let (begun, set) = join!(begun, client.batch_execute(ON_WORKERS));
        begun?;
        Ok(set?)
    }

    /// Commits. After an error the outcome may be unknown: see [`surely_rolled_back`].
    pub(super) async fn commit(mut self) -> Outcome<()> {
        self.client()?.batch_execute("COMMIT").await?;
        drop(self.client.take());
        Ok(())
    }

    /// Gives up what was done, and the connection back.
    pub(super) async fn roll_back(mut self) -> Outcome<()> {
        self.client()?.batch_execute("ROLLBACK").await?;
        drop(self.client.take());
        Ok(())
    }

    /// Ends a snapshot with what was read.
    pub(super) async fn read<T>(self, outcome: Outcome<T>) -> Result<T, StoreError> {
        let ended = self.roll_back().await;
        let value = outcome.map_err(Failure::into_store)?;
        ended.map_err(Failure::into_store)?;
        Ok(value)
    }

    /// Commits a person's change, or gives it up.
    pub(super) async fn change<T>(self, outcome: Outcome<T>) -> Result<T, StoreError> {
        match outcome {
            Ok(value) => match self.commit().await {
                Ok(()) => Ok(value),
                Err(failure) if surely_rolled_back(&failure) => Err(failure.into_store()),
                Err(failure) => Err(StoreError::Unknown(failure.into_store().to_string())),
            },
            Err(failure) => {
                // The failure stands, whatever becomes of the connection.
                drop(self.roll_back().await);
                Err(failure.into_store())
            }
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

/// Whether the server may be written, now.
pub(super) async fn check(transaction: &Transaction) -> Outcome<()> {
    let checked = open::check_server(transaction.client()?).await;
    checked.map(|_timeline| ()).map_err(|error| Failure::unavailable(error.to_string()))
}

/// True when a commit that failed like this has surely not taken place: the server said so, and
/// for a reason that comes before the commit. Everything else, a broken connection above all,
/// leaves it open.
pub(super) fn surely_rolled_back(failure: &Failure) -> bool {
    let Failure::Postgres(error) = failure else { return false };
    // Class 23 integrity, class 40 rollback.
    error.code().is_some_and(|state| ["23", "40"].contains(&state.code().get(..2).unwrap_or("")))
}

/// Connects to the first host that serves.
struct ToHosts(Hosts);

type Connecting<'c> = Pin<
    Box<
        dyn Future<Output = Result<(tokio_postgres::Client, JoinHandle<()>), tokio_postgres::Error>>
            + Send
            + 'c,
    >,
>;

impl Connect for ToHosts {
    fn connect(&self, _config: &Config) -> Connecting<'_> {
        Box::pin(self.0.connect())
    }
}

/// The function of PostgreSQL that waits for a synchronous standby. It is named in what it says,
/// in every language.
const STANDBY_WAIT: &str = "SyncRepWaitForLSN";

/// Connects, with TLS as the connector and the configuration have it, and runs the connection until
/// it ends. Every connection to a server is made here.
///
/// A server whose wait for its synchronous standby is cancelled answers the commit as if it was
/// safe, with a warning before: a failover would lose it. The connection is then ended here, before
/// that answer, so that the commit counts as not answered and is read back (C-5).
pub(super) async fn connect(
    config: &Config,
    connector: &Connector,
) -> Result<(tokio_postgres::Client, JoinHandle<()>), tokio_postgres::Error> {
    let (client, mut connection) = config.connect(connector.0.clone()).await?;
    let running = tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notice(notice)) if notice.routine() == Some(STANDBY_WAIT) => {
                    tracing::warn!(%notice, "a commit may stand on one server only");
                    return;
                }
                Ok(AsyncMessage::Notice(notice)) => tracing::info!(%notice, "PostgreSQL says"),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection to PostgreSQL ended badly");
                    return;
                }
            }
        }
    });
    Ok((client, running))
}
