//! What callers hear when a store fails them, and what a lane learns from it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hongbao_domain::{
    Command, MerchantId, Timestamp,
    change::{Actor, ChangeRecord},
    facts::{Accepted, Effects, Facts, Needs, Verdict},
    ledger::Owner,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Executor, Failure, Gate, Pace};
use crate::{
    metrics::Metrics,
    ports::{StoreError, Transact, Turn, Work},
};

/// A command that leaves a record.
struct Note;

impl Command for Note {
    const NAME: &str = "note";
    type Outcome = ();

    fn journal(&self) -> Owner {
        Owner::Merchant(MerchantId::try_new(1_900_000_001).unwrap())
    }

    fn needs(&self, _needs: &mut Needs) {}

    fn decide(&self, _facts: &Facts) -> Verdict<()> {
        let record = ChangeRecord {
            merchant: None,
            action: "note",
            actor: Actor::command_line(),
            before: String::new(),
            after: String::new(),
            at: Timestamp::EPOCH,
        };
        let effects = Effects { change: Some(record), ..Effects::default() };
        Ok(Accepted { outcome: (), effects })
    }
}

/// The same, counting how often it was asked what it needs.
struct Asked(Arc<AtomicUsize>);

impl Command for Asked {
    const NAME: &str = "asked";
    type Outcome = ();

    fn journal(&self) -> Owner {
        Note.journal()
    }

    fn needs(&self, _needs: &mut Needs) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn decide(&self, facts: &Facts) -> Verdict<()> {
        Note.decide(facts)
    }
}

/// A store that keeps nothing, and decides every batch at once.
#[derive(Default)]
struct Fake {
    fails: AtomicBool,
}

#[async_trait]
impl Transact for Fake {
    async fn transact(
        &self,
        _needs: Needs,
        mut work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        drop(work.decide(Facts::default()));
        let failed = self.fails.load(Ordering::Relaxed);
        let unavailable = || StoreError::Unavailable("gone".to_owned());
        (work, if failed { Err(unavailable()) } else { Ok(()) })
    }
}

/// A store that panics once it may.
struct Panicking {
    entered: Semaphore,
    may: Semaphore,
}

#[async_trait]
impl Transact for Panicking {
    async fn transact(
        &self,
        _needs: Needs,
        _work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        self.entered.add_permits(1);
        drop(self.may.acquire().await.unwrap());
        panic!("a defect of the store");
    }
}

/// A store that keeps its batches until it may end them; it has a lane's turn over at once if it takes
/// batches beside.
struct Deciding {
    least_beside: Option<usize>,
    entered: Semaphore,
    may: Semaphore,
}

impl Deciding {
    fn start(least_beside: Option<usize>) -> (Arc<Self>, Executor) {
        let (entered, may) = (Semaphore::new(0), Semaphore::new(0));
        let store = Arc::new(Self { least_beside, entered, may });
        let transact: Arc<dyn Transact> = Arc::<Self>::clone(&store);
        (store, Executor::start(&transact, Gate::default()))
    }
}

#[async_trait]
impl Transact for Deciding {
    async fn transact(
        &self,
        _needs: Needs,
        mut work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        drop(work.decide(Facts::default()));
        self.entered.add_permits(1);
        self.may.acquire().await.unwrap().forget();
        (work, Ok(()))
    }

    async fn transact_in_turn(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
        turn: Turn,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        let Some(least) = self.least_beside else {
            let transacted = self.transact(needs, work).await;
            drop(turn);
            return transacted;
        };
        turn.beside(least);
        self.transact(needs, work).await
    }
}

fn submit_note(executor: &Executor, callers: &mut JoinSet<Result<(), Failure>>) {
    let executor = executor.clone();
    callers.spawn(async move { executor.submit(Note).await });
}

/// As many at once as a new lane takes; answers what they heard, all the same.
async fn full_batch(executor: &Executor) -> Result<(), Failure> {
    let mut callers = JoinSet::new();
    for _ in 0..Pace::default().batch_max() {
        let executor = executor.clone();
        callers.spawn(async move { executor.submit(Note).await });
    }
    let mut heard = callers.join_all().await;
    heard.dedup();
    assert_eq!(heard.len(), 1, "{heard:?}");
    heard.remove(0)
}

/// What `/metrics` says the lane may take at once.
fn batch_max(executor: &Executor) -> usize {
    let mut registry = Registry::default();
    let metrics = Metrics { commands: Arc::clone(executor.metrics()), ..Metrics::default() };
    metrics.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let name = "hongbao_executor_batch_max_commands{lane=\"0\"} ";
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_store_that_fails_at_once_does_not_look_fast() {
    let store = Arc::<Fake>::default();
    let transact: Arc<dyn Transact> = Arc::<Fake>::clone(&store);
    let executor = Executor::start(&transact, Gate::default());
    store.fails.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(full_batch(&executor).await, Err(Failure::Unavailable));
    }
    assert_eq!(batch_max(&executor), Pace::default().batch_max(), "nothing was committed");
    store.fails.store(false, Ordering::Relaxed);
    assert_eq!(full_batch(&executor).await, Ok(()));
    assert!(batch_max(&executor) > Pace::default().batch_max(), "a fast one may take more");
}

