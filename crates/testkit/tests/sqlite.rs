//! The SQLite store passes the suite.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, sync::Arc};

use hongbao_store::sqlite::SqliteStore;
use hongbao_testkit::{Harness, ManualClock, store_suite};

#[expect(clippy::unwrap_used, reason = "without a database there is nothing to test")]
async fn an_empty_database() -> Harness {
    // The store takes no folder that others can look into.
    let private = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let path = folder.path().join("hongbao.db");
    let clock = ManualClock::morning();
    SqliteStore::migrate(&path).unwrap();
    let store = SqliteStore::open(&path, clock.clone()).unwrap();
    Harness::new(Arc::new(store), clock).keeping(folder)
}

store_suite!(sqlite, an_empty_database);
