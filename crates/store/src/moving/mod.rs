//! Moving a store to another database, whole or not at all.
//!
//! | step | what | refused when |
//! | --- | --- | --- |
//! | look | at both sides | another move is under way, a server is at work, the target holds rows |
//! | survey | rows, bytes and SHA-256 of every table of the source | it is not as it was in the attempt before |
//! | check | the books of the source, once | they do not add up |
//! | mark | what the source is, written into the target before the first row | |
//! | copy | table by table, page by page in the order of the keys, each page one transaction | |
//! | settle | sequences behind the highest number, statistics | |
//! | compare | rows and SHA-256 of every table of the target | any is not the source's |
//! | prove | the books of the target; every balance and head against the source's | anything differs |
//! | close | the source is marked as moved: it opens for no server any more | |
//! | open | the mark of the target goes: it opens | |
//!
//! The source stands still all the time: of SQLite its lock is held, on PostgreSQL its tables are
//! locked against writing. A server does not open a target that has the mark. An interrupted move
//! goes on, in each table, after the last key that is there: pages are written in order and whole,
//! so what is there is everything up to it. No record of the progress can be wrong, for there is
//! none.
//!
//! Never do both open: the source is closed before the target opens, and a move that was cut
//! between the two is gone on with like any other. Taking a move back closes the target first.
//!
//! | file | what |
//! | --- | --- |
//! | `carry` | the steps |
//! | `undo` | the way back from a move whose target was never served |
//! | `cells` | tables and rows as they travel |
//! | `ends` | what a move needs of a database: `sqlite/moving.rs`, `postgres/moving.rs` |
//! | `digest` | tables in short |
//! | `proof` | the books of both sides |

mod carry;
mod cells;
mod digest;
mod ends;
mod proof;
mod side;
#[cfg(test)]
mod tests;
mod undo;

use std::{fmt, ops::ControlFlow, path::PathBuf};

use hongbao_app::ports::StoreError;

pub(crate) use carry::Hold;
pub use carry::{dry_run, run};
pub(crate) use cells::{Cell, Page, Table};
pub use digest::{Survey, TableDigest};
pub(crate) use ends::{Found, Reading, Target};
pub use side::Side;
pub use undo::undo;

use crate::{OpenError, postgres::PostgresUrl};

/// Makes the mark of a move, on both databases. What it says is the survey of the source.
pub(crate) const MARK: &str = "CREATE TABLE moving (source TEXT)";
/// Makes the mark of a store that was moved, on both databases. What it says is where to. A program
/// that does not know it takes the table for a change of the schema, and does not open either.
pub(crate) const MOVED: &str = "CREATE TABLE moved (target TEXT)";

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresUrl),
}

/// As the mark of a source names it: without a password, and the same from any directory.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                write!(f, "sqlite:{}", path.display())
            }
            Self::Postgres(url) => match url.options() {
                Some(options) => write!(f, "{url} ({options})"),
                None => write!(f, "{url}"),
            },
        }
    }
}

/// What a move does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reads the source once, to know what it is.
    Survey,
    /// Checks the books of the source.
    Check,
    /// Copies.
    Copy,
    /// Sets sequences, gathers statistics.
    Settle,
    /// Reads the target once.
    Compare,
    /// Checks the books of the target, and every balance and head.
    Prove,
    /// Marks as moved the side that must not be served any more.
    Close,
    /// Opens the other one.
    Open,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Survey => "survey",
            Self::Check => "check of the source",
            Self::Copy => "copy",
            Self::Settle => "statistics",
            Self::Compare => "comparison",
            Self::Prove => "check of the target",
            Self::Close => "closing of the old store",
            Self::Open => "opening of the new one",
        })
    }
}

/// How far a move is: told after every page.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// What it does.
    pub stage: Stage,
    /// With which table; empty where it is none.
    pub table: &'s str,
    /// Rows of this table that are done.
    pub rows: u64,
    /// Rows that this table has; 0 while that is not known.
    pub of_rows: u64,
    /// Rows of all tables that are done.
    pub all_rows: u64,
    /// Rows that all tables have; 0 while that is not known.
    pub of_all_rows: u64,
}

/// Who is told, and may stop the move: it can be gone on with later.
pub type Tell<'t> = dyn FnMut(&Step<'_>) -> ControlFlow<()> + Send + 't;

