//! Restoring: the store is copied beside its final name, proved there, and renamed last. Until
//! then nothing is there that opens as a store.

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use hongbao_app::{
    heads::{How, Lost, ToldHeads, compare},
    ports::Clock,
};
use hongbao_store::sqlite::{OpenError, SqliteStore};
use zeroize::Zeroizing;

use super::{
    BackupError, Manifest, SECRETS, Secrets,
    disk::{self, at, beside},
    in_the_way, proof, unusable,
};
use crate::{config::StoreUrl, running::open_store_read_only};

/// Behind the name of a store that is not proved yet.
const UNPROVED: &str = ".restoring";

/// Where to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The data directory, if secrets shall be restored too; it must be empty.
    pub data: Option<PathBuf>,
    /// The store; it must not exist.
    pub store: StoreUrl,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup said of itself.
    pub manifest: Manifest,
    /// False when its schema is older than this program's: it can be checked once it is migrated.
    pub proved: bool,
    /// What was told outside of the store and came after the backup.
    pub lost: Vec<Lost>,
    /// Whether keys and tokens were in it.
    pub secrets: bool,
}

/// Restores the backup in `from`; `told` are heads that were exported, against which the lost
/// window is measured.
pub async fn restore(
    from: &Path,
    target: &Target,
    told: &ToldHeads,
    clock: Arc<dyn Clock>,
) -> Result<Restored, BackupError> {
    let manifest = Manifest::read(from)?;
    let (found, needed) = (manifest.schema, SqliteStore::newest_schema());
    if found > needed {
        return Err(OpenError::SchemaTooNew { found, needed }.into());
    }
    let secrets = secrets_of(from, &manifest, target)?;
    match &target.store {
        StoreUrl::Sqlite(path) => {
            prepare(path, target.data.as_deref())?;
            let unproved = beside(path, UNPROVED);
            let restoring = Restoring { from, path, unproved: &unproved, manifest, told };
            let restored = restoring.run(target.data.as_deref(), secrets, clock).await;
            if restored.is_err() {
                // Told is what failed first; a rest is taken away by the next attempt.
                drop(remove_unproved(&unproved));
            }
            restored
        }
        StoreUrl::Postgres(_) => Err(BackupError::OnServer),
    }
}

struct Restoring<'r> {
    from: &'r Path,
    path: &'r Path,
    unproved: &'r Path,
    manifest: Manifest,
    told: &'r ToldHeads,
}

impl Restoring<'_> {
    async fn run(
        self,
        data: Option<&Path>,
        secrets: Option<Secrets>,
        clock: Arc<dyn Clock>,
    ) -> Result<Restored, BackupError> {
        self.copy()?;
        let proved = self.manifest.schema == SqliteStore::newest_schema();
        let lost = if proved { self.prove(&clock).await? } else { Vec::new() };
        proof::remove_logs(self.unproved)?;
        if let (Some(secrets), Some(data)) = (&secrets, data) {
            secrets.put_into(data)?;
        }
        fs::rename(self.unproved, self.path).map_err(at(self.path))?;
        disk::sync_folder(&disk::parent(self.path))?;
        Ok(Restored { manifest: self.manifest, proved, lost, secrets: secrets.is_some() })
    }

    fn copy(&self) -> Result<(), BackupError> {
        let wanted = &self.manifest.database;
        if Path::new(&wanted.file).file_name() != Some(OsStr::new(&wanted.file)) {
            return Err(unusable(self.from, "its manifest names a store outside of it"));
        }
        let source = self.from.join(&wanted.file);
        let (bytes, sha256) = disk::copy(&source, self.unproved)?;
        if bytes != wanted.bytes {
            let why = format!("is damaged: {bytes} bytes, the manifest says {}", wanted.bytes);
            return Err(unusable(source, why));
        }
        if sha256 != wanted.sha256 {
            let why = format!("is damaged: SHA-256 {sha256}, the manifest says {}", wanted.sha256);
            return Err(unusable(source, why));
        }
        Ok(())
    }

    /// Checks everything of the copy; answers what came after it.
    async fn prove(&self, clock: &Arc<dyn Clock>) -> Result<Vec<Lost>, BackupError> {
        let store =
            open_store_read_only(&StoreUrl::Sqlite(self.unproved.to_owned()), clock).await?;
        let wrong = proof::wrong(store.as_ref(), &self.manifest.heads).await?;
        if !wrong.is_empty() {
            return Err(BackupError::Unsound(wrong.join("\n")));
        }
        let mut source = store.audit_source().await?;
        let lost = compare(source.as_mut(), self.told).await?;
        let others: Vec<_> = lost.iter().filter(|lost| lost.how == How::Other).collect();
        if others.is_empty() {
            return Ok(lost);
        }
        let others: Vec<_> = others.iter().map(ToString::to_string).collect();
        Err(BackupError::Unsound(others.join("\n")))
    }
}

/// The secrets of the backup. They may have been taken elsewhere, as they should.
fn secrets_of(
    from: &Path,
    manifest: &Manifest,
    target: &Target,
) -> Result<Option<Secrets>, BackupError> {
    let path = from.join(SECRETS);
    if target.data.is_none() || !path.exists() {
        return Ok(None);
    }
    if manifest.secrets_sha256.as_ref() != Some(&disk::digest(&path)?.1) {
        return Err(unusable(
            path,
            "is damaged, or of another backup: the manifest does not have its SHA-256",
        ));
    }
    let text = fs::read_to_string(&path).map(Zeroizing::new).map_err(at(&path))?;
    Secrets::parse(&path, &text).map(Some)
}

/// Refuses what is not empty, and makes what is missing.
fn prepare(store: &Path, data: Option<&Path>) -> Result<(), BackupError> {
    let unproved = beside(store, UNPROVED);
    remove_unproved(&unproved)?;
    if let Some(data) = data {
        make_missing(data)?;
        if let Some(entry) = fs::read_dir(data).map_err(at(data))?.next() {
            let path = entry.map_err(at(data))?.path();
            return Err(in_the_way(
                path,
                "is there already: restore into a new or empty directory, or give only --store",
            ));
        }
        // It is empty and given to us: what will lie in it is for its owner only.
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(data, private).map_err(at(data))?;
    }
    make_missing(&disk::parent(store))?;
    for suffix in ["", "-wal", "-shm"] {
        let path = beside(store, suffix);
        if path.symlink_metadata().is_ok() {
            return Err(in_the_way(path, "is there already: move it away first"));
        }
    }
    Ok(())
}

fn make_missing(folder: &Path) -> Result<(), BackupError> {
    if folder.exists() {
        return Ok(());
    }
    disk::make_folder(folder).map_err(at(folder))?;
    disk::sync_folder(&disk::parent(folder))
}

fn remove_unproved(unproved: &Path) -> Result<(), BackupError> {
    for suffix in ["", "-wal", "-shm"] {
        proof::remove(&beside(unproved, suffix))?;
    }
    Ok(())
}
