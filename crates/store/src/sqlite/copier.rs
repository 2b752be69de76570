//! The thread that copies the log into the database, beside the writer.
//!
//! Copying is a fifth to a quarter of what a claim costs, and SQLite lets it run while commits are
//! appended: on a thread of its own it holds up nobody. It only ever copies passively; to start
//! the log over is the writer's step, which alone knows when no commit is under way.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use rusqlite::Connection;

use super::{broken::Broken, open, open::OpenError};

/// The writer's side.
#[derive(Debug)]
pub(super) struct Copier {
    wake: Option<SyncSender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    copying: Arc<AtomicBool>,
}

impl Copier {
    /// Opens a connection of its own and starts the thread.
    pub(super) fn start(path: &Path, broken: Broken) -> Result<Self, OpenError> {
        let connection = open::copier(path)?;
        let copying = Arc::new(AtomicBool::new(false));
        let (wake, woken) = sync_channel(1);
        let shared = Arc::clone(&copying);
        let thread = thread::Builder::new()
            .name("sqlite-copier".to_owned())
            .spawn(move || serve(&connection, &woken, &shared, &broken))
            .map_err(|error| OpenError::io(path, error))?;
        Ok(Self { wake: Some(wake), thread: Some(thread), copying })
    }

    /// True while a copy runs.
    pub(super) fn copying(&self) -> bool {
        self.copying.load(Ordering::Acquire)
    }

    /// Has the log copied, unless that is under way.
    pub(super) fn copy(&self) {
        if self.copying.swap(true, Ordering::AcqRel) {
            return;
        }
        let woken = self.wake.as_ref().is_some_and(|wake| wake.send(()).is_ok());
        if !woken {
            // The thread is gone; the writer starts the log over by itself once it is long.
            self.copying.store(false, Ordering::Release);
        }
    }
}

impl Drop for Copier {
    /// Waits for a copy under way, so that the writer closes the database last.
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the copier of the SQLite log ended in a panic");
        }
    }
}

fn serve(connection: &Connection, woken: &Receiver<()>, copying: &AtomicBool, broken: &Broken) {
    while woken.recv().is_ok() {
        let _done = Done(copying);
        if broken.why().is_some() {
            continue;
        }
        let copied =
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| row.get::<_, i64>(0));
        if let Err(error) = copied {
            broken.break_off(&format!("a copy of the log failed: {error}"));
        }
    }
}

/// Says that the copy is over, whichever way it ended.
struct Done<'c>(&'c AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