/// A move that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What was moved.
    pub survey: Survey,
    /// Whether it went on from an earlier attempt.
    pub resumed: bool,
}

/// What a move would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What would be moved.
    pub survey: Survey,
    /// What the target is.
    pub target: Ready,
}

/// A target that a move can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It has no schema: the move makes it.
    Nothing,
    /// It has the schema and no rows.
    Empty,
    /// It has a part of this source, and the move goes on.
    Half,
}

/// Why a store was not moved. Says what, why and what to do.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A side cannot be opened.
    #[error("the {side}: {error}")]
    Open {
        /// Which.
        side: Side,
        /// Why.
        error: OpenError,
    },
    /// Source and target are one store.
    #[error("source and target are the same store: give another one with --to")]
    Same,
    /// A server or another move works on a side.
    #[error(
        "the {side}: a server or another move is at work there, and a store must stand still while \
         it is moved: stop it first, and move again"
    )]
    Busy {
        /// Which.
        side: Side,
    },
    /// The target holds something.
    #[error(
        "the target: table {table} has rows already, and a move never mixes two stores: give an \
         empty database, or one that does not exist yet"
    )]
    NotEmpty {
        /// Where.
        table: String,
    },
    /// The source was moved before.
    #[error(
        "the source was moved to {to} already, and nothing more may come of it: serve that one. \
         If that one was never served, `hongbao move --undo` with the --from and --to of that \
         move takes it back"
    )]
    Moved {
        /// Where to.
        to: String,
    },
    /// There is no move to take back.
    #[error("the source was not moved, so there is nothing to take back: it can be served")]
    NotMoved,
    /// The source was moved to somewhere else.
    #[error("the source was moved to {to}, not to {given}: give the first one with --to")]
    MovedElsewhere {
        /// Where to.
        to: String,
        /// What was given.
        given: String,
    },
    /// The target of a move that shall be taken back was served since.
    #[error(
        "the target is not what the source is any more ({changes}), so it was served since, and \
         nothing was taken back. To leave it, move it to a new place: what was booked there then \
         goes along"
    )]
    Served {
        /// What differs.
        changes: String,
    },
    /// The half of a move that lies in the target is of something else.
    #[error(
        "the target holds a part of another source, or this source has changed since ({changes}): \
         rows of two moments cannot be put together. Remove the target and move again from the \
         start"
    )]
    Changed {
        /// Which tables are others.
        changes: String,
    },
    /// A text that PostgreSQL cannot keep.
    #[error(
        "the source, table {table}, key {key}: the text in column {column} holds a NUL character, \
         which PostgreSQL cannot keep: change that text first. Nothing was written"
    )]
    Nul {
        /// In which table.
        table: String,
        /// In which column.
        column: String,
        /// The row.
        key: String,
    },
    /// The books of the source do not add up.
    #[error(
        "the books of the source do not add up, so a copy could not be proved; nothing was \
         written. Look with `hongbao verify`:\n{0}"
    )]
    Unsound(String),
    /// What arrived is not what was sent.
    #[error(
        "the target is not what the source is, and no server will open it. Remove it and move \
         again; if this comes again, look at the disk and memory of both machines:\n{0}"
    )]
    Unfaithful(String),
    /// A table cannot be read or written.
    #[error("the {side}, table {table}: {error}; the same command goes on from here")]
    Table {
        /// Of which side.
        side: Side,
        /// Which.
        table: String,
        /// Why.
        error: StoreError,
    },
    /// A side cannot be read or written.
    #[error("the {side}: {error}; the same command goes on from here")]
    Store {
        /// Which.
        side: Side,
        /// Why.
        error: StoreError,
    },
    /// Whoever was told wanted it to stop.
    #[error("the move was stopped; the same command goes on from here")]
    Stopped,
}

impl MoveError {
    pub(crate) fn open(side: Side, error: impl Into<OpenError>) -> Self {
        Self::Open { side, error: error.into() }
    }

    pub(crate) const fn store(side: Side, error: StoreError) -> Self {
        Self::Store { side, error }
    }
}

fn go_on(flow: ControlFlow<()>) -> Result<(), MoveError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(MoveError::Stopped),
    }
}
