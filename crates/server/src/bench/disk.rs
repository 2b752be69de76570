//! What the disk can do: appends of one page, each followed by fdatasync.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
    time::{Duration, Instant},
};

/// Appends `count` pages of 4 KiB to a new file in `directory`, syncing each.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) fn synced_appends(directory: &Path, count: u32) -> io::Result<Duration> {
    let path = directory.join("fdatasync.probe");
    let mut file = File::create(&path)?;
    let started = Instant::now();
    for _ in 0..count {
        file.write_all(&[0x5a; 4_096])?;
        file.sync_data()?;
    }
    let elapsed = started.elapsed();
    std::fs::remove_file(path)?;
    Ok(elapsed)
}
