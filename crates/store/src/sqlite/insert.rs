//! New rows, many by one statement.

use std::{iter::repeat_n, slice};

use rusqlite::{Connection, ToSql};

use super::values::{MANY, Values, list, places};
use crate::error::{Failure, Outcome};

/// Inserting into one table.
pub(super) struct Insert {
    what: &'static str,
    columns: usize,
    one: String,
    many: String,
}

impl Insert {
    /// Inserts rows of kind `what` into `table (column, …)`. A statement that fails leaves the rows
    /// before the one it failed at, which spares SQLite a copy of every page it touches: the
    /// transaction has to be rolled back.
    pub(super) fn new(what: &'static str, into: &str) -> Self {
        let columns = into.split(',').count();
        let row = format!("({})", places(columns));
        let insert = format!("INSERT OR FAIL INTO {into} VALUES");
        let one = format!("{insert} {row}");
        let many = format!("{insert} {}", list(repeat_n(&row, MANY)));
        Self { what, columns, one, many }
    }

    /// Inserts one row, of these values in the order of the columns. A key that is taken is a conflict.
    pub(super) fn row(&self, connection: &Connection, values: &[&dyn ToSql]) -> Outcome<()> {
        self.all(connection, slice::from_ref(&values), |values, place| place.bind(values))
    }

    /// Inserts `rows` in their order; `bind` gives the values of one, in the order of the columns.
    /// A key that is taken is a conflict.
    pub(super) fn all<R>(
        &self,
        connection: &Connection,
        rows: &[R],
        mut bind: impl FnMut(&R, &mut Values<'_, '_>) -> Outcome<()>,
    ) -> Outcome<()> {
        let full = rows.chunks_exact(MANY);
        let rest = full.remainder();
        self.by(&self.many, connection, full, &mut bind)?;
        self.by(&self.one, connection, rest.chunks_exact(1), bind)
    }

    /// Inserts each of `chunks` by one statement, `sql`.
    fn by<R>(
        &self,
        sql: &str,
        connection: &Connection,
        chunks: slice::ChunksExact<'_, R>,
        mut bind: impl FnMut(&R, &mut Values<'_, '_>) -> Outcome<()>,
    ) -> Outcome<()> {
        if chunks.len() == 0 {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(sql)?;
        for rows in chunks {
            let mut values = Values::of(&mut statement, self.columns);
            for row in rows {
                bind(row, &mut values)?;
            }
            let inserted = statement.raw_execute();
            inserted.map_err(|error| Failure::from(error).inserting(self.what))?;
        }
        Ok(())
    }
}
