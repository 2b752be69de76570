//! Load, decide, commit — in batches.
//!
//! Commands wait in bounded queues, one for each lane: a store that takes one batch at a time has
//! one lane, a store that gains from more has more, and all commands of one journal go down the
//! same one. A lane takes what is there, up to [`BATCH_MAX`] and fairly between journals (see
//! `queue`), and gives it to the store: one load under locks, every command deciding
//! in turn with the effects of those before it in view, one durable commit. Only then does anybody
//! get an answer. While a batch commits, the next one gathers, or decides already if the store can
//! do that beside it ([`Transact::transact_in_turn`]); there is no timer. A batch that is full before
//! its turn is made ready meanwhile: what its commands need is put together.
//!
//! | what | rule |
//! | --- | --- |
//! | lifetime | a command belongs to the lane: a caller that goes away changes nothing |
//! | full queue | [`Failure::Busy`] at once: nothing happened, call again with the same number |
//! | refusal | an answer of its own, never a failure of the batch |
//! | lost commit | [`Failure::Unknown`]: call again with the same number and get what is true |
//! | broken books, damaged row | [`Gate::halt`]: every command is answered [`Failure::Halted`], but of a batch that has decided already |
//! | panic in a decision | [`Failure::Defect`] for that command, nothing for the others |
//! | panic in the store | [`Failure::Unknown`] for the batch; the lane is closed, [`Failure::Unavailable`] for all after it |

mod gate;
mod queue;
mod queued;

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hongbao_domain::{
    Command, Refusal,
    facts::{Batch, Changes, Facts, Needs},
    ledger::Owner,
};
use tokio::{sync::oneshot, task::JoinSet, time::Instant};
use tracing::{Instrument as _, Span};

use self::{
    queue::{LaneQueue, Lot, NoPlace},
    queued::{Queued, Waiting},
};
use crate::{
    metrics::{CommandMetrics, LaneMetrics},
    ports::{StoreError, Transact, Turn, Work},
    spans,
};

pub use self::{gate::Gate, queue::Pace};

/// Most commands of one batch, on a lane that is fast enough for it (see [`Pace`]). The more claims,
/// the more often two of them lie on one page: over a million packets a claim of a full batch writes a
/// third of a page, in a small batch three.
pub const BATCH_MAX: usize = 16_384;

/// Why a command has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A business no. Nothing moved.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// There is no place in the queue, or none for this journal. Nothing happened: call again with
    /// the same number.
    #[error("too many commands are waiting")]
    Busy,
    /// Whether it took effect is not known: call again with the same number.
    #[error("the outcome is unknown")]
    Unknown,
    /// The store could not take it. Nothing happened: call again with the same number.
    #[error("the store is not available")]
    Unavailable,
    /// The books do not add up and money operations are stopped.
    #[error("money operations are stopped")]
    Halted,
    /// What was decided cannot be booked: a defect, logged. Nothing happened.
    #[error("the command could not be booked")]
    Defect,
}

impl Failure {
    /// The names of all that are no refusals.
    pub const NAMES: [&str; 5] = ["busy", "unknown", "unavailable", "halted", "defect"];

    /// Its name in metrics and traces; a refusal has one of its own, see [`Refusal::name`].
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Unavailable => "unavailable",
            Self::Halted => "halted",
            Self::Defect => "defect",
        }
    }
}

/// Takes commands and answers when they are durable.
#[derive(Clone, Debug)]
pub struct Executor {
    lanes: Arc<Lanes>,
    gate: Gate,
    metrics: Arc<CommandMetrics>,
}

type Lane = LaneQueue<Box<dyn Queued>>;

/// The way into the lanes; they close when it goes away.
struct Lanes(Vec<Arc<Lane>>);

impl Lanes {
    fn of(&self, journal: Owner) -> Option<&Lane> {
        self.0.get(lane_of(journal, self.0.len())).map(AsRef::as_ref)
    }
}

