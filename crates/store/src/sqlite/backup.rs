//! A backup: one moment of the store, copied page by page beside whoever writes.
//!
//! SQLite's backup begins again whenever another process commits between two of its steps, so
//! under steady load it would never end. Inside a read transaction it does not: the pages are
//! those of the snapshot, whose heads are read by the same connection. The writer is never waited
//! for and never waits; its log cannot start over before the copy is done, and grows meanwhile.
//!
//! `VACUUM INTO` reads one snapshot too. It builds every tree anew, which holds the log several
//! times as long, tells no progress, and its file is not in WAL mode.

use std::{fs::File, io, path::Path};

use hongbao_app::ports::{AuditSource, StoreError};
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use super::{
    audit::Snapshot,
    files,
    open::{self, OpenError},
    schema,
    store::SqliteStore,
};
use crate::{
    error::{Failure, Outcome},
    settings::SettingsCache,
};

/// Pages between two tellings of the progress: 16 MiB.
const STEP_PAGES: i32 = 4_096;

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read, or the copy cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Pages that are copied.
    pub pages: i32,
    /// Pages of the database.
    pub of_pages: i32,
}

/// A moment of a store, held until this is dropped.
pub struct SqliteBackup {
    snapshot: Snapshot,
}

impl SqliteBackup {
    /// Takes hold of the store at `path` as it is now; works beside a running server.
    pub async fn begin(path: &Path) -> Result<Self, BackupError> {
        files::check_modes(path)?;
        open::check_version()?;
        let snapshot = Snapshot::open(path, std::sync::Arc::new(SettingsCache::default())).await?;
        Ok(Self { snapshot })
    }

    /// The newest migration in the store; one that is newer than this program's is refused, for
    /// its journals may say what this program cannot read.
    pub async fn schema(&mut self) -> Result<i64, BackupError> {
        let version = self.snapshot.read(|connection, _| {
            schema::version(connection)
                .map_err(|error| StoreError::Unavailable(error.to_string()).into())
        });
        let (found, needed) = (version.await?, schema::newest());
        if found > needed {
            return Err(OpenError::SchemaTooNew { found, needed }.into());
        }
        Ok(found)
    }

    /// What is wrong with the schema and with settings that stand in the file, a sentence each;
    /// nothing that grows is read. An older schema is not for this program to judge. Half a store,
    /// which a move has not filled, is refused.
    pub async fn check(&mut self) -> Result<Vec<String>, BackupError> {
        let checked = self.snapshot.read(|connection, _| Ok(check(connection)));
        Ok(checked.await??)
    }

    /// What the store holds at this moment.
    pub fn source(&mut self) -> &mut dyn AuditSource {
        &mut self.snapshot
    }

    /// Copies the moment into the file `to`, which must not exist, and makes it durable; its name
    /// is durable once the caller has synced the folder.
    pub async fn copy_to(
        &mut self,
        to: &Path,
        tell: impl FnMut(Copied) + Send + 'static,
    ) -> Result<(), BackupError> {
        let to = to.to_owned();
        Ok(self.snapshot.read(move |connection, _| copy(connection, &to, tell)).await?)
    }
}

impl SqliteStore {
    /// The newest migration of this program.
    pub fn newest_schema() -> i64 {
        schema::newest()
    }
}

fn check(connection: &Connection) -> Result<Vec<String>, OpenError> {
    schema::refuse_half(connection)?;
    let mut sentences = Vec::new();
    if schema::version(connection)? == schema::newest() {
        sentences.extend(schema::differences(connection)?);
    }
    sentences.extend(open::check_settings(connection).err().map(|error| error.to_string()));
    Ok(sentences)
}

fn copy(from: &Connection, to: &Path, mut tell: impl FnMut(Copied)) -> Outcome<()> {
    if to.exists() {
        return Err(unavailable(to, "it exists already"));
    }
    files::create(to).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let mut target = Connection::open_with_flags(to, open::writing())?;
    // A copy that does not end is thrown away, and one that does is synced once.
    target.pragma_update(None, "journal_mode", "off")?;
    target.pragma_update(None, "synchronous", "off")?;
    copy_pages(&Backup::new(from, &mut target)?, to, &mut tell)?;
    target.close().map_err(|(_connection, error)| error)?;
    let synced = File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error: io::Error| unavailable(to, &error.to_string()))
}

fn copy_pages(backup: &Backup<'_, '_>, to: &Path, tell: &mut impl FnMut(Copied)) -> Outcome<()> {
    loop {
        let step = backup.step(STEP_PAGES)?;
        let progress = backup.progress();
        let pages = progress.pagecount.saturating_sub(progress.remaining);
        tell(Copied { pages, of_pages: progress.pagecount });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else has the copy, and a snapshot that is held needs no further lock.
            _ => return Err(unavailable(to, "it is locked by somebody else")),
        }
    }
}

fn unavailable(path: &Path, why: &str) -> Failure {
    StoreError::Unavailable(format!("the copy {}: {why}", path.display())).into()
}
