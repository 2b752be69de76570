//! Making a backup: everything is written beside the final name, made durable, and renamed.
//!
//! What costs nothing is looked at every time: the schema, and the ends of merchants' journals. A
//! store that fails there could not be restored from its copy. Everything is checked if it is asked
//! for, on the copy, so that the server does not wait and the log is not held.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use hongbao_app::{heads::torn_ends, ports::Clock};
use hongbao_store::sqlite::{Copied, SqliteBackup, SqliteStore};

use super::{
    BackupError, DATABASE, Database, HeadsSummary, MANIFEST, Manifest, SECRETS, Secrets,
    disk::{self, at},
    in_the_way, proof, unusable,
};
use crate::{config::StoreUrl, running::open_store_read_only};

/// A backup that was made and is durable.
#[derive(Debug)]
pub struct Taken {
    /// What it says of itself.
    pub manifest: Manifest,
}

/// What a backup shall be.
#[derive(Debug)]
pub struct Wanted<'w> {
    /// Keys and tokens that go along.
    pub secrets: Option<&'w Secrets>,
    /// Whether the copy is checked as a restore would check it.
    pub verify: bool,
}

/// Makes a backup of `store` in the new folder `to`.
pub async fn take(
    store: &StoreUrl,
    to: &Path,
    wanted: &Wanted<'_>,
    clock: &Arc<dyn Clock>,
    tell: impl FnMut(Copied) + Send + 'static,
) -> Result<Taken, BackupError> {
    let unfinished = begin(to)?;
    let taken = match store {
        StoreUrl::Sqlite(path) => sqlite(path, &unfinished, wanted, clock, tell).await,
        StoreUrl::Postgres(_) => Err(BackupError::OnServer),
    };
    let finished = taken.and_then(|taken| finish(&unfinished, to).map(|()| taken));
    if finished.is_err() {
        // What failed is told; what cannot be removed either is named by the next attempt.
        drop(fs::remove_dir_all(&unfinished));
    }
    finished
}

/// Makes the folder that is written to.
fn begin(to: &Path) -> Result<PathBuf, BackupError> {
    let Some(name) = to.file_name() else {
        return Err(unusable(to, "names no new folder"));
    };
    if to.symlink_metadata().is_ok() {
        return Err(in_the_way(to, "is there already: give the name of a new folder"));
    }
    let mut unfinished = name.to_owned();
    unfinished.push(".part");
    let unfinished = to.with_file_name(unfinished);
    if unfinished.symlink_metadata().is_ok() {
        return Err(in_the_way(
            unfinished,
            "is left of a backup that was interrupted, unless one is under way: remove it",
        ));
    }
    disk::make_folder(&unfinished).map_err(at(&unfinished))?;
    Ok(unfinished)
}

async fn sqlite(
    store: &Path,
    folder: &Path,
    wanted: &Wanted<'_>,
    clock: &Arc<dyn Clock>,
    tell: impl FnMut(Copied) + Send + 'static,
) -> Result<Taken, BackupError> {
    // Read before the moment is fixed: what was answered by then is in the backup.
    let taken_at = clock.now().rfc3339();
    let mut backup = SqliteBackup::begin(store).await?;
    let schema = backup.schema().await?;
    let needed = SqliteStore::newest_schema();
    if wanted.verify && schema != needed {
        return Err(BackupError::Uncheckable { found: schema, needed });
    }
    sound(&backup.check().await?)?;
    sound(&torn_ends(backup.source()).await?)?;
    let path = folder.join(DATABASE);
    backup.copy_to(&path, tell).await?;
    let heads = HeadsSummary::of(backup.source()).await?;
    // From here on the log may start over again.
    drop(backup);
    if wanted.verify {
        let copy = open_store_read_only(&StoreUrl::Sqlite(path.clone()), clock).await?;
        sound(&proof::wrong(copy.as_ref(), &heads).await?)?;
        drop(copy);
        proof::remove_logs(&path)?;
    }
    let (bytes, sha256) = disk::digest(&path)?;
    let database = Database { file: DATABASE.to_owned(), bytes, sha256 };
    let mut manifest = Manifest::new(taken_at, schema, database, heads);
    if let Some(secrets) = wanted.secrets {
        let path = folder.join(SECRETS);
        disk::write(&path, secrets.text()?.as_bytes())?;
        manifest.secrets_sha256 = Some(disk::digest(&path)?.1);
    }
    // Last, for a folder without it is no backup.
    disk::write(&folder.join(MANIFEST), manifest.text()?.as_bytes())?;
    Ok(Taken { manifest })
}

fn sound(wrong: &[String]) -> Result<(), BackupError> {
    if wrong.is_empty() { Ok(()) } else { Err(BackupError::SourceUnsound(wrong.join("\n"))) }
}

fn finish(unfinished: &Path, to: &Path) -> Result<(), BackupError> {
    disk::sync_folder(unfinished)?;
    fs::rename(unfinished, to).map_err(at(to))?;
    disk::sync_folder(&disk::parent(to))
}