/// The number of the lane, of `lanes`, down which all commands of `journal` go.
pub fn lane_of(journal: Owner, lanes: usize) -> usize {
    let number = match journal {
        Owner::Merchant(id) => id.get(),
        Owner::User(id) => id.get(),
    };
    let lanes = u64::try_from(lanes.max(1)).unwrap_or(1);
    usize::try_from(number % lanes).unwrap_or(0)
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lanes", self.0.len())
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.0.iter().for_each(|lane| lane.close());
    }
}

impl Executor {
    /// Starts the lanes over `store`. They end when the last handle is dropped and their queues
    /// are empty.
    pub fn start(store: &Arc<dyn Transact>, gate: Gate) -> Self {
        let metrics = Arc::<CommandMetrics>::default();
        let lanes = (0..store.lanes().max(1)).map(|number| {
            let queue = Arc::new(Lane::new());
            let lane = Arc::new(LaneParts {
                store: Arc::clone(store),
                gate: gate.clone(),
                queue: Arc::clone(&queue),
                metrics: Arc::clone(&metrics),
                bounds: metrics.lane(number),
            });
            tokio::spawn(run_lane(Taken { lane, early: None }));
            queue
        });
        Self { lanes: Arc::new(Lanes(lanes.collect())), gate, metrics }
    }

    /// Lets `command` decide and answers once its effects are durable.
    pub async fn submit<C: Command>(&self, command: C) -> Result<C::Outcome, Failure> {
        if self.gate.halted().is_some() {
            return self.not_queued::<C>(Failure::Halted);
        }
        let (answer, answered) = oneshot::channel();
        // Counted before: the lane may take it before this thread goes on.
        self.metrics.queued();
        let journal = command.journal();
        let command = Box::new(Waiting::new(command, answer, spans::command(C::NAME)));
        let lane = self.lanes.of(journal);
        let pushed = lane.map_or(Err(NoPlace::Closed), |lane| lane.push(journal, command));
        if let Err(no_place) = pushed {
            self.metrics.not_queued();
            return self.not_queued::<C>(match no_place {
                NoPlace::Full => Failure::Busy,
                NoPlace::Closed => Failure::Unavailable,
            });
        }
        answered.await.unwrap_or(Err(Failure::Unknown))
    }

    fn not_queued<C: Command>(&self, failure: Failure) -> Result<C::Outcome, Failure> {
        let answer = Err(failure);
        self.metrics.answered(C::NAME, &answer);
        answer
    }

    /// What it counts.
    pub const fn metrics(&self) -> &Arc<CommandMetrics> {
        &self.metrics
    }

    /// The switch that stops money operations.
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }
}

/// What a lane and its batches under way work with.
struct LaneParts {
    store: Arc<dyn Transact>,
    gate: Gate,
    queue: Arc<Lane>,
    metrics: Arc<CommandMetrics>,
    bounds: LaneMetrics,
}

/// A lane in the hands of its task. When that ends, however it does, nobody gets in any more, and
/// callers whose batch had no turn hear that nothing happened.
struct Taken {
    lane: Arc<LaneParts>,
    early: Option<Ready>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Self { lane, early } = self;
        let early = early.take().into_iter().flat_map(|ready| ready.commands);
        for command in early.chain(lane.queue.abandon()) {
            lane.metrics.not_queued();
            command.answer(Some(Failure::Unavailable), &lane.metrics);
        }
    }
}

/// A batch that waits for nothing but its turn.
struct Ready {
    commands: Vec<Box<dyn Queued>>,
    shared: bool,
    needs: Needs,
    span: Span,
}

impl Ready {
    fn new(Lot { commands, shared }: Lot<Box<dyn Queued>>) -> Self {
        let span = spans::batch(commands.len());
        let mut needs = Needs::default();
        for command in &commands {
            command.needs(&mut needs);
            command.joins(&span);
        }
        Self { commands, shared, needs, span }
    }
}

