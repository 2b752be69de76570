//! The database file, its neighbours and the lock that keeps a second server out.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::open::OpenError;

/// What SQLite and this store put beside the database.
const NEIGHBOURS: [&str; 3] = ["-wal", "-shm", LOCK];
const LOCK: &str = ".lock";
/// Bits of a mode that let others than the owner in.
const OTHERS: u32 = 0o077;

/// Held as long as this process may write. The operating system gives it back when the process
/// ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database at `path`, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock = beside(path, LOCK);
        let file = private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .map_err(|error| OpenError::io(&lock, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.into() }),
            Err(TryLockError::Error(error)) => Err(OpenError::io(&lock, error)),
        }
    }
}

/// Makes the folder and an empty database file that only the owner can read, if they are missing.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    let folder = folder(path);
    if !folder.exists() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| OpenError::io(&folder, error))?;
    }
    match private().write(true).create_new(true).open(path) {
        // The new name is durable before anything is written under it.
        Ok(_file) => File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| OpenError::io(path, error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::io(path, error)),
    }
}

/// Refuses files and folders that others than their owner can open.
pub(super) fn check_modes(path: &Path) -> Result<(), OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing { path: path.into() });
    }
    check_mode(&folder(path), "0700")?;
    check_mode(path, "0600")?;
    NEIGHBOURS
        .iter()
        .map(|suffix| beside(path, suffix))
        .filter(|neighbour| neighbour.exists())
        .try_for_each(|neighbour| check_mode(&neighbour, "0600"))
}

fn check_mode(path: &Path, wanted: &'static str) -> Result<(), OpenError> {
    let found = fs::metadata(path).map_err(|error| OpenError::io(path, error))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(OpenError::Mode { path: path.into(), mode, wanted })
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.into(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
