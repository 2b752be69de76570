//! Files that only their owner reads, and that are on the disk when it is said that they are.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::BackupError;

/// Bytes read at once.
const BLOCK: usize = 1 << 20;

/// Names the file of an error.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

/// Makes a folder for its owner only; its parents must be there.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Writes a new file for its owner only, durably but for its name.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let writing = || {
        let mut file = create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    writing().map_err(at(path))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(at(path))
}

/// The folder in which `path` lies.
pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.into(),
        Some(_) | None => PathBuf::from("."),
    }
}

/// `path` with something behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Length and SHA-256, in lower-case hex, of a file.
pub(super) fn digest(path: &Path) -> Result<(u64, String), BackupError> {
    let reading = || hashed(&mut File::open(path)?, &mut io::sink());
    reading().map_err(at(path))
}

/// Copies into a new file for its owner only, durably but for its name; answers length and
/// SHA-256 of what was written.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(u64, String), BackupError> {
    let mut source = File::open(from).map_err(at(from))?;
    let mut copying = || {
        let mut target = create(to)?;
        let found = hashed(&mut source, &mut target)?;
        target.sync_all()?;
        Ok(found)
    };
    copying().map_err(at(to))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn hashed(from: &mut File, to: &mut dyn io::Write) -> io::Result<(u64, String)> {
    let mut sha = Sha256::new();
    let mut block = vec![0_u8; BLOCK];
    let mut length = 0_u64;
    loop {
        let count = from.read(&mut block)?;
        let read = block.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Ok((length, hex::encode(sha.finalize())));
        }
        sha.update(read);
        to.write_all(read)?;
        length = length.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
}
