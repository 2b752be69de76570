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

use damages::{BALANCES, Damage, HANDOVERS, JOURNALS, PACKETS, REFERENCES, a_busy_day};
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

/// The folder of a closed store after a busy day, and when the day ended.
async fn after_a_busy_day() -> (TempDir, Timestamp) {
    let folder = private_folder();
    SqliteStore::migrate(&database(&folder)).unwrap();
    let harness = open(&folder, ManualClock::morning());
    a_busy_day(&harness).await;
    let now = harness.clock_now();
    (folder, now)
}

fn copy_of(folder: &TempDir) -> TempDir {
    let copy = private_folder();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

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

fn broken(found: &CheckReport) -> Vec<Invariant> {
    found.report.broken().collect()
}

async fn says(damages: &[Damage]) {
    let (clean, now) = after_a_busy_day().await;
    let mut surprises = Vec::new();
    for (says, sql, numbers) in damages {
        let folder = copy_of(&clean);
        let harness = open(&folder, ManualClock::morning());
        damage(&database(&folder), sql);
        let found = check_books(harness.store(), Some(now)).await.unwrap();
        let expected: Vec<_> = numbers.iter().map(|number| Invariant::number(*number)).collect();
        if broken(&found) != expected {
            surprises.push(format!("{says}: {:?}\n{}", broken(&found), found.report));
        }
        assert!(found.stops_money(), "{says}");
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[tokio::test]
async fn wrong_balances_are_told() {
    says(&BALANCES).await;
}

#[tokio::test]
async fn changed_journals_are_told() {
    says(&JOURNALS).await;
}

#[tokio::test]
async fn changed_packets_and_claims_are_told() {
    says(&PACKETS).await;
}

#[tokio::test]
async fn lost_lines_cursors_and_messages_are_told() {
    says(&HANDOVERS).await;
}

#[tokio::test]
async fn references_and_payouts_that_fit_no_movement_are_told() {
    says(&REFERENCES).await;
}

#[tokio::test]
async fn a_store_after_a_busy_day_is_clean() {
    let (folder, now) = after_a_busy_day().await;
    let harness = open(&folder, ManualClock::morning());
    let found = check_books(harness.store(), Some(now)).await.unwrap();
    assert!(found.clean(), "{}{:?}", found.report, found.structure);
}

/// An order without its packet cannot be read at all, which stops the server as well.
#[tokio::test]
async fn a_packet_that_is_just_gone_is_damage() {
    let (folder, now) = after_a_busy_day().await;
    let harness = open(&folder, ManualClock::morning());
    damage(&database(&folder), "DELETE FROM packet WHERE packet_no = 4");
    let found = check_books(harness.store(), Some(now)).await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
}

/// Late refunds are told and stop nothing: refunds mend them.
#[tokio::test]
async fn late_refunds_are_told_where_the_server_was_up_and_stop_no_money() {
    let (folder, now) = after_a_busy_day().await;
    let harness = open(&folder, ManualClock::morning());
    let (on_time, late) = (now.plus_seconds(86_400 + 600), now.plus_seconds(86_400 + 601));
    let found = check_books(harness.store(), Some(on_time)).await.unwrap();
    assert!(found.clean(), "{}", found.report);
    let found = check_books(harness.store(), Some(late)).await.unwrap();
    assert_eq!(broken(&found), [Invariant::number(15)]);
    assert!(!found.clean() && !found.stops_money());
    let found = check_books(harness.store(), None).await.unwrap();
    assert!(found.clean(), "{}", found.report);
    let said = found.report.to_string();
    let line = said.lines().find(|line| line.starts_with("I-15")).unwrap();
    assert!(line.starts_with("I-15 n/a "), "{line}");
    assert!(line.ends_with("(the server was not up: use --up)"), "{line}");
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
    assert_eq!(broken(&found), [Invariant::number(15)]);
}
