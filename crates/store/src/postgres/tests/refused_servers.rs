//! Servers that can lose an answer, that only read, or that have no room are refused, at the start
//! and at every new connection; a store that was open says so and recovers.

use hongbao_app::ports::{Store as _, StoreError};
use hongbao_testkit::{
    builders::a_merchant,
    postgres::{Cluster, SERVER, a_name},
};

use super::{
    PostgresStore, PostgresUrl, a_recharge, an_empty_database, an_own_database, basic_fen, connect,
    counted, in_database,
};
use crate::postgres::OpenError;

/// More than the pool has.
const VIEWS_MAX: usize = 100;

/// A role that may do everything in the database, and its address.
async fn a_role(url: &PostgresUrl, database: &str, terms: &str) -> PostgresUrl {
    let role = a_name("role");
    let make = format!(
        "CREATE ROLE {role} LOGIN;
         {};
         GRANT ALL ON SCHEMA public TO {role};
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
        terms.replace("ROLE", &format!("ROLE {role}"))
    );
    connect(url).await.batch_execute(&make).await.unwrap();
    let server = std::env::var(SERVER).unwrap();
    let (_, place) = server.split_once('@').unwrap();
    in_database(&format!("postgres://{role}@{place}"), database)
}

#[tokio::test]
async fn a_role_whose_commits_do_not_wait_for_the_disk_is_refused() {
    let Some((url, database)) = an_own_database().await else { return };
    drop(PostgresStore::open(&a_role(&url, &database, "SELECT 1").await).await.unwrap());
    let unsafe_role = a_role(&url, &database, "ALTER ROLE SET synchronous_commit = off").await;
    let refused = PostgresStore::open(&unsafe_role).await.unwrap_err().to_string();
    assert!(refused.contains("synchronous_commit"), "{refused}");
    let reading =
        a_role(&url, &database, "ALTER ROLE SET default_transaction_read_only = on").await;
    let refused = PostgresStore::open(&reading).await.unwrap_err().to_string();
    assert!(refused.contains("default_transaction_read_only"), "{refused}");
}

#[tokio::test]
async fn a_server_that_may_lose_answers_is_refused_before_and_after_the_start() {
    let Some(cluster) = Cluster::start() else { return };
    let url: PostgresUrl = cluster.url().parse().unwrap();
    PostgresStore::migrate(&url).await.unwrap();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let store = PostgresStore::open(&url).await.unwrap();
        let client = connect(&url).await;
        let changed = async |value| {
            cluster.append(&format!("{setting} = {value}\n"));
            cluster.reload();
            let shown = format!("SELECT current_setting('{setting}') = '{value}'");
            super::until(&client, &shown).await;
        };
        changed("off").await;
        let refused = PostgresStore::open(&url).await.unwrap_err().to_string();
        assert!(refused.contains(setting), "{refused}");
        let ready = store.check().await;
        assert!(matches!(ready, Err(StoreError::Unavailable(_))), "{ready:?}");
        changed("on").await;
        store.check().await.unwrap();
    }
}

#[tokio::test]
async fn a_standby_is_refused_and_passed_over_for_the_primary() {
    let Some(primary) = Cluster::start() else { return };
    let url: PostgresUrl = primary.url().parse().unwrap();
    PostgresStore::migrate(&url).await.unwrap();
    let Some(standby) = primary.standby() else { return };
    let refused = PostgresStore::open(&standby.url().parse().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("it is in recovery"), "{refused}");
    let place = |cluster: &Cluster| cluster.url().split_once('@').unwrap().1.to_owned();
    let (first, second) = (place(&standby), place(&primary));
    let (first, _) = first.rsplit_once('/').unwrap();
    let both: PostgresUrl = format!("postgres://hongbao@{first},{second}").parse().unwrap();
    let store = PostgresStore::open(&both).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    assert_eq!(basic_fen(&store, merchant).await, 1_000);
}

#[tokio::test]
async fn a_store_without_a_free_connection_refuses_and_recovers() {
    let Some(url) = an_empty_database().await else { return };
    let store = PostgresStore::open(&url).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    let mut views = Vec::new();
    let refused = loop {
        assert!(views.len() < VIEWS_MAX, "the pool has no end");
        match store.audit_source().await {
            Ok(view) => views.push(view),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    let (outcome, decided) = counted(&store, a_recharge(merchant, 100, "r1")).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert_eq!(decided, 0);
    drop(views);
    counted(&store, a_recharge(merchant, 100, "r1")).await.0.unwrap().unwrap();
    assert_eq!(basic_fen(&store, merchant).await, 1_100);
}

/// Two connections: one says that the store is in use, the other one is the view's.
#[tokio::test]
async fn a_server_without_a_free_connection_refuses() {
    let Some((url, database)) = an_own_database().await else { return };
    let one = a_role(&url, &database, "ALTER ROLE CONNECTION LIMIT 2").await;
    let store = PostgresStore::open(&one).await.unwrap();
    let merchant = hongbao_testkit::builders::merchant_id(10_000_098);
    let view = store.audit_source().await.unwrap();
    let (outcome, decided) = counted(&store, a_recharge(merchant, 100, "r1")).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert_eq!(decided, 0);
    drop(view);
    let refused = PostgresStore::open(&one).await;
    assert!(matches!(refused, Ok(_) | Err(OpenError::Unreachable(_))), "{refused:?}");
}
