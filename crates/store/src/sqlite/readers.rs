//! Readers: a few connections, each used by one query at a time.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use hongbao_app::ports::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::Semaphore;

use super::{open, open::OpenError};
use crate::{
    error::{Failure, Outcome},
    settings::SettingsCache,
};

/// Connections that read. Four keep the cores of a small machine busy; each holds a cache.
const READERS: usize = 4;

/// The pool.
#[derive(Debug)]
pub(super) struct Readers {
    shared: Arc<Shared>,
    turns: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    settings: Arc<SettingsCache>,
}

impl Readers {
    /// Opens the readers of the database at `path`.
    pub(super) fn open(path: &Path, settings: Arc<SettingsCache>) -> Result<Self, OpenError> {
        let idle = (0..READERS).map(|_| open::reader(path)).collect::<Result<_, _>>()?;
        Ok(Self {
            shared: Arc::new(Shared { path: path.into(), idle: Mutex::new(idle), settings }),
            turns: Arc::new(Semaphore::new(READERS)),
        })
    }

    /// The database they read.
    pub(super) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Parsed settings, shared with whoever reads beside the pool.
    pub(super) fn settings(&self) -> Arc<SettingsCache> {
        Arc::clone(&self.shared.settings)
    }

    /// Runs `query` in one snapshot, away from the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection, &SettingsCache) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|closed| StoreError::Unavailable(closed.to_string()))?;
        let shared = Arc::clone(&self.shared);
        // The turn goes along: a caller that gives up does not free a connection still in use.
        let reading = move || {
            let result = shared.read(query);
            drop(turn);
            result
        };
        tokio::task::spawn_blocking(reading)
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

impl Shared {
    fn read<T>(
        &self,
        query: impl FnOnce(&Connection, &SettingsCache) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        let idle = self.lock().pop();
        // One is missing only after a query panicked.
        let mut connection = idle
            .map_or_else(|| open::reader(&self.path), Ok)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let result = snapshot(&mut connection, &self.settings, query);
        self.lock().push(connection);
        result.map_err(Failure::into_store)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn snapshot<T>(
    connection: &mut Connection,
    settings: &SettingsCache,
    query: impl FnOnce(&Connection, &SettingsCache) -> Outcome<T>,
) -> Outcome<T> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    query(&tx, settings)
}
