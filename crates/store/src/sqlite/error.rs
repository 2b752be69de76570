//! What can go wrong below the port, and what it is called there.

use hongbao_app::ports::StoreError;
use rusqlite::{Error as SqlError, ErrorCode, ffi};

/// Either SQLite failed, or a rule of the store did.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite's own words.
    Sql(SqlError),
    /// Said already.
    Store(StoreError),
}

/// What functions of this store answer.
pub(super) type Outcome<T> = Result<T, Failure>;

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// A row holds what no row can hold.
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Store(StoreError::Corrupt(what.into()))
    }

    /// A row of kind `what` was changed by somebody else or exists already.
    pub(super) const fn conflict(what: &'static str) -> Self {
        Self::Store(StoreError::Conflict { what })
    }

    /// The failure of an insert of a `what`: a key that is taken is a conflict.
    pub(super) fn inserting(error: SqlError, what: &'static str) -> Self {
        match extended_code(&error) {
            Some(
                ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_ROWID,
            ) => Self::conflict(what),
            _ => Self::Sql(error),
        }
    }

    /// As the port names it. Nothing was committed.
    pub(super) fn into_store(self) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Sql(error) => error,
        };
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation,
            ) => StoreError::Corrupt(error.to_string()),
            _ => StoreError::Unavailable(error.to_string()),
        }
    }
}

/// True when a commit that failed like this has surely not taken place: the disk was full before
/// the commit record was complete, or the lock was not to be had.
pub(super) fn surely_not_committed(error: &SqlError) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ReadOnly)
    )
}

fn extended_code(error: &SqlError) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
