//! Which side of a move failed.

use std::fmt;

use super::MoveError;
use crate::error::Outcome;

/// A side of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The store that gives.
    Source,
    /// The store that takes.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// Outcomes that are told with the side and table they belong to.
pub(super) trait Sided<T> {
    /// Of `side`, while `table` was worked on.
    fn at(self, side: Side, table: &str) -> Result<T, MoveError>;

    /// Of `side`.
    fn of(self, side: Side) -> Result<T, MoveError>;
}

impl<T> Sided<T> for Outcome<T> {
    fn at(self, side: Side, table: &str) -> Result<T, MoveError> {
        self.map_err(|failure| MoveError::Table {
            side,
            table: table.to_owned(),
            error: failure.into_store(),
        })
    }

    fn of(self, side: Side) -> Result<T, MoveError> {
        self.map_err(|failure| MoveError::store(side, failure.into_store()))
    }
}
