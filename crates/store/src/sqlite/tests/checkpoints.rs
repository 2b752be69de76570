//! The log beside a reader that stays, and beside commits that do not stop.

use std::{path::Path, thread, time::Duration};

use rusqlite::Connection;

use super::super::{
    broken::Broken,
    checkpoint::{
        Checkpoints, Log,
        Step::{self, Copy, Nothing, Restart},
    },
    copier::Copier,
};

fn log_of(pages: i64, copied: i64) -> Log {
    Log { busy: false, pages, copied }
}

#[test]
fn what_is_done_about_the_log() {
    let mut log = Checkpoints::every(32);
    let table = [
        // pages, copied, being copied: what is done
        (-1, -1, false, Nothing),
        (31, 0, false, Nothing),
        (32, 0, false, Copy),
        (32, 0, true, Nothing),
        (127, 96, false, Nothing),
        (127, 95, false, Copy),
        // Long: what is left is copied until the writer can copy the rest in no time.
        (128, 120, false, Copy),
        (128, 125, false, Copy),
        (128, 126, true, Nothing),
        (128, 126, false, Restart),
        (255, 252, false, Copy),
        // Longest.
        (256, 0, true, Nothing),
        (256, 0, false, Restart),
    ];
    for (pages, copied, copying, step) in table {
        assert_eq!(log.step(log_of(pages, copied), copying), step, "{pages} {copied} {copying}");
    }
}

#[test]
fn readers_are_waited_for_once_a_step() {
    let mut log = Checkpoints::every(32);
    log.waited_in_vain(260);
    for (pages, copied, step) in
        [(260, 0, Copy), (291, 291, Nothing), (292, 292, Restart), (292, 0, Restart)]
    {
        assert_eq!(log.step(log_of(pages, copied), false), step, "{pages}");
    }
    log.waited_in_vain(400);
    assert_eq!(log.step(log_of(400, 0), false), Copy);
    // It started over: the next long one is waited for as the first was.
    assert_eq!(log.step(log_of(3, 0), false), Nothing);
    assert_eq!(log.step(log_of(256, 0), false), Restart);
}

/// A database with a log, its writer and its copier.
struct Logged {
    folder: tempfile::TempDir,
    copier: Copier,
    writing: Connection,
    checkpoints: Checkpoints,
}

impl Logged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let writing = open(folder.path());
        writing.pragma_update(None, "journal_mode", "wal").unwrap();
        writing.pragma_update(None, "wal_autocheckpoint", "0").unwrap();
        writing.execute_batch("CREATE TABLE filler (bytes BLOB)").unwrap();
        let copier = Copier::start(&path(folder.path()), Broken::default()).unwrap();
        Self { folder, copier, writing, checkpoints: Checkpoints::every(32) }
    }

    /// Writes a page and does what the log asks for; a copy is waited for.
    fn write(&mut self) -> Step {
        self.writing.execute("INSERT INTO filler VALUES (zeroblob(4000))", ()).unwrap();
        let step = self.checkpoints.run(&self.writing, &self.copier).unwrap();
        while self.copier.copying() {
            thread::sleep(Duration::from_micros(100));
        }
        step
    }

    fn pages(&self) -> i64 {
        let noop = "PRAGMA wal_checkpoint(NOOP)";
        self.writing.query_row(noop, (), |row| row.get(1)).unwrap()
    }
}

fn path(folder: &Path) -> std::path::PathBuf {
    folder.join("log.db")
}

fn open(folder: &Path) -> Connection {
    let connection = Connection::open(path(folder)).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    connection
}

#[test]
fn commits_that_do_not_stop_leave_a_short_log() {
    let mut log = Logged::new();
    let (mut copies, mut longest) = (0, 0);
    for _ in 0..500 {
        copies += usize::from(log.write() == Copy);
        longest = longest.max(log.pages());
    }
    assert!(copies > 0);
    assert!(longest < 140, "{longest}: started over once a copy left a small rest");
}

#[test]
fn a_snapshot_that_is_held_costs_few_waits() {
    let mut log = Logged::new();
    let reading = open(log.folder.path());
    log.write();
    reading.execute_batch("BEGIN; SELECT count(*) FROM filler").unwrap();
    let mut waits = 0;
    while log.pages() < 320 {
        waits += usize::from(log.write() == Restart);
    }
    assert!((1..=3).contains(&waits), "{waits}");
    // The timeout of everything else is what it was.
    let timeout: i64 =
        log.writing.pragma_query_value(None, "busy_timeout", |row| row.get(0)).unwrap();
    assert_eq!(timeout, 5_000);
    // Once the reader is gone, the next wait succeeds and the log starts over.
    reading.execute_batch("COMMIT").unwrap();
    for _ in 0..30 {
        log.write();
    }
    assert!(log.pages() < 140, "{}", log.pages());
}
