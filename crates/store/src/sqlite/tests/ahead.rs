//! Batches decided while the one before is being written: what they see, and when they are decided
//! again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hongbao_app::ports::{Store as _, StoreError, Transact as _, Turn, Work};
use hongbao_domain::{
    Batch, Changes, Command, Facts, Needs, Refusal, facts::BatchError, ids::Access,
    packet::ClaimShare,
};
use rusqlite::Connection;

use super::{Answers, Fixture, claim, money::Panics, packet_key, record, send};

/// A batch that says how often it was decided.
struct Counted<C: Command> {
    commands: Vec<C>,
    answers: Answers<C>,
    decided: Arc<AtomicUsize>,
}

impl<C: Command> Work for Counted<C> {
    fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
        let mut batch = Batch::new(facts);
        let answers = self.commands.iter().map(|command| batch.run(command));
        *self.answers.lock().unwrap() = answers.collect();
        self.decided.fetch_add(1, Ordering::SeqCst);
        batch.finish()
    }

    fn answer(self: Box<Self>, _failure: Option<hongbao_app::executor::Failure>) {}
}

impl<C: Command> Counted<C> {
    fn new(commands: Vec<C>, decided: &Arc<AtomicUsize>) -> Self {
        Self { commands, answers: Answers::<C>::default(), decided: Arc::clone(decided) }
    }
}

type Decided<C> = Result<Vec<Result<<C as Command>::Outcome, BatchError>>, StoreError>;

/// Two batches as a lane brings them, the second while the first waits for the write lock, which
/// `release` gives back once the second has been decided; `between` comes to the writer between
/// them. Answers both, and how often they decided.
async fn both<A: Command, B: Command>(
    fixture: &Fixture,
    first: Vec<A>,
    second: Vec<B>,
    between: impl Future<Output = ()>,
    release: impl FnOnce(),
) -> (Decided<A>, Decided<B>, [usize; 2]) {
    let counts = [Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default()];
    let (turn, over) = Turn::begin();
    let first = in_turn(fixture, Counted::new(first, &counts[0]), turn);
    let second = async {
        over.await;
        let second = in_turn(fixture, Counted::new(second, &counts[1]), Turn::begin().0);
        tokio::join!(biased; between, second).1
    };
    let released = async {
        while counts[1].load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        release();
    };
    let all = async { tokio::join!(first, second, released) };
    let (first, second, ()) = tokio::time::timeout(Duration::from_mins(1), all).await.unwrap();
    (first, second, counts.map(|count| count.load(Ordering::SeqCst)))
}

async fn in_turn<C: Command>(fixture: &Fixture, work: Counted<C>, turn: Turn) -> Decided<C> {
    let mut needs = Needs::default();
    for command in &work.commands {
        command.needs(&mut needs);
    }
    let answers = Arc::clone(&work.answers);
    fixture.store.transact_in_turn(needs, Box::new(work), turn).await.1?;
    Ok(std::mem::take(&mut *answers.lock().unwrap()))
}

/// Ann's store, of which every batch is decided ahead, and a stranger who holds its write lock.
async fn locked() -> (Fixture, ClaimShare, Connection) {
    let fixture = Fixture::new().preparing_from(1);
    fixture.merchant(1_000).await;
    let ann = fixture.user("ann").await;
    let stranger = fixture.stranger();
    stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
    (fixture, claim(1, ann, Access::Message), stranger)
}

#[tokio::test]
async fn a_batch_sees_what_the_one_before_it_is_writing() {
    let (fixture, claim, stranger) = locked().await;
    let sends = vec![send("b1", "ann", 300, 1)];
    let release = || stranger.execute_batch("ROLLBACK").unwrap();
    let (sent, claimed, decided) =
        both(&fixture, sends, vec![claim.clone(), claim.clone()], async {}, release).await;
    assert!(sent.unwrap()[0].is_ok());
    let claimed = claimed.unwrap();
    assert!(!claimed[0].as_ref().unwrap().replayed && claimed[1].as_ref().unwrap().replayed);
    assert_eq!(decided, [1, 1], "nothing is decided twice");
    let wallet = fixture.store.wallet(claim.user).await.unwrap().unwrap();
    assert_eq!(wallet.wallet.amount.get(), 300);
}

