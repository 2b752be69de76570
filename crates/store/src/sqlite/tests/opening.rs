//! What is refused at the door.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use hongbao_app::ports::Store as _;
use rusqlite::Connection;

use super::{Fixture, SqliteStore, open, path_in};
use crate::sqlite::OpenError;

fn migrated() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    SqliteStore::migrate(&path_in(&folder)).unwrap();
    folder
}

fn alter(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn refusal(path: &Path) -> OpenError {
    open(path).err().expect("must be refused")
}

#[test]
fn a_second_server_is_refused_until_the_first_has_gone() {
    let folder = migrated();
    let first = open(&path_in(&folder)).unwrap();
    let refused = refusal(&path_in(&folder));
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(matches!(SqliteStore::migrate(&path_in(&folder)), Err(OpenError::InUse { .. })));
    drop(first);
    open(&path_in(&folder)).unwrap();
}

#[tokio::test]
async fn a_reader_works_beside_the_server_and_writes_nothing() {
    let fixture = Fixture::new();
    fixture.merchant(5_000).await;
    let reader =
        SqliteStore::open_read_only(&fixture.path(), std::sync::Arc::clone(&fixture.clock) as _)
            .unwrap();
    assert_eq!(reader.merchants().await.unwrap().len(), 1);
    assert!(reader.check().await.is_err());
    assert!(super::run(&reader, vec![super::recharge(1, "x")]).await.is_err());
    fixture.store.check().await.unwrap();
}

#[test]
fn a_missing_database_is_not_made_by_the_server() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(refusal(&path_in(&folder)), OpenError::Missing { .. }));
}

#[test]
fn files_that_others_can_read_are_refused() {
    let folder = migrated();
    let path = path_in(&folder);
    for (file, mode) in [(path.as_path(), 0o640), (path.parent().unwrap(), 0o755)] {
        let before = fs::metadata(file).unwrap().permissions();
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        let refused = refusal(&path);
        assert!(matches!(refused, OpenError::Mode { .. }), "{refused}");
        assert!(refused.to_string().contains("chmod 0"), "{refused}");
        fs::set_permissions(file, before).unwrap();
    }
    let _store = open(&path).unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let file = format!("{}{suffix}", path.display());
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
}

#[test]
fn a_schema_changed_by_hand_is_refused() {
    for (sql, what) in [
        ("DROP INDEX packet_expiry", "index packet_expiry is missing"),
        ("DROP TRIGGER merchant_journal_no_update", "is missing"),
        ("CREATE INDEX extra ON packet (kind)", "index extra was added"),
        ("ALTER TABLE wallet ADD COLUMN bonus INTEGER", "table wallet was altered"),
        (
            "DROP TABLE group_claim;
             CREATE TABLE group_claim (merchant_id INTEGER, packet_no INTEGER, user_id INTEGER,
                 share_no INTEGER, amount INTEGER, at INTEGER) STRICT",
            "table group_claim was altered",
        ),
    ] {
        let folder = migrated();
        alter(&path_in(&folder), sql);
        let refused = refusal(&path_in(&folder)).to_string();
        assert!(refused.contains(what), "{refused}");
    }
}

#[test]
fn an_older_or_newer_schema_is_refused() {
    let folder = migrated();
    alter(
        &path_in(&folder),
        "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
         VALUES (999, 'future', '2030-01-01T00:00:00Z', '0')",
    );
    assert!(matches!(refusal(&path_in(&folder)), OpenError::SchemaTooNew { found: 999, .. }));
    assert!(matches!(SqliteStore::migrate(&path_in(&folder)), Err(OpenError::SchemaTooNew { .. })));
    alter(&path_in(&folder), "DELETE FROM refinery_schema_history WHERE version > 1");
    assert!(matches!(refusal(&path_in(&folder)), OpenError::SchemaTooOld { found: 1, .. }));
}

#[test]
fn a_journal_mode_that_was_switched_is_refused() {
    let folder = migrated();
    alter(&path_in(&folder), "PRAGMA journal_mode = DELETE");
    let refused = refusal(&path_in(&folder));
    assert!(matches!(refused, OpenError::Setting { .. }), "{refused}");
}

#[test]
fn migrating_twice_changes_nothing() {
    let folder = migrated();
    SqliteStore::migrate(&path_in(&folder)).unwrap();
    open(&path_in(&folder)).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = migrated();
    let path = path_in(&folder);
    fs::write(&path, "not a database, but long enough to look at ".repeat(50)).unwrap();
    assert!(open(&path).is_err());
}
