//! The values of many rows in one statement.
//!
//! To begin a statement, and to open its tables or look for their end anew, is a quarter of what a row
//! costs that is inserted alone, and half of what one costs that is looked up alone.

use std::iter::repeat_n;

use rusqlite::{Statement, ToSql};

use crate::error::{Failure, Outcome};

/// How many rows a full statement takes.
pub(super) const MANY: usize = 32;

/// Where the values of rows go.
pub(super) struct Values<'s, 'c> {
    statement: &'s mut Statement<'c>,
    columns: usize,
    bound: usize,
}

impl<'s, 'c> Values<'s, 'c> {
    /// Those of a statement about to be run; every row has so many columns.
    pub(super) const fn of(statement: &'s mut Statement<'c>, columns: usize) -> Self {
        Self { statement, columns, bound: 0 }
    }

    /// Takes the values of one row.
    pub(super) fn bind(&mut self, row: &[&dyn ToSql]) -> Outcome<()> {
        if row.len() != self.columns {
            return Err(Failure::corrupt("a row with other columns than its statement"));
        }
        for value in row {
            self.bound += 1;
            self.statement.raw_bind_parameter(self.bound, value)?;
        }
        Ok(())
    }
}

/// So many places for values.
pub(super) fn places(columns: usize) -> String {
    list(repeat_n("?", columns))
}

/// Parts of a statement behind each other.
pub(super) fn list(parts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut list = String::new();
    for part in parts {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(part.as_ref());
    }
    list
}
