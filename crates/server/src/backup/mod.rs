//! Backup and restore of an installation.
//!
//! | file | what |
//! | --- | --- |
//! | `take` | makes the folder of a backup |
//! | `restore` | puts one in place, once it is proved whole |
//! | `proof` | whether a copy is sound and what its manifest tells of |
//! | `manifest` | what a backup says of itself |
//! | `secrets` | keys and tokens, which are not in the store |
//! | `disk` | files that are private and durable |
//!
//! | file of a backup | what |
//! | --- | --- |
//! | `hongbao.db` | the store at one moment |
//! | `manifest.json` | versions, time, hash of the store, heads of its journals; written last |
//! | `secrets.json` | only if asked for |

mod disk;
mod manifest;
mod proof;
mod restore;
mod secrets;
mod take;

use std::{io, path::PathBuf};

use hongbao_app::ports::StoreError;
use hongbao_store::sqlite::{self, OpenError};

pub use manifest::{Database, HeadsSummary, Manifest, UserHeads};
pub use restore::{Restored, Target, restore};
pub use secrets::Secrets;
pub use take::{Taken, Wanted, take};

use crate::{heads::HeadsError, running::StartError};

/// The store's file in a backup.
const DATABASE: &str = "hongbao.db";
const MANIFEST: &str = "manifest.json";
const SECRETS: &str = "secrets.json";

/// Why a backup was not made, or not restored. Nothing is left that passes for one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store is PostgreSQL's.
    #[error(
        "a store on PostgreSQL is backed up and restored by PostgreSQL's own tools, with heads of \
         its journals from `hongbao heads`: see docs/guide/backup.md"
    )]
    OnServer,
    /// Something is there already.
    #[error("{path} {why}")]
    InTheWay {
        /// What.
        path: PathBuf,
        /// Why that is wrong, and what to do.
        why: String,
    },
    /// A backup that cannot be used.
    #[error("{path}: {why}")]
    Unusable {
        /// Which file of it.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be opened for looking.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot be copied.
    #[error(transparent)]
    Copy(#[from] sqlite::BackupError),
    /// Exported heads cannot be read.
    #[error(transparent)]
    Heads(#[from] HeadsError),
    /// The store cannot be restored from a copy.
    #[error(
        "the store is not sound, and a copy of it could not be restored; no backup was made. Look \
         with `hongbao verify`, and keep the last good backup:\n{0}"
    )]
    SourceUnsound(String),
    /// Its schema is not this program's.
    #[error(
        "the store has schema {found} and this program {needed}, so its books cannot be checked; \
         no backup was made. Back up without --verify, or run `hongbao migrate` first"
    )]
    Uncheckable {
        /// The newest migration in the store.
        found: i64,
        /// The newest migration of this program.
        needed: i64,
    },
    /// The store of the backup is not sound.
    #[error("the store of this backup is not sound, and nothing was put in place:\n{0}")]
    Unsound(String),
}

fn unusable(path: impl Into<PathBuf>, why: impl Into<String>) -> BackupError {
    BackupError::Unusable { path: path.into(), why: why.into() }
}

fn in_the_way(path: impl Into<PathBuf>, why: impl Into<String>) -> BackupError {
    BackupError::InTheWay { path: path.into(), why: why.into() }
}
