//! Load, decide, commit; what is tried again, and what became of a commit that was not answered.
//!
//! | what happens | what is done |
//! | --- | --- |
//! | another server was faster: 40001, 40P01, 55P03, a row has another version | all again with fresh facts, after a pause that grows and varies |
//! | the connection breaks before the commit was sent | nothing was written: the same |
//! | the server falls silent before the commit was sent | nothing was written: the callers are told so |
//! | the commit is not answered, or not in time | its lane is read until it says what became of it |
//! | its lane cannot be read, either | the outcome is unknown, and the callers are told so |

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use hongbao_app::ports::{StoreError, SystemRng, Work, random_bytes};
use hongbao_domain::facts::{Changes, Facts, Needs};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::error::SqlState;

use super::{
    commit,
    lanes::Lane,
    load,
    pool::{Transaction, surely_rolled_back},
    store::Shared,
};
use crate::error::{Failure, Outcome, state};

/// A batch is tried so many times. The pauses between add up to about a second: long enough for
/// what two servers do to each other, short enough for those who wait.
const ATTEMPTS: u32 = 8;
/// The pause after the first attempt; the next one is twice as long, and so on.
const PAUSE_MILLIS: u64 = 8;
/// A server that says nothing for so long is frozen, cut off, or waits for a standby that is not
/// there. Locks are waited for at most ten seconds.
const SILENCE: Duration = Duration::from_secs(12);
/// A lost commit is asked for so long: a failover takes less.
const ASK_FOR: Duration = Duration::from_secs(30);
const ASK_PAUSE: Duration = Duration::from_millis(200);

/// Runs one batch.
pub(super) async fn run(
    shared: &Shared,
    needs: &Needs,
    work: &mut dyn Work,
) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        let failure = match Box::pin(once(shared, needs, work)).await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if attempt >= ATTEMPTS || !may_succeed_later(&failure) {
            return Err(failure.into_store());
        }
        tracing::debug!(attempt, ?failure, "a batch is tried again");
        sleep(pause(attempt)).await;
        attempt += 1;
    }
}

/// Between one half and one and a half of the doubled pause, so that two servers part.
fn pause(attempt: u32) -> Duration {
    let [random] = random_bytes::<1>(&SystemRng);
    let doubled = PAUSE_MILLIS << attempt.saturating_sub(1).min(7);
    Duration::from_millis(doubled / 2 + doubled * u64::from(random) / 256)
}

fn may_succeed_later(failure: &Failure) -> bool {
    match failure {
        Failure::Store(StoreError::Conflict { .. }) => true,
        Failure::Postgres(error) => {
            error.is_closed()
                || state(error).is_some_and(|state| {
                    [
                        SqlState::T_R_SERIALIZATION_FAILURE,
                        SqlState::T_R_DEADLOCK_DETECTED,
                        SqlState::LOCK_NOT_AVAILABLE,
                        SqlState::ADMIN_SHUTDOWN,
                        SqlState::CRASH_SHUTDOWN,
                        SqlState::CANNOT_CONNECT_NOW,
                        // The cause was the answer to another statement of the round trip.
                        SqlState::IN_FAILED_SQL_TRANSACTION,
                    ]
                    .contains(state)
                })
        }
        Failure::Store(_) | Failure::Sqlite(_) => false,
    }
}

async fn once(shared: &Shared, needs: &Needs, work: &mut dyn Work) -> Outcome<()> {
    // A new lane takes a connection of its own, so it comes first: nobody who holds a connection,
    // and locks, waits for another one.
    let lane = shared.lanes.take(&shared.connections).await?;
    let transaction = match Box::pin(written(shared, &lane, needs, work)).await {
        Ok(Some(transaction)) => transaction,
        nothing => {
            shared.lanes.give_back(lane);
            return nothing.map(|_none| ());
        }
    };
    match answered(transaction.commit(), shared).await {
        Ok(()) => {
            committed(shared, lane);
            Ok(())
        }
        Err(failure) if surely_rolled_back(&failure) => {
            shared.lanes.give_back(lane);
            Err(failure)
        }
        Err(failure) => resolve(shared, lane, failure).await,
    }
}

/// Loads, decides and writes, up to the commit; `None` when there was nothing to write.
async fn written(
    shared: &Shared,
    lane: &Lane,
    needs: &Needs,
    work: &mut dyn Work,
) -> Outcome<Option<Transaction>> {
    let transaction = shared.connections.lend().await?;
    let loaded = Box::pin(load::facts(&transaction, shared, needs));
    let facts = answered(loaded, shared).await?;
    let (facts, changes) = decide(work, facts)?;
    if changes.is_empty() {
        answered(transaction.roll_back(), shared).await?;
        return Ok(None);
    }
    let written = async {
        lane.move_on(transaction.client()?).await?;
        commit::changes(&transaction, &facts, &changes).await
    };
    answered(Box::pin(written), shared).await?;
    Ok(Some(transaction))
}

/// What the server answers, if it does so in time. When it does not, nothing more is asked of it.
async fn answered<T>(work: impl Future<Output = Outcome<T>>, shared: &Shared) -> Outcome<T> {
    if let Ok(outcome) = timeout(SILENCE, work).await {
        return outcome;
    }
    shared.connections.forget();
    Err(Failure::unavailable("the database fell silent"))
}

/// Deciding takes a large batch some tens of milliseconds, which other tasks need not wait for.
fn decide(work: &mut dyn Work, facts: Facts) -> Outcome<(Facts, Changes)> {
    let decide = || catch_unwind(AssertUnwindSafe(|| work.decide(facts)));
    let decided = match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(decide),
        _ => decide(),
    };
    decided.map_err(|_panic| Failure::unavailable("a decision panicked; nothing was written"))
}

fn committed(shared: &Shared, mut lane: Lane) {
    lane.committed();
    shared.lanes.give_back(lane);
}

/// Reads what became of a commit that was not answered.
async fn resolve(shared: &Shared, lane: Lane, lost: Failure) -> Outcome<()> {
    tracing::warn!(?lost, "a commit was not answered and is read back");
    shared.connections.forget();
    let until = Instant::now() + ASK_FOR;
    loop {
        match answered(lane.took_place(&shared.connections), shared).await {
            Ok(true) => {
                committed(shared, lane);
                return Ok(());
            }
            Ok(false) => {
                shared.lanes.give_back(lane);
                return Err(Failure::conflict("lost commit"));
            }
            Err(failure @ Failure::Store(StoreError::Corrupt(_))) => return Err(failure),
            Err(failure) if Instant::now() >= until => {
                return Err(Failure::Store(StoreError::Unknown(format!(
                    "the commit was not answered, and the database cannot be asked: {}",
                    failure.into_store()
                ))));
            }
            Err(_not_yet) => sleep(ASK_PAUSE).await,
        }
    }
}
