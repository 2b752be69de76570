//! The log beside a reader that stays.

use rusqlite::Connection;

use super::super::checkpoint::{Checkpoints, Mode};

const PASSIVE: Option<Mode> = Some(Mode::Passive);
const RESTART: Option<Mode> = Some(Mode::Restart);

#[test]
fn readers_are_waited_for_once_a_step() {
    let mut log = Checkpoints::every(10);
    for (pages, mode) in [(-1, None), (9, None), (10, PASSIVE), (79, PASSIVE), (80, RESTART)] {
        assert_eq!(log.mode(pages), mode, "{pages}");
    }
    log.waited_in_vain(85);
    for (pages, mode) in [(85, PASSIVE), (94, PASSIVE), (95, RESTART)] {
        assert_eq!(log.mode(pages), mode, "{pages}");
    }
    log.waited_in_vain(400);
    assert_eq!(log.mode(400), PASSIVE);
    // It started over: the next long one is waited for as the first was.
    assert_eq!(log.mode(3), None);
    assert_eq!(log.mode(80), RESTART);
}

#[test]
fn a_snapshot_that_is_held_costs_few_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let writing = Connection::open(&path).unwrap();
    writing.pragma_update(None, "journal_mode", "wal").unwrap();
    writing.pragma_update(None, "wal_autocheckpoint", "0").unwrap();
    writing.execute_batch("CREATE TABLE filler (bytes BLOB)").unwrap();
    let reading = Connection::open(&path).unwrap();
    let write = || writing.execute("INSERT INTO filler VALUES (zeroblob(4000))", ()).unwrap();
    write();
    reading.execute_batch("BEGIN; SELECT count(*) FROM filler").unwrap();
    let mut log = Checkpoints::every(10);
    let mut modes = Vec::new();
    while modes.len() < 30 {
        write();
        modes.extend(log.run(&writing).unwrap());
    }
    let waits = |modes: &[Mode]| modes.iter().filter(|mode| **mode == Mode::Restart).count();
    let waited = waits(&modes);
    assert!((1..=6).contains(&waited), "{modes:?}");
    // The timeout of everything else is what it was.
    let timeout: i64 = writing.pragma_query_value(None, "busy_timeout", |row| row.get(0)).unwrap();
    assert_eq!(timeout, 5_000);
    // Once the reader is gone, the next wait succeeds and the log starts over.
    reading.execute_batch("COMMIT").unwrap();
    for _ in 0..30 {
        write();
        modes.extend(log.run(&writing).unwrap());
    }
    assert!(waits(&modes) <= waited + 1, "{modes:?}");
    let noop = "PRAGMA wal_checkpoint(NOOP)";
    let pages: i64 = writing.query_row(noop, (), |row| row.get(1)).unwrap();
    assert!(pages < 80, "{pages}");
}