/// Brings the store one batch after another; a batch whose turn is over may still be under way.
async fn run_lane(mut taken: Taken) {
    let lane = Arc::clone(&taken.lane);
    lane.bounds.are(Pace::default());
    let mut under_way = JoinSet::new();
    let mut least_beside = 1;
    while let Some(batch) = next_batch(&mut taken, &mut under_way, least_beside).await {
        lane.metrics.taken(batch.commands.len());
        if lane.gate.halted().is_some() {
            for command in batch.commands {
                command.answer(Some(Failure::Halted), &lane.metrics);
            }
            continue;
        }
        let (turn, over) = Turn::begin();
        under_way.spawn(run_batch(Arc::clone(&lane), batch, turn));
        let mut over = pin!(over);
        least_beside = tokio::select! {
            biased;
            least = &mut over => least,
            lot = lane.queue.take_early() => {
                taken.early = Some(Ready::new(lot));
                over.await
            }
        };
    }
    while under_way.join_next().await.is_some() {}
}

/// The batch that was made ready before its turn, else the next one that the queue gives; `None` when
/// nobody brings any more, or when a batch under way panicked.
async fn next_batch(
    taken: &mut Taken,
    under_way: &mut JoinSet<()>,
    least_beside: usize,
) -> Option<Ready> {
    while let Some(ended) = under_way.try_join_next() {
        ended.ok()?;
    }
    let queue = &taken.lane.queue;
    if let Some(early) = taken.early.take() {
        queue.turn_came();
        return Some(early);
    }
    loop {
        let least = if under_way.is_empty() { 1 } else { least_beside };
        tokio::select! {
            biased;
            Some(ended) = under_way.join_next() => ended.ok()?,
            lot = queue.take(least) => return lot.map(Ready::new),
        }
    }
}

async fn run_batch(lane: Arc<LaneParts>, batch: Ready, turn: Turn) {
    let Ready { commands, shared, needs, span } = batch;
    let written = Arc::<AtomicUsize>::default();
    let work = Box::new(BatchWork {
        commands,
        span: span.clone(),
        metrics: Arc::clone(&lane.metrics),
        gate: lane.gate.clone(),
        halted: false,
        written: Arc::clone(&written),
    });
    let begun = Instant::now();
    let transact = lane.store.transact_in_turn(needs, work, turn);
    let (work, committed) = transact.instrument(span).await;
    let done = Instant::now();
    lane.metrics.transacted(done - begun);
    // Of a batch that failed only the time counts, which the next one did not take.
    let written = if committed.is_ok() { written.load(Ordering::Relaxed) } else { 0 };
    lane.bounds.are(lane.queue.paced(shared, written, begun, done));
    work.answer(committed.err().map(|error| failure_of(&error, &lane.gate)));
}

fn failure_of(error: &StoreError, gate: &Gate) -> Failure {
    tracing::error!(%error, "a batch was not committed");
    match error {
        StoreError::Unknown(_) => Failure::Unknown,
        StoreError::Unavailable(_) | StoreError::Conflict { .. } => Failure::Unavailable,
        // A damaged row would fail every batch it is in: stopping says so, going on would only look
        // like bad luck to all who share those batches.
        StoreError::Corrupt(what) => {
            gate.halt(format!("the store is damaged: {what}"));
            Failure::Halted
        }
    }
}

struct BatchWork {
    commands: Vec<Box<dyn Queued>>,
    span: Span,
    metrics: Arc<CommandMetrics>,
    gate: Gate,
    /// Whether money operations were stopped when it came to decide.
    halted: bool,
    /// How many commands had effects, once they have decided.
    written: Arc<AtomicUsize>,
}

impl Work for BatchWork {
    fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
        // A thread of the store decides, which knows nothing of this batch's span.
        let _deciding = spans::decide(&self.span).entered();
        self.halted = self.gate.halted().is_some();
        if self.halted {
            return (facts, Changes::default());
        }
        let mut batch = Batch::new(facts);
        for command in &mut self.commands {
            command.decide(&mut batch);
        }
        let accepted = self.commands.iter().filter(|command| command.is_accepted()).count();
        let (facts, changes) = batch.finish();
        self.written.store(if changes.is_empty() { 0 } else { accepted }, Ordering::Relaxed);
        (facts, changes)
    }

    fn answer(self: Box<Self>, failure: Option<Failure>) {
        let failure = failure.or(self.halted.then_some(Failure::Halted));
        for command in self.commands {
            command.answer(failure.clone(), &self.metrics);
        }
    }
}

#[cfg(test)]
mod tests;
