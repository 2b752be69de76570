//! When the log is copied into the database, and when readers are waited for.
//!
//! Readers are never in the way of copying what is older than their snapshot; they are in the way
//! of starting the log over. While one holds a snapshot for long (a `verify`, a backup), the log
//! grows, and waiting for it at every job would stop the platform: so the writer waits shortly,
//! and after waiting in vain not again before the log has grown by another step.

use std::time::Duration;

use rusqlite::Connection;

use super::open::BUSY_TIMEOUT;

/// The log is copied when it holds so many pages (64 MiB): long enough that pages dirtied by
/// several batches are copied once, short enough that a copy is over soon.
const STEP_PAGES: i64 = 16_384;
/// When readers kept the log from starting over for so many steps (512 MiB), they are waited for.
const RESTART_STEPS: i64 = 8;
/// Longer than the queries of the pool take, so that a row of them that overlap cannot keep the
/// log for ever; shorter than anybody minds once a step.
const RESTART_WAIT: Duration = Duration::from_millis(250);

/// A way to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// What readers let through, without waiting.
    Passive,
    /// All of it, waiting for readers, so that the next write starts the log over.
    Restart,
}

/// What the writer knows about its log.
#[derive(Debug)]
pub(super) struct Checkpoints {
    step: i64,
    /// From so many pages on readers are waited for.
    restart_at: i64,
}

/// What `PRAGMA wal_checkpoint` tells.
struct Log {
    busy: bool,
    pages: i64,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self::every(STEP_PAGES)
    }
}

impl Checkpoints {
    /// Copies every `step` pages.
    pub(super) const fn every(step: i64) -> Self {
        Self { step, restart_at: step * RESTART_STEPS }
    }

    /// Copies the log if it is long enough, and tells how.
    pub(super) fn run(&mut self, connection: &Connection) -> rusqlite::Result<Option<Mode>> {
        let pages = log(connection, "PRAGMA wal_checkpoint(NOOP)")?.pages;
        let mode = self.mode(pages);
        match mode {
            None => {}
            Some(Mode::Passive) => {
                log(connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
            }
            Some(Mode::Restart) => {
                connection.busy_timeout(RESTART_WAIT)?;
                let restarted = log(connection, "PRAGMA wal_checkpoint(RESTART)");
                connection.busy_timeout(BUSY_TIMEOUT)?;
                if restarted?.busy {
                    self.waited_in_vain(pages);
                }
            }
        }
        Ok(mode)
    }

    /// How a log of so many pages is copied.
    pub(super) const fn mode(&mut self, pages: i64) -> Option<Mode> {
        let longest = self.step * RESTART_STEPS;
        if pages < longest {
            // It started over, or never was long.
            self.restart_at = longest;
        }
        if pages < self.step {
            None
        } else if pages < self.restart_at {
            Some(Mode::Passive)
        } else {
            Some(Mode::Restart)
        }
    }

    /// A reader was there all the time that a log of so many pages was waited for.
    pub(super) const fn waited_in_vain(&mut self, pages: i64) {
        self.restart_at = pages.saturating_add(self.step);
    }
}

fn log(connection: &Connection, pragma: &str) -> rusqlite::Result<Log> {
    let mut statement = connection.prepare_cached(pragma)?;
    statement.query_row((), |row| Ok(Log { busy: row.get(0)?, pages: row.get(1)? }))
}
