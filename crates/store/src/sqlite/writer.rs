//! The one writer: a thread that owns the writing connection and takes jobs in turn.
//!
//! A job runs in one `BEGIN IMMEDIATE` transaction and is answered after its commit is on disk. A
//! large batch comes decided already, by the `preparer`.
//! Then, when the log has grown enough, it is copied into the database (see `checkpoint`). That is
//! not left to SQLite's autocheckpoint, because that one keeps a failed fsync to itself, and a
//! failed fsync must not be followed by a successful one that covers it up.
//!
//! After a commit whose outcome is not known, or a failed copy, the writer is [`Broken`].

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    thread,
};

use hongbao_app::ports::{Clock, StoreError, Turn, Work};
use hongbao_domain::facts::{Changes, Facts, Needs};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{
    broken::Broken,
    checkpoint::Checkpoints,
    commit,
    copier::Copier,
    files::Lock,
    load, open,
    open::OpenError,
    preparer::{Decided, Generation, Prepared, Preparer},
    work::Lent,
};
use crate::{
    error::{Failure, Outcome},
    settings::SettingsCache,
};

/// Jobs that wait. Batches come one by one from the executor; people's writes are rare.
const JOBS_MAX: usize = 64;

/// From how many rows on a batch is decided by the preparer: of some 4,000 claims. That one finds its
/// pages in the system's cache, the writer in its own, which costs less: a smaller batch, whose claims
/// share few pages, loses more by it than it gains by not waiting.
const PREPARED_ROWS_MIN: usize = 16_384;
/// Rows that a command needs: four or five.
const ROWS_OF_A_COMMAND: usize = 4;

pub(super) type Job = Box<dyn FnOnce(&mut Writing) + Send>;

/// The thread's side.
pub(super) struct Writing {
    /// First, so that the writing connection is closed last and folds the log in.
    copier: Copier,
    connection: Connection,
    checkpoints: Checkpoints,
    clock: Arc<dyn Clock>,
    settings: Arc<SettingsCache>,
    broken: Broken,
    generation: Generation,
    /// Last, so that it is given back after the connection is closed.
    _lock: Lock,
}

/// The callers' side.
pub(super) struct Writer {
    preparer: Option<Preparer>,
    prepared_rows_min: usize,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
    broken: Broken,
}

impl Writer {
    /// Opens the writing connection and starts its thread.
    pub(super) fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        settings: Arc<SettingsCache>,
        lock: Lock,
    ) -> Result<Self, OpenError> {
        let broken = Broken::default();
        let generation = Generation::default();
        let connection = open::writer(path)?;
        let page_bytes = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let writing = Writing {
            connection,
            copier: Copier::start(path, broken.clone())?,
            checkpoints: Checkpoints::of_pages(page_bytes),
            clock: Arc::clone(&clock),
            settings: Arc::clone(&settings),
            broken: broken.clone(),
            generation: generation.clone(),
            _lock: lock,
        };
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let told = jobs.clone();
        let preparer = Preparer::start(path, clock, settings, told, generation)?;
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || serve(writing, queue))
            .map_err(|error| OpenError::io(path, error))?;
        Ok(Self {
            preparer: Some(preparer),
            prepared_rows_min: PREPARED_ROWS_MIN,
            jobs: Some(jobs),
            thread: Some(thread),
            broken,
        })
    }

    /// Has batches of so many rows decided by the preparer.
    pub(super) const fn prepare_from(&mut self, rows: usize) {
        self.prepared_rows_min = rows;
    }

    /// Runs `change` in one transaction and commits it durably.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(|writing| {
            let written = writing.write(change);
            writing.generation.moves();
            written
        })
        .await
    }

    /// The same for a `change` of rows that no batch ever loads: never of a merchant, its book or
    /// settings, an authorization, a person, a wallet, an order, a packet, a claim, a day, a used
    /// reference or a payout. A batch decided ahead would not notice.
    pub(super) async fn write_beside<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(|writing| writing.write(change)).await
    }

    /// Fails when the writer has ended, is broken or cannot begin a transaction. A disk that
    /// would refuse the commit is not found out, because nothing is written.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.run(|writing| {
            let tx = writing.begin().map_err(Failure::into_store)?;
            tx.rollback().map_err(|error| Failure::from(error).into_store())
        })
        .await
    }

    /// Load, decide, commit. The work comes back whatever happens.
    pub(super) async fn transact(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        let work = Lent::new(work);
        let lent = work.clone();
        let result = self.run(move |writing| writing.transact(&needs, &lent)).await;
        (work.back(), result)
    }

    /// The same, a large batch being decided while the one before is written.
    pub(super) async fn transact_in_turn(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
        turn: Turn,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        match &self.preparer {
            Some(preparer) if needs.rows() >= self.prepared_rows_min => {
                let work = Lent::new(work);
                let least_beside = self.prepared_rows_min / ROWS_OF_A_COMMAND;
                let result = preparer.transact(needs, work.clone(), turn, least_beside).await;
                (work.back(), result)
            }
            _ => {
                let transacted = self.transact(needs, work).await;
                drop(turn);
                transacted
            }
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writing) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Some(why) = self.broken.why() {
            return Err(unavailable(why));
        }
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |writing| {
            let result = match writing.broken.why() {
                Some(why) => Err(unavailable(why)),
                None => job(writing),
            };
            // Nobody waits any more when the caller was dropped; the commit stands.
            drop(answer.send(result));
        });
        let jobs = self.jobs.as_ref();
        let jobs = jobs.ok_or_else(|| unavailable("it is being closed"))?;
        jobs.send(job).await.map_err(|_closed| unavailable("its writer has ended"))?;
        answered
            .await
            .map_err(|_lost| StoreError::Unknown("the writer gave no answer".to_owned()))?
    }
}

