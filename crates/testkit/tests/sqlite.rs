//! The SQLite store passes the suite.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, sync::Arc};

use hongbao_store::sqlite::SqliteStore;
use hongbao_testkit::{Harness, ManualClock, store_suite};

async fn an_empty_database() -> Harness {
    over(|store| store)
}

/// Every batch goes the way of large ones.
async fn a_database_that_prepares() -> Harness {
    over(|store| store.preparing_from(0))
}

#[expect(clippy::unwrap_used, reason = "without a database there is nothing to test")]
fn over(as_wanted: impl FnOnce(SqliteStore) -> SqliteStore) -> Harness {
    // The store takes no folder that others can look into.
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let path = folder.path().join("hongbao.db");
    let clock = ManualClock::morning();
    SqliteStore::migrate(&path).unwrap();
    let store = SqliteStore::open(&path, clock.clone()).unwrap();
    Harness::new(Arc::new(as_wanted(store)), clock).keeping(folder)
}

store_suite!(sqlite, an_empty_database);
store_suite!(sqlite_that_prepares, a_database_that_prepares);
