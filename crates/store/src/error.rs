//! What can go wrong below the port, and what it is called there.

use hongbao_app::ports::StoreError;
use rusqlite::{ErrorCode, ffi};
use tokio_postgres::error::SqlState;

use crate::postgres::tls_advice;

/// A database failed, or a rule of the store did.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite's own words.
    Sqlite(rusqlite::Error),
    /// PostgreSQL's own words.
    Postgres(tokio_postgres::Error),
    /// Said already.
    Store(StoreError),
}

/// What functions of the stores answer.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// A row holds what no row can hold.
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Store(StoreError::Corrupt(what.into()))
    }

    /// A row of kind `what` was changed by somebody else or exists already.
    pub(crate) const fn conflict(what: &'static str) -> Self {
        Self::Store(StoreError::Conflict { what })
    }

    /// Nothing was written, and the same may be asked again.
    pub(crate) fn unavailable(why: impl Into<String>) -> Self {
        Self::Store(StoreError::Unavailable(why.into()))
    }

    /// The failure of an insert of a `what`: a key that is taken is a conflict.
    pub(crate) fn inserting(self, what: &'static str) -> Self {
        let taken = match &self {
            Self::Sqlite(error) => matches!(
                error.sqlite_error().map(|error| error.extended_code),
                Some(
                    ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                        | ffi::SQLITE_CONSTRAINT_UNIQUE
                        | ffi::SQLITE_CONSTRAINT_ROWID
                )
            ),
            Self::Postgres(error) => state(error) == Some(&SqlState::UNIQUE_VIOLATION),
            Self::Store(_) => false,
        };
        if taken { Self::conflict(what) } else { self }
    }

    /// As the port names it. Nothing was committed.
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(
                    ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::ConstraintViolation,
                ) => StoreError::Corrupt(error.to_string()),
                _ => StoreError::Unavailable(error.to_string()),
            },
            Self::Postgres(error) => match state(&error) {
                Some(
                    &SqlState::DATA_CORRUPTED
                    | &SqlState::INDEX_CORRUPTED
                    | &SqlState::CHECK_VIOLATION
                    | &SqlState::NOT_NULL_VIOLATION
                    | &SqlState::UNIQUE_VIOLATION,
                ) => StoreError::Corrupt(told(&error)),
                _ => StoreError::Unavailable(told(&error)),
            },
        }
    }
}

/// What Citus says of rows that it copies to a worker, which is how it inserts them, has the worker's
/// sentence and lost its code. A worker that speaks another language is not understood here: then
/// the error counts as one that nothing is known of, which is never wrong, and never tried again.
const SENTENCES: [(&str, &SqlState); 5] = [
    ("duplicate key value violates unique constraint", &SqlState::UNIQUE_VIOLATION),
    ("new row for relation", &SqlState::CHECK_VIOLATION),
    ("null value in column", &SqlState::NOT_NULL_VIOLATION),
    ("canceling statement due to lock timeout", &SqlState::LOCK_NOT_AVAILABLE),
    ("deadlock detected", &SqlState::T_R_DEADLOCK_DETECTED),
];

/// Which error PostgreSQL tells of.
pub(crate) fn state(error: &tokio_postgres::Error) -> Option<&SqlState> {
    let said = error.as_db_error()?;
    let by_sentence = SENTENCES.iter().find(|(start, _)| said.message().starts_with(start));
    match (said.code(), by_sentence) {
        (&SqlState::INTERNAL_ERROR, Some((_, state))) => Some(state),
        (code, _) => Some(code),
    }
}

/// One row must have been written: none means that it is not as it was loaded.
pub(crate) fn one(written: impl TryInto<u64>, what: &'static str) -> Outcome<()> {
    if matches!(written.try_into(), Ok(1)) { Ok(()) } else { Err(Failure::conflict(what)) }
}

/// The server's own sentence where there is one; the client library only says "db error". With what
/// to do where TLS is the trouble.
pub(crate) fn told(error: &tokio_postgres::Error) -> String {
    let said = said(error);
    tls_advice(error).map_or_else(|| said.clone(), |advice| format!("{said}; {advice}"))
}

fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => format!("{}: {}", said.code().code(), said.message()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
