//! One of several servers does a job, and another takes over.

use hongbao_app::ports::Store as _;

use super::{PostgresStore, an_empty_database, an_own_database, connect, until};

#[tokio::test]
async fn one_of_two_servers_holds_a_lease() {
    let Some(url) = an_empty_database().await else { return };
    let one = PostgresStore::open(&url).await.unwrap();
    let other = PostgresStore::open(&url).await.unwrap();
    assert!(one.lease("expiry").await.unwrap());
    for _ in 0..3 {
        assert!(!other.lease("expiry").await.unwrap());
        assert!(one.lease("expiry").await.unwrap());
    }
    // Another job is another lease.
    assert!(other.lease("payouts").await.unwrap());
    assert!(!one.lease("payouts").await.unwrap());
}

#[tokio::test]
async fn the_other_server_takes_over_when_the_holder_falls_silent() {
    let Some(url) = an_empty_database().await else { return };
    let one = PostgresStore::open(&url).await.unwrap();
    let other = PostgresStore::open(&url).await.unwrap();
    assert!(one.lease("expiry").await.unwrap());
    // As if the lease's ten seconds had passed.
    let silent = "UPDATE job_lease SET until = until - 10001";
    connect(&url).await.batch_execute(silent).await.unwrap();
    assert!(other.lease("expiry").await.unwrap());
    // Back again, the first one waits for its turn.
    assert!(!one.lease("expiry").await.unwrap());
}

#[tokio::test]
async fn of_two_that_saw_it_run_out_one_gets_it() {
    let Some((url, _)) = an_own_database().await else { return };
    let one = PostgresStore::open(&url).await.unwrap();
    let other = PostgresStore::open(&url).await.unwrap();
    assert!(one.lease("expiry").await.unwrap());
    let (holding, watching) = (connect(&url).await, connect(&url).await);
    // Both see that it ran out, and neither can take it yet.
    holding.batch_execute("UPDATE job_lease SET until = 0").await.unwrap();
    holding.batch_execute("BEGIN; SELECT FROM job_lease FOR UPDATE").await.unwrap();
    let both_wait = "SELECT count(*) = 2 FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let let_go = async {
        until(&watching, both_wait).await;
        holding.batch_execute("COMMIT").await.unwrap();
    };
    let (ours, theirs, ()) = tokio::join!(one.lease("expiry"), other.lease("expiry"), let_go);
    assert_ne!(ours.unwrap(), theirs.unwrap());
}

#[tokio::test]
async fn a_lease_that_is_asked_for_in_time_is_made_longer() {
    let Some(url) = an_empty_database().await else { return };
    let store = PostgresStore::open(&url).await.unwrap();
    let client = connect(&url).await;
    assert!(store.lease("expiry").await.unwrap());
    let sooner = "UPDATE job_lease SET until = until - 6000 RETURNING until";
    let until: i64 = client.query_one(sooner, &[]).await.unwrap().get(0);
    assert!(store.lease("expiry").await.unwrap());
    let renewed = "SELECT until FROM job_lease";
    let renewed: i64 = client.query_one(renewed, &[]).await.unwrap().get(0);
    assert!(renewed >= until + 6_000, "{until} {renewed}");
}

#[tokio::test]
async fn a_lease_that_is_given_up_is_anybodys_at_once() {
    let Some(url) = an_empty_database().await else { return };
    let one = PostgresStore::open(&url).await.unwrap();
    let other = PostgresStore::open(&url).await.unwrap();
    assert!(one.lease("expiry").await.unwrap());
    // Not by one who does not hold it.
    other.give_up_lease("expiry").await.unwrap();
    assert!(!other.lease("expiry").await.unwrap());
    one.give_up_lease("expiry").await.unwrap();
    assert!(other.lease("expiry").await.unwrap());
}
