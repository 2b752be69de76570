//! The store by itself. What every store must do alike is tested by the suite in testkit.

mod contention;
mod distributed;
mod dropped;
mod isolation;
mod leases;
mod lost_commits;
mod prepared;
mod proxy;
mod refused_servers;
mod schema;
mod tls;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hongbao_app::{
    jobs::check_books,
    ports::{Store, StoreError},
};
use hongbao_domain::{
    Command, Fen, MerchantId, Needs,
    facts::BatchError,
    merchant::{FundingAccount, Recharge},
};
use hongbao_testkit::{
    builders::reference,
    postgres::{a_distributed_namespace, a_name, a_namespace},
    suite::transact,
};

use super::{PostgresStore, PostgresUrl};

/// A database with the schema and nothing else.
pub(super) async fn an_empty_database() -> Option<PostgresUrl> {
    let (server, namespace) = a_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate(&url).await.unwrap();
    Some(url)
}

/// The same in a database of its own, where settings and statistics are nobody else's. Every role
/// may do everything there. Answers the database's name, too.
pub(super) async fn an_own_database() -> Option<(PostgresUrl, String)> {
    let (server, _) = a_namespace()?;
    let name = a_name("own");
    let make = format!("CREATE DATABASE {name}");
    connect(&server.parse().unwrap()).await.batch_execute(&make).await.unwrap();
    let url = in_database(&server, &name);
    PostgresStore::migrate(&url).await.unwrap();
    Some((url, name))
}

/// Where another database of the same server is.
pub(super) fn in_database(server: &str, name: &str) -> PostgresUrl {
    let (place, _) = server.rsplit_once('/').unwrap();
    format!("{place}/{name}").parse().unwrap()
}

/// The same database, with one more setting of the session.
pub(super) fn set(url: &PostgresUrl, setting: &str) -> PostgresUrl {
    let url = url.with_password();
    format!("{url}%20-c%20{}", setting.replace('=', "%3D")).parse().unwrap()
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

/// Runs one command and counts how often it is decided.
pub(super) async fn counted<C: Command>(
    store: &dyn Store,
    command: C,
) -> (Result<Result<C::Outcome, BatchError>, StoreError>, usize) {
    let mut needs = Needs::default();
    command.needs(&mut needs);
    let decided = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&decided);
    let outcome = transact(store, needs, move |batch| {
        count.fetch_add(1, Ordering::Relaxed);
        vec![batch.run(&command)]
    });
    let outcome = outcome.await.map(|mut results| results.remove(0));
    (outcome, decided.load(Ordering::Relaxed))
}

/// `fen` onto the merchant's basic account, under a reference.
pub(super) fn a_recharge(merchant: MerchantId, fen: i64, name: &str) -> Recharge {
    let (account, amount) = (FundingAccount::Basic, Fen::new(fen));
    Recharge { merchant, account, amount, reference: reference(name) }
}

/// What lies on the merchant's basic account, once the books were found to add up.
pub(super) async fn basic_fen(store: &dyn Store, merchant: MerchantId) -> i64 {
    let found = check_books(store, None).await.unwrap();
    assert!(found.clean(), "{}{:?}", found.report, found.structure);
    store.merchant(merchant).await.unwrap().unwrap().merchant.book.basic.amount.get()
}

/// Waits until `what`, a query of one boolean, is true.
pub(super) async fn until(client: &tokio_postgres::Client, what: &str) {
    for _ in 0..1_000 {
        if client.query_one(what, &[]).await.unwrap().get(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came true: {what}");
}
