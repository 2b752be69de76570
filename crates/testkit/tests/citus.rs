//! The PostgreSQL store passes the suite over many machines, too.

use std::sync::Arc;

use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{Harness, ManualClock, postgres::a_distributed_namespace, store_suite};

#[expect(clippy::unwrap_used, reason = "without a database there is nothing to test")]
async fn an_empty_database() -> Option<Harness> {
    let (server, namespace) = a_distributed_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate_and_distribute(&url).await.unwrap();
    let clock = ManualClock::morning();
    let store = PostgresStore::open_with_clock(&url, clock.clone()).await.unwrap();
    Some(Harness::new(Arc::new(store), clock))
}

store_suite!(citus, an_empty_database);
