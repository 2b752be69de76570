//! The store by itself. What every store must do alike is tested by the suite in testkit.

mod distributed;
mod schema;

use hongbao_testkit::postgres::{a_distributed_namespace, a_namespace};

use super::{PostgresStore, PostgresUrl};

/// A database with the schema and nothing else.
pub(super) async fn an_empty_database() -> Option<PostgresUrl> {
    let (server, namespace) = a_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate(&url).await.unwrap();
    Some(url)
}

/// The same, distributed.
pub(super) async fn a_distributed_database() -> Option<PostgresUrl> {
    let (server, namespace) = a_distributed_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate_and_distribute(&url).await.unwrap();
    Some(url)
}

/// A connection that is not the store's.
pub(super) async fn connect(url: &PostgresUrl) -> tokio_postgres::Client {
    url.hosts().unwrap().connect().await.unwrap().0
}
