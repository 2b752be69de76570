//! One damage after another to a real store, and exactly the invariants that `verify` then says
//! are broken: what is damaged and stays "ok" is not checked.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

mod damages;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use damages::{
    a_busy_day,
    cases::{Day, damages_are_told},
};
use hongbao_app::{
    jobs::{CheckReport, check_books},
    ports::{Clock as _, StoreError},
};
use hongbao_domain::{Timestamp, change::Actor, ledger::audit::Invariant, merchant::AdvanceClock};
use hongbao_store::sqlite::SqliteStore;
use hongbao_testkit::{
    Harness, ManualClock,
    builders::{a_merchant, a_send, a_user, normal_terms},
};
use rusqlite::Connection;
use tempfile::TempDir;

/// A folder that nobody else can look into, as the store asks for.
fn private_folder() -> TempDir {
    tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap()
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("hongbao.db")
}

fn open(folder: &TempDir, clock: Arc<ManualClock>) -> Harness {
    let store = SqliteStore::open(&database(folder), clock.clone()).unwrap();
    Harness::new(Arc::new(store), clock)
}

/// The folder of a closed store after a busy day.
struct OnSqlite {
    folder: TempDir,
    ended: Timestamp,
}

impl Day for OnSqlite {
    async fn make() -> Option<Self> {
        let folder = private_folder();
        SqliteStore::migrate(&database(&folder)).unwrap();
        let harness = open(&folder, ManualClock::morning());
        a_busy_day(&harness).await;
        let ended = harness.clock_now();
        Some(Self { folder, ended })
    }

    fn ended(&self) -> Timestamp {
        self.ended
    }

    async fn checked_after(
        &self,
        sql: &str,
        up: Option<Timestamp>,
    ) -> Result<CheckReport, StoreError> {
        let copy = private_folder();
        for file in fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        // Damage that refuses to be opened must be told as well.
        let harness = open(&copy, ManualClock::morning());
        damage(&database(&copy), sql);
        check_books(harness.store(), up).await
    }
}

damages_are_told!(OnSqlite);

/// Does what no server would: the triggers that keep journals append-only stand aside.
fn damage(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    let mut statement =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<(String, String)> = statement
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    connection.execute_batch("PRAGMA ignore_check_constraints = ON").unwrap();
    for (name, _) in &triggers {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    connection.execute_batch(sql).unwrap();
    for (_, sql) in &triggers {
        connection.execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn a_sandbox_clock_that_was_just_advanced_makes_no_refund_late() {
    let folder = private_folder();
    SqliteStore::migrate(&database(&folder)).unwrap();
    let h = open(&folder, ManualClock::morning());
    let merchant = a_merchant().sandbox().with_money(1_000).in_store(h.store()).await;
    a_user("alice").in_store(h.store()).await;
    h.send(&a_send(merchant, "b1", normal_terms("alice", 100))).await;
    h.ok(AdvanceClock { merchant, seconds: 86_400 + 601, actor: Actor::command_line() }).await;
    let found = check_books(h.store(), Some(h.clock.now())).await.unwrap();
    assert!(found.clean(), "{}", found.report);
    let found = check_books(h.store(), Some(h.clock.pass_seconds(86_400 + 601))).await.unwrap();
    let broken: Vec<_> = found.report.broken().collect();
    assert_eq!(broken, [Invariant::number(15)]);
}
