//! The thread that loads and decides a batch while the writer writes the one before it.
//!
//! It reads a snapshot of its own and lays over it what the batch before changed. That is what the
//! writer will find, as long as nothing but that batch is written in between and it does not fail:
//! the [`Generation`] tells. If it has moved, the writer loads and lets decide again, as it does
//! with small batches, and what was prepared is thrown away. So it does with a batch that could not
//! be prepared, whatever the reason: the writer finds it, or finds none.
//!
//! One batch is ahead at most. The next is begun when the writer has taken this one, so that only
//! one batch is ever laid over, and whether it is to be laid over is known.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use hongbao_app::ports::{Clock, StoreError, Turn};
use hongbao_domain::facts::{Changes, Facts, Needs};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{
    load, open,
    open::OpenError,
    work::Lent,
    writer::{Job, Writing},
};
use crate::{
    error::{Failure, Outcome},
    settings::SettingsCache,
};

/// How often something else was written than what the preparer knows: other people's writes, small
/// batches, batches that were decided again or failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Generation(Arc<AtomicU64>);

impl Generation {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Only the writer moves it, and after a commit: who reads it first and then begins a snapshot
    /// either sees what was committed or is behind the generation when the writer looks.
    pub(super) fn moves(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// What a batch decided.
pub(super) struct Decided {
    pub(super) facts: Facts,
    pub(super) changes: Changes,
}

/// A batch decided ahead.
pub(super) struct Prepared {
    decided: Arc<Decided>,
    generation: u64,
}

impl Prepared {
    /// What it decided, if that still stands.
    pub(super) fn standing(&self, generation: &Generation) -> Option<&Decided> {
        (self.generation == generation.now()).then_some(&self.decided)
    }
}

/// The callers' side.
pub(super) struct Preparer {
    batches: Option<mpsc::Sender<Batch>>,
    thread: Option<thread::JoinHandle<()>>,
}

struct Batch {
    needs: Needs,
    work: Lent,
    turn: Turn,
    least_beside: usize,
    answer: oneshot::Sender<Written>,
}

/// What became of a batch. Who waits for it also gets all that is of no use any more: to give back
/// the memory of thousands of rows takes longer than the writer has.
struct Written {
    result: Result<(), StoreError>,
    _needs: Needs,
    _prepared: Option<Prepared>,
}

/// The thread's side.
struct Preparing {
    connection: Connection,
    clock: Arc<dyn Clock>,
    settings: Arc<SettingsCache>,
    writer: mpsc::Sender<Job>,
    generation: Generation,
    /// The batch before and its generation; gone soon after it is written.
    before: (Weak<Decided>, u64),
}

impl Preparer {
    /// Opens a connection of its own and starts the thread.
    pub(super) fn start(
        path: &Path,
        clock: Arc<dyn Clock>,
        settings: Arc<SettingsCache>,
        writer: mpsc::Sender<Job>,
        generation: Generation,
    ) -> Result<Self, OpenError> {
        let connection = open::reader(path)?;
        let before = (Weak::new(), generation.now());
        let mut preparing = Preparing { connection, clock, settings, writer, generation, before };
        let (batches, mut queue) = mpsc::channel(1);
        let thread = thread::Builder::new()
            .name("sqlite-preparer".to_owned())
            .spawn(move || {
                while let Some(batch) = queue.blocking_recv() {
                    preparing.take(batch);
                }
            })
            .map_err(|error| OpenError::io(path, error))?;
        Ok(Self { batches: Some(batches), thread: Some(thread) })
    }

    /// Has a batch decided and then written; `turn` is over once the writer has taken it, for the
    /// next of `least_beside` commands at least.
    pub(super) async fn transact(
        &self,
        needs: Needs,
        work: Lent,
        turn: Turn,
        least_beside: usize,
    ) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        let ended = || StoreError::Unavailable("its preparer has ended".to_owned());
        let batches = self.batches.as_ref().ok_or_else(ended)?;
        let batch = Batch { needs, work, turn, least_beside, answer };
        batches.send(batch).await.map_err(|_closed| ended())?;
        let written = answered.await;
        written.map_err(|_lost| StoreError::Unknown("the writer gave no answer".to_owned()))?.result
    }
}

impl Drop for Preparer {
    /// Waits for a batch under way.
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the preparer of SQLite batches ended in a panic");
        }
    }
}

impl Preparing {
    fn take(&mut self, batch: Batch) {
        let Batch { needs, work, turn, least_beside, answer } = batch;
        let prepared = match catch_unwind(AssertUnwindSafe(|| self.prepare(&needs, &work))) {
            Ok(Ok(prepared)) => {
                self.before = (Arc::downgrade(&prepared.decided), prepared.generation);
                Some(prepared)
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "a batch could not be decided ahead");
                None
            }
            Err(_panic) => {
                tracing::error!("deciding a batch ahead panicked");
                None
            }
        };
        let (waiting, is_taken) = oneshot::channel::<Infallible>();
        let job: Job = Box::new(move |writing: &mut Writing| {
            let taken = move || {
                turn.beside(least_beside);
                drop(waiting);
            };
            let result = writing.transact_prepared(prepared.as_ref(), &needs, &work, taken);
            drop(answer.send(Written { result, _needs: needs, _prepared: prepared }));
        });
        // If the writer has ended, the job is dropped, and with it the way to the caller.
        if self.writer.blocking_send(job).is_ok() {
            drop(is_taken.blocking_recv());
        }
    }

    fn prepare(&mut self, needs: &Needs, work: &Lent) -> Result<Prepared, StoreError> {
        let generation = self.generation.now();
        let facts = self.facts(needs, generation).map_err(Failure::into_store)?;
        let (facts, changes) = work.decide(facts)?;
        Ok(Prepared { decided: Arc::new(Decided { facts, changes }), generation })
    }

    /// Facts as they are once the batch before is written.
    fn facts(&mut self, needs: &Needs, generation: u64) -> Outcome<Facts> {
        // Asked before the snapshot is begun: if it is gone, the snapshot has it. If it is there and the
        // snapshot has it, too, laying it over changes nothing.
        let before = match &self.before {
            (before, known) if *known == generation => before.upgrade(),
            _ => None,
        };
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        // Batches are decided in turn, so this time is after that of the batch before (DEF8).
        let mut facts = load::facts(&tx, &self.settings, needs, self.clock.now())?;
        if let Some(before) = before {
            facts.follow(needs, &before.facts, &before.changes);
        }
        Ok(facts)
    }
}