impl Drop for Writer {
    /// Waits until the connection is closed and the lock given back.
    fn drop(&mut self) {
        // It gives the writer jobs, too.
        self.preparer = None;
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the SQLite writer ended in a panic");
        }
    }
}

fn serve(mut writing: Writing, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.blocking_recv() {
        // A panic in a job is a defect of that job. Its transaction was rolled back while the
        // stack unwound; the caller learns that it has no answer.
        if catch_unwind(AssertUnwindSafe(|| job(&mut writing))).is_err() {
            tracing::error!("a job of the SQLite writer panicked");
            writing.generation.moves();
        }
        if catch_unwind(AssertUnwindSafe(|| writing.checkpoint())).is_err() {
            // The thread goes on, to answer what waits for it: that the store is broken.
            writing.broken.break_off("a checkpoint panicked");
        }
    }
}

impl Writing {
    fn begin(&mut self) -> Outcome<Transaction<'_>> {
        let behavior = TransactionBehavior::Immediate;
        Ok(self.connection.transaction_with_behavior(behavior)?)
    }

    fn write<T>(
        &mut self,
        change: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        let broken = self.broken.clone();
        let tx = self.begin().map_err(Failure::into_store)?;
        let value = change(&tx).map_err(Failure::into_store)?;
        commit(tx, &broken)?;
        Ok(value)
    }

    /// Load, decide, commit.
    fn transact(&mut self, needs: &Needs, work: &Lent) -> Result<(), StoreError> {
        let transacted = self.decide_and_write(needs, work);
        self.generation.moves();
        transacted
    }

    fn decide_and_write(&mut self, needs: &Needs, work: &Lent) -> Result<(), StoreError> {
        let (broken, clock) = (self.broken.clone(), Arc::clone(&self.clock));
        let settings = Arc::clone(&self.settings);
        let tx = self.begin().map_err(Failure::into_store)?;
        // The clock is read once the write lock is held (DEF8).
        let facts = load::facts(&tx, &settings, needs, clock.now()).map_err(Failure::into_store)?;
        let (facts, changes) = work.decide(facts)?;
        write(tx, &facts, &changes, &broken)
    }

    /// Writes what a batch decided ahead, after telling with `taken` that it will; if it did not
    /// or that does not stand any more, has it decided again.
    pub(super) fn transact_prepared(
        &mut self,
        prepared: Option<&Prepared>,
        needs: &Needs,
        work: &Lent,
        taken: impl FnOnce(),
    ) -> Result<(), StoreError> {
        if let Some(why) = self.broken.why() {
            return Err(unavailable(why));
        }
        let standing = prepared.and_then(|prepared| prepared.standing(&self.generation));
        let Some(decided) = standing else {
            return self.transact(needs, work);
        };
        taken();
        let written = self.write_decided(decided);
        if written.is_err() {
            // What was decided on top of it does not stand.
            self.generation.moves();
        }
        written
    }

    fn write_decided(&mut self, decided: &Decided) -> Result<(), StoreError> {
        let broken = self.broken.clone();
        let tx = self.begin().map_err(Failure::into_store)?;
        write(tx, &decided.facts, &decided.changes, &broken)
    }

    /// Has the log copied into the database once it is long enough.
    fn checkpoint(&mut self) {
        if self.broken.why().is_some() {
            return;
        }
        if let Err(error) = self.checkpoints.run(&self.connection, &self.copier) {
            self.broken.break_off(&format!("a checkpoint failed: {error}"));
        }
    }
}

fn write(
    tx: Transaction<'_>,
    facts: &Facts,
    changes: &Changes,
    broken: &Broken,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    commit::changes(&tx, facts, changes).map_err(Failure::into_store)?;
    commit(tx, broken)
}

fn commit(tx: Transaction<'_>, broken: &Broken) -> Result<(), StoreError> {
    let Err(error) = tx.commit() else {
        return Ok(());
    };
    if surely_not_committed(&error) {
        return Err(StoreError::Unavailable(error.to_string()));
    }
    broken.break_off(&format!("a commit failed: {error}"));
    Err(StoreError::Unknown(error.to_string()))
}

/// True when a commit that failed like this has surely not taken place: the disk was full before
/// the commit record was complete, or the lock was not to be had.
fn surely_not_committed(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ReadOnly)
    )
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}
