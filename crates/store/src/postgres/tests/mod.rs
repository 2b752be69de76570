//! The store by itself. What every store must do alike is tested by the suite in testkit.

mod schema;

use hongbao_testkit::postgres::a_namespace;

use super::{PostgresStore, PostgresUrl};

/// A database with the schema and nothing else.
pub(super) async fn an_empty_database() -> Option<PostgresUrl> {
    let (server, namespace) = a_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate(&url).await.unwrap();
    Some(url)
}

/// A connection that is not the store's.
pub(super) async fn connect(url: &PostgresUrl) -> tokio_postgres::Client {
    url.hosts().unwrap().connect().await.unwrap().0
}
