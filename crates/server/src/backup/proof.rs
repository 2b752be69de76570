//! Whether a copy is sound and what its manifest tells of.

use std::{fs, io, path::Path};

use hongbao_app::{jobs::check_books, ports::Store};

use super::{
    BackupError, HeadsSummary,
    disk::{at, beside},
    in_the_way,
};

/// What SQLite puts beside a database that is looked at.
const LOGS: [&str; 2] = ["-wal", "-shm"];

/// Checks everything; answers what is wrong, a sentence each.
pub(super) async fn wrong(
    store: &dyn Store,
    wanted: &HeadsSummary,
) -> Result<Vec<String>, BackupError> {
    let found = check_books(store, None).await?;
    if !found.clean() {
        let report = found.report.to_string();
        let broken = report.lines().filter(|line| line.contains("FAIL")).map(str::to_owned);
        return Ok(found.structure.iter().cloned().chain(broken).collect());
    }
    let mut source = store.audit_source().await?;
    let heads = HeadsSummary::of(source.as_mut()).await?;
    Ok(wanted.differences(&heads))
}

/// Nothing was written to it while it was looked at, so its log is empty.
pub(super) fn remove_logs(copy: &Path) -> Result<(), BackupError> {
    let log = beside(copy, "-wal");
    if fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        return Err(in_the_way(
            log,
            "is not empty: somebody wrote to the store while it was checked",
        ));
    }
    LOGS.iter().try_for_each(|suffix| remove(&beside(copy, suffix)))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