#[tokio::test]
async fn a_lane_brings_its_next_batch_when_its_turn_is_over_and_answers_when_it_is_written() {
    let (store, executor) = Deciding::start(Some(1));
    let mut callers = JoinSet::new();
    for _ in 0..2 {
        submit_note(&executor, &mut callers);
        store.entered.acquire().await.unwrap().forget();
    }
    assert!(callers.try_join_next().is_none(), "both are under way, and nobody is answered");
    store.may.add_permits(1);
    assert_eq!(callers.join_next().await.unwrap().unwrap(), Ok(()));
    assert!(callers.try_join_next().is_none());
    store.may.add_permits(1);
    // A lane that nobody can bring anything any more still answers.
    drop(executor);
    assert_eq!(callers.join_next().await.unwrap().unwrap(), Ok(()));
}

#[tokio::test]
async fn a_batch_too_small_to_be_decided_beside_another_gathers_until_that_one_ended() {
    let (store, executor) = Deciding::start(Some(3));
    let mut callers = JoinSet::new();
    submit_note(&executor, &mut callers);
    store.entered.acquire().await.unwrap().forget();
    // Two are too few beside the first.
    for _ in 0..2 {
        submit_note(&executor, &mut callers);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(store.entered.available_permits(), 0);
    }
    submit_note(&executor, &mut callers);
    store.entered.acquire().await.unwrap().forget();
    // One is too few beside those three, but not once they have ended.
    submit_note(&executor, &mut callers);
    store.may.add_permits(2);
    for _ in 0..4 {
        assert_eq!(callers.join_next().await.unwrap().unwrap(), Ok(()));
    }
    store.entered.acquire().await.unwrap().forget();
    store.may.add_permits(1);
    assert_eq!(callers.join_next().await.unwrap().unwrap(), Ok(()));
    assert_eq!(store.entered.available_permits(), 0, "three batches of one, three and one");
}

#[tokio::test]
async fn a_full_batch_is_made_ready_while_the_one_before_has_its_turn() {
    let (store, executor) = Deciding::start(None);
    let mut callers = JoinSet::new();
    submit_note(&executor, &mut callers);
    store.entered.acquire().await.unwrap().forget();
    let asked = Arc::<AtomicUsize>::default();
    let full = Pace::default().alone_max();
    let submit = |callers: &mut JoinSet<_>| {
        let (executor, asked) = (executor.clone(), Arc::clone(&asked));
        callers.spawn(async move { executor.submit(Asked(asked)).await });
    };
    for _ in 1..full {
        submit(&mut callers);
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(asked.load(Ordering::Relaxed), 0, "more may come");
    submit(&mut callers);
    let ready = async {
        while asked.load(Ordering::Relaxed) < full {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), ready).await.unwrap();
    assert_eq!(store.entered.available_permits(), 0, "it has no turn yet");
    store.may.add_permits(2);
    assert!(callers.join_all().await.into_iter().all(|heard| heard == Ok(())));
    assert_eq!(store.entered.available_permits(), 1, "all in one batch");
}

/// A store that finds money stopped by the time it has loaded.
struct Stopping(Gate);

#[async_trait]
impl Transact for Stopping {
    async fn transact(
        &self,
        _needs: Needs,
        mut work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        self.0.halt("the books do not add up".to_owned());
        let (_facts, changes) = work.decide(Facts::default());
        assert!(changes.is_empty(), "nothing is decided any more");
        (work, Ok(()))
    }
}

#[tokio::test]
async fn a_batch_that_comes_to_decide_when_money_is_stopped_decides_nothing() {
    let gate = Gate::default();
    let transact: Arc<dyn Transact> = Arc::new(Stopping(gate.clone()));
    let executor = Executor::start(&transact, gate);
    assert_eq!(executor.submit(Note).await, Err(Failure::Halted));
}

#[tokio::test]
async fn a_lane_that_ends_leaves_nobody_waiting() {
    let store = Arc::new(Panicking { entered: Semaphore::new(0), may: Semaphore::new(0) });
    let transact: Arc<dyn Transact> = Arc::<Panicking>::clone(&store);
    let executor = Executor::start(&transact, Gate::default());
    let submit = || {
        let executor = executor.clone();
        tokio::spawn(async move { executor.submit(Note).await })
    };
    let in_the_batch = submit();
    drop(store.entered.acquire().await.unwrap());
    let in_the_queue = submit();
    tokio::task::yield_now().await;
    store.may.add_permits(1);
    let answers = tokio::time::timeout(Duration::from_mins(1), async {
        [in_the_batch.await.unwrap(), in_the_queue.await.unwrap(), executor.submit(Note).await]
    });
    let expected = [Failure::Unknown, Failure::Unavailable, Failure::Unavailable].map(Err);
    assert_eq!(answers.await.unwrap(), expected);
}
