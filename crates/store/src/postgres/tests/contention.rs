//! Others hold what a batch needs: it is tried again, as often as is decent, and never answered
//! with a business no (C-6); transfers in opposite order do not lock each other out (C-7).

use std::{collections::BTreeSet, sync::Arc};

use hongbao_app::ports::StoreError;
use hongbao_domain::{Fen, wallet::TransferToUser};
use hongbao_testkit::{
    builders::{a_claim, a_merchant, a_send, a_user, normal_terms, reference},
    run,
};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{
    PostgresStore, a_recharge, an_empty_database, an_own_database, basic_fen, connect, counted, set,
};

const LOCK: &str = "BEGIN; SELECT 1 FROM merchant_book FOR UPDATE";
const TASKS: usize = 64;

/// The sessions that wait for `holder`.
async fn blocked_by(watcher: &Client, holder: &Client) -> Vec<i32> {
    let own = holder.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
    let blocked = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
    let rows = watcher.query(blocked, &[&own.get::<_, i32>(0)]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_asked_for_again() {
    let Some(url) = an_empty_database().await else { return };
    let url = set(&url, "lock_timeout=500ms");
    let store = Arc::new(PostgresStore::open(&url).await.unwrap());
    let merchant = a_merchant().with_money(1_000).in_store(&*store).await;
    let (holder, watcher) = (connect(&url).await, connect(&url).await);
    holder.batch_execute(LOCK).await.unwrap();
    let of = Arc::clone(&store);
    let batch = tokio::spawn(async move { counted(&*of, a_recharge(merchant, 100, "r1")).await });
    // Two attempts wait in two connections, for the first one is closed.
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        assert!(!batch.is_finished(), "it was not tried again: {seen:?}");
        seen.extend(blocked_by(&watcher, &holder).await);
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    let (outcome, decided) = batch.await.unwrap();
    outcome.unwrap().unwrap();
    assert_eq!(decided, 1);
    assert_eq!(basic_fen(&*store, merchant).await, 1_100);
}

#[tokio::test]
async fn a_lock_that_is_never_had_means_that_nothing_happened() {
    let Some(url) = an_empty_database().await else { return };
    let url = set(&url, "lock_timeout=20ms");
    let store = PostgresStore::open(&url).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    let holder = connect(&url).await;
    holder.batch_execute(LOCK).await.unwrap();
    let (outcome, decided) = counted(&store, a_recharge(merchant, 100, "r1")).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert_eq!(decided, 0);
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(basic_fen(&store, merchant).await, 1_000);
    let (outcome, _) = counted(&store, a_recharge(merchant, 100, "r1")).await;
    outcome.unwrap().unwrap();
    assert_eq!(basic_fen(&store, merchant).await, 1_100);
}

#[tokio::test]
async fn the_victim_of_a_deadlock_is_tried_again() {
    let Some(url) = an_empty_database().await else { return };
    let url = set(&url, "deadlock_timeout=100ms");
    let store = Arc::new(PostgresStore::open(&url).await.unwrap());
    let merchant = a_merchant().with_money(1_000).in_store(&*store).await;
    let alice = a_user("alice").in_store(&*store).await;
    let send = a_send(merchant, "b1", normal_terms("alice", 100));
    let key = run(&*store, send.clone()).await.unwrap().packet;
    let (stranger, watcher) = (connect(&url).await, connect(&url).await);
    // The stranger is patient, so that the batch notices first and is the victim.
    stranger.batch_execute("SET deadlock_timeout = '60s'; BEGIN").await.unwrap();
    stranger.batch_execute("SELECT 1 FROM wallet FOR UPDATE").await.unwrap();
    let of = Arc::clone(&store);
    let batch = tokio::spawn(async move { counted(&*of, a_claim(&send, key, alice)).await });
    while blocked_by(&watcher, &stranger).await.is_empty() {}
    stranger.batch_execute("SELECT 1 FROM merchant_book FOR UPDATE").await.unwrap();
    stranger.batch_execute("COMMIT").await.unwrap();
    let (outcome, _) = batch.await.unwrap();
    outcome.unwrap().unwrap();
    assert_eq!(basic_fen(&*store, merchant).await, 900);
}

/// Batches run at READ COMMITTED and cannot fail like this by themselves, so a trigger does it;
/// what it counted, the rollback does not take back.
#[tokio::test]
async fn a_failure_to_serialize_is_tried_again() {
    for state in ["40001", "40P01", "55P03"] {
        let Some(url) = an_empty_database().await else { return };
        let store = PostgresStore::open(&url).await.unwrap();
        let merchant = a_merchant().with_money(1_000).in_store(&store).await;
        let client = connect(&url).await;
        let planted = format!(
            "CREATE SEQUENCE tried;
             CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 IF nextval('tried') <= 2 THEN RAISE EXCEPTION 'planted' USING ERRCODE = '{state}'; END IF;
                 RETURN NEW;
             END $$;
             CREATE TRIGGER fail_twice BEFORE INSERT ON merchant_journal
             FOR EACH ROW EXECUTE FUNCTION fail_twice()"
        );
        client.batch_execute(&planted).await.unwrap();
        let (outcome, decided) = counted(&store, a_recharge(merchant, 100, "r1")).await;
        outcome.unwrap().unwrap();
        assert_eq!(decided, 3, "{state}");
        let taken_back = "DROP TRIGGER fail_twice ON merchant_journal; DROP FUNCTION fail_twice;
                          DROP SEQUENCE tried";
        client.batch_execute(taken_back).await.unwrap();
        assert_eq!(basic_fen(&store, merchant).await, 1_100);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfers_in_opposite_order_do_not_lock_each_other_out() {
    let Some((url, _)) = an_own_database().await else { return };
    let one = Arc::new(PostgresStore::open(&url).await.unwrap());
    let other = Arc::new(PostgresStore::open(&url).await.unwrap());
    let merchant = a_merchant().with_money(100_000).in_store(&*one).await;
    let mut users = Vec::new();
    for name in ["alice", "bob"] {
        let user = a_user(name).in_store(&*one).await;
        let send = a_send(merchant, name, normal_terms(name, 10_000));
        let key = run(&*one, send.clone()).await.unwrap().packet;
        run(&*one, a_claim(&send, key, user)).await.unwrap();
        users.push(user);
    }
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let store = Arc::clone(if number % 2 == 0 { &one } else { &other });
        let (from, to) = if number % 4 < 2 { (users[0], users[1]) } else { (users[1], users[0]) };
        tasks.spawn(async move {
            for turn in 0..4 {
                let reference = reference(&format!("t{number}x{turn}"));
                let transfer = TransferToUser { from, to, amount: Fen::new(1), reference };
                counted(&*store, transfer).await.0.unwrap().unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(basic_fen(&*one, merchant).await, 80_000);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks: i64 = connect(&url).await.query_one(deadlocks, &[]).await.unwrap().get(0);
    assert_eq!(deadlocks, 0);
}
