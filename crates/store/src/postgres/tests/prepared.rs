//! Transactions that somebody left prepared are counted (C-17). What they do on a cluster is tested
//! there, by `crates/server/tests/cluster.rs`.

use hongbao_app::ports::{Prepared, Store as _};
use hongbao_testkit::postgres::Cluster;

use super::{PostgresStore, PostgresUrl, connect};

#[tokio::test]
async fn transactions_that_are_left_prepared_are_counted() {
    let Some(server) = Cluster::start() else { return };
    let url: PostgresUrl = server.url().parse().unwrap();
    PostgresStore::migrate(&url).await.unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    assert_eq!(store.prepared().await.unwrap(), Prepared::default());
    let client = connect(&url).await;
    client.batch_execute("CREATE DATABASE other").await.unwrap();
    let other = connect(&server.url().replace("/postgres", "/other").parse().unwrap()).await;
    other.batch_execute("BEGIN; PREPARE TRANSACTION 'of another database'").await.unwrap();
    for name in ["one", "two"] {
        let left = format!("BEGIN; PREPARE TRANSACTION '{name}'");
        client.batch_execute(&left).await.unwrap();
    }
    assert_eq!(store.prepared().await.unwrap().count, 2);
    super::until(
        &client,
        "SELECT bool_or(prepared < now() - interval '2 s') FROM pg_prepared_xacts",
    )
    .await;
    assert!(store.prepared().await.unwrap().oldest_seconds >= 2);
    client.batch_execute("ROLLBACK PREPARED 'one'").await.unwrap();
    assert_eq!(store.prepared().await.unwrap().count, 1);
}