#[tokio::test]
async fn a_batch_on_top_of_one_that_fails_is_decided_again() {
    let (fixture, claim, stranger) = locked().await;
    let sends = vec![send("b1", "ann", 300, 1)];
    // As nobody may: the row that the first batch loaded is not there any more.
    let release = || {
        stranger.execute_batch("UPDATE merchant_book SET version = version + 1; COMMIT").unwrap();
    };
    let (sent, claimed, decided) =
        both(&fixture, sends, vec![claim.clone()], async {}, release).await;
    assert!(matches!(sent, Err(StoreError::Conflict { what: "merchant_book" })), "{sent:?}");
    assert_eq!(claimed.unwrap(), [Err(BatchError::Refused(Refusal::PacketUnknown))]);
    assert_eq!(decided, [1, 2]);
    // And what follows is decided once again.
    let after = fixture.run(vec![send("b2", "ann", 300, 1)]).await.unwrap();
    assert!(after[0].is_ok());
}

#[tokio::test]
async fn a_batch_that_somebody_wrote_before_is_decided_again() {
    let (fixture, claim, stranger) = locked().await;
    let sends = vec![send("b1", "ann", 300, 1)];
    let release = || stranger.execute_batch("ROLLBACK").unwrap();
    let freezes = async {
        let frozen = fixture.store.set_wallet_frozen(claim.user, true, record()).await;
        assert!(frozen.unwrap());
    };
    let (sent, claimed, decided) =
        both(&fixture, sends, vec![claim.clone()], freezes, release).await;
    assert!(sent.unwrap()[0].is_ok());
    assert_eq!(claimed.unwrap(), [Err(BatchError::Refused(Refusal::WalletFrozen))]);
    assert_eq!(decided, [1, 2]);
}

#[tokio::test]
async fn what_jobs_write_beside_batches_has_nothing_decided_again() {
    let (fixture, claim, stranger) = locked().await;
    let sends = vec![send("b1", "ann", 300, 1)];
    let release = || stranger.execute_batch("ROLLBACK").unwrap();
    let message = hongbao_app::ports::Message {
        user: claim.user,
        sent_at: hongbao_app::ports::Clock::now(&*fixture.clock),
        packet: packet_key(1),
        form: hongbao_domain::message::MessageForm::Template,
    };
    let messages = async { fixture.store.put_messages(&[message]).await.unwrap() };
    let (sent, claimed, decided) =
        both(&fixture, sends, vec![claim.clone()], messages, release).await;
    assert!(sent.unwrap()[0].is_ok() && claimed.unwrap()[0].is_ok());
    assert_eq!(decided, [1, 1]);
}

#[tokio::test]
async fn a_decision_that_panics_ahead_writes_nothing_and_stops_nobody() {
    let fixture = Fixture::new().preparing_from(0);
    fixture.merchant(1_000).await;
    let ann = fixture.user("ann").await;
    let (turn, over) = Turn::begin();
    let panicked = fixture.store.transact_in_turn(Needs::default(), Box::new(Panics), turn).await.1;
    assert!(matches!(panicked, Err(StoreError::Unavailable(_))), "{panicked:?}");
    over.await;
    let decided = Arc::<AtomicUsize>::default();
    for (number, sent) in ["b1", "b2"].into_iter().zip(1..) {
        let work = Counted::new(vec![send(number, "ann", 100, 1)], &decided);
        assert!(in_turn(&fixture, work, Turn::begin().0).await.unwrap()[0].is_ok());
        let claims = Counted::new(vec![claim(sent, ann, Access::Message)], &decided);
        assert!(in_turn(&fixture, claims, Turn::begin().0).await.unwrap()[0].is_ok());
    }
    assert_eq!(decided.load(Ordering::SeqCst), 4);
}
