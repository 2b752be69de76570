//! Files that appear whole and with their mode, or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use super::CaError;

/// Owner only.
pub(super) const PRIVATE: u32 = 0o600;
/// Readable by all.
pub(super) const PUBLIC: u32 = 0o644;
/// Directory, owner only.
const PRIVATE_DIR: u32 = 0o700;

/// Makes `dir`, for its owner only, unless it exists.
pub(super) fn private_dir(dir: &Path) -> Result<(), CaError> {
    DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(dir).map_err(at(dir))
}

/// Writes `path` by way of a neighbour and a rename, so that no reader and no crash sees half of
/// it and the bytes are never on disk under a wider mode.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CaError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    write_synced(new, bytes, mode)
        .and_then(|()| fs::rename(new, path))
        .and_then(|()| sync_parent(path))
        .map_err(at(path))
}

fn write_synced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Reads `path`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CaError> {
    fs::read(path).map_err(at(path))
}

/// Reads `path`, if nobody but its owner can (O-6).
pub(super) fn read_private(path: &Path) -> Result<Vec<u8>, CaError> {
    let mode = fs::metadata(path).map_err(at(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CaError::Permissions { path: path.to_owned(), mode });
    }
    read(path)
}

fn at(path: &Path) -> impl Fn(io::Error) -> CaError {
    move |source| CaError::File { path: path.to_owned(), source }
}
