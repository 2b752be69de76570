//! When the log is copied into the database, and when it is started over.
//!
//! The [`Copier`] copies beside the writer. Only a log of which everything is copied starts over,
//! and while commits come one after another there is always a rest, which the writer copies itself,
//! between two jobs. So when the log is long, what is left is copied at once, however little it is,
//! until the rest is so small that the writer's copy holds nobody up. Batches that are larger than
//! such a rest never come to that: they are held up once in a while, when the log is longest.
//!
//! Readers are never in the way of copying what is older than their snapshot; they are in the way
//! of starting over. While one holds a snapshot for long (a `verify`, a backup), the log grows,
//! and waiting for it at every job would stop the platform: so the writer waits shortly, and
//! after waiting in vain not again before the log has grown by another step.

use std::time::Duration;

use rusqlite::Connection;

use super::{copier::Copier, open::BUSY_TIMEOUT};

/// The log is copied when so many of its bytes are not (64 MiB): long enough that pages dirtied by
/// several batches are copied once, short enough that commits do not wait long for a disk that
/// takes in a copy.
const STEP_BYTES: i64 = 64 * 1024 * 1024;
/// A rest of such a part of a step (4 MiB) the writer copies without holding anybody up for long.
const REST_PART: i64 = 16;
/// After so many steps (256 MiB) the log is started over as soon as the rest is that small.
const LONG_STEPS: i64 = 4;
/// After so many steps (512 MiB) it is started over whatever the rest: it is read at the next start
/// after a crash, and should not take longer than a second.
const LONGEST_STEPS: i64 = 8;
/// Longer than the queries of the pool take, so that a row of them that overlap cannot keep the
/// log for ever; shorter than anybody minds once a step.
const RESTART_WAIT: Duration = Duration::from_millis(250);

/// What is to be done about the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is short.
    Nothing,
    /// The copier copies what readers let through.
    Copy,
    /// The writer copies the rest, waiting for readers, so that the next write starts it over.
    Restart,
}

/// What the writer knows about its log.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// In pages, as everything here.
    step: i64,
    /// Readers were waited for in vain: not again before it is so long.
    patient_until: i64,
}

/// What `PRAGMA wal_checkpoint` tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// Readers or another copy were in the way.
    pub(super) busy: bool,
    /// Its pages.
    pub(super) pages: i64,
    /// Those of them that are in the database.
    pub(super) copied: i64,
}

impl Checkpoints {
    /// Of a database with pages of so many bytes.
    pub(super) const fn of_pages(page_bytes: i64) -> Self {
        Self::every(STEP_BYTES / page_bytes)
    }

    /// Copies every `step` pages.
    pub(super) const fn every(step: i64) -> Self {
        Self { step, patient_until: 0 }
    }

    /// Does what the length of the log asks for, and tells what that was.
    pub(super) fn run(
        &mut self,
        connection: &Connection,
        copier: &Copier,
    ) -> rusqlite::Result<Step> {
        let found = log(connection, "PRAGMA wal_checkpoint(NOOP)")?;
        let step = self.step(found, copier.copying());
        match step {
            Step::Nothing => {}
            Step::Copy => copier.copy(),
            Step::Restart => {
                connection.busy_timeout(RESTART_WAIT)?;
                let restarted = log(connection, "PRAGMA wal_checkpoint(RESTART)");
                connection.busy_timeout(BUSY_TIMEOUT)?;
                if restarted?.busy {
                    self.waited_in_vain(found.pages);
                }
            }
        }
        Ok(step)
    }

    /// What such a log asks for; nothing as long as it is being copied.
    pub(super) const fn step(&mut self, log: Log, copying: bool) -> Step {
        let rest = log.pages - log.copied;
        let is_long = log.pages >= self.step * LONG_STEPS;
        let is_small = rest <= self.step / REST_PART;
        if !is_long {
            // It started over, or never was long.
            self.patient_until = 0;
        }
        let is_due = is_long && (is_small || log.pages >= self.step * LONGEST_STEPS);
        if copying {
            Step::Nothing
        } else if is_due && log.pages >= self.patient_until {
            Step::Restart
        } else if rest >= self.step || (is_long && !is_small) {
            Step::Copy
        } else {
            Step::Nothing
        }
    }

    /// A reader was there all the time that a log of so many pages was waited for.
    pub(super) const fn waited_in_vain(&mut self, pages: i64) {
        self.patient_until = pages.saturating_add(self.step);
    }
}

fn log(connection: &Connection, pragma: &str) -> rusqlite::Result<Log> {
    let mut statement = connection.prepare_cached(pragma)?;
    statement
        .query_row((), |row| Ok(Log { busy: row.get(0)?, pages: row.get(1)?, copied: row.get(2)? }))
}
