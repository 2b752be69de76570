//! A batch whose caller gives up midway (C-8): at whichever await that happens, no connection is
//! left inside a transaction, none goes back into the pool inside one, and what the batch did is
//! all there or not at all.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use hongbao_testkit::builders::a_merchant;

use super::{PostgresStore, a_recharge, an_own_database, basic_fen, connect, counted, until};

/// Enough polls to come past the commit.
const POLLS_MAX: usize = 60;

/// Polls `work` so many times, then drops it. True when it ended before.
async fn polled(times: usize, work: impl Future) -> bool {
    let mut work = pin!(work);
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_done| true)
    })
    .await
}

#[tokio::test]
async fn a_batch_that_is_dropped_midway_leaves_no_transaction_open() {
    let Some((url, _)) = an_own_database().await else { return };
    let store = PostgresStore::open(&url).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    let client = connect(&url).await;
    let none_open = "SELECT count(*) = 0 FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()
                         AND state <> 'idle'";
    let mut ended = 0;
    for polls in 1..=POLLS_MAX {
        let recharge = a_recharge(merchant, 1, &format!("r{polls}"));
        // What waits in a connection's queue is written by a task of its own, so that the same
        // count of polls does not always come to the same statement.
        ended += usize::from(polled(polls, counted(&store, recharge)).await);
        // Before anybody uses the connection again, which would end what was left open.
        until(&client, none_open).await;
    }
    assert!(ended > 0 && ended < POLLS_MAX, "{ended} batches ended");
    // Every batch again, in whichever connections the pool has: each takes effect once.
    for polls in 1..=POLLS_MAX {
        let recharge = a_recharge(merchant, 1, &format!("r{polls}"));
        counted(&store, recharge).await.0.unwrap().unwrap();
    }
    let fen = 1_000 + i64::try_from(POLLS_MAX).unwrap();
    assert_eq!(basic_fen(&store, merchant).await, fen);
    until(&client, none_open).await;
}
