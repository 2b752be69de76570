//! New rows, many by one statement.
//!
//! To begin a statement, and to look for the end of a table anew, is a quarter of what a row costs
//! that is inserted alone.

use std::{iter::repeat_n, slice};

use rusqlite::{Connection, ToSql};

use crate::error::{Failure, Outcome};

/// How many rows a full statement takes.
const MANY: usize = 32;

/// Inserting into one table.
pub(super) struct Insert {
    what: &'static str,
    columns: usize,
    one: String,
    many: String,
}

impl Insert {
    /// Inserts rows of kind `what` by a statement of the form `INSERT INTO table (column, …)`.
    pub(super) fn new(what: &'static str, into: &str) -> Self {
        let columns = into.split(',').count();
        let row = format!("({})", list(repeat_n("?", columns)));
        let one = format!("{into} VALUES {row}");
        let many = format!("{into} VALUES {}", list(repeat_n(row.as_str(), MANY)));
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
            let mut values = Values { statement: &mut statement, columns: self.columns, bound: 0 };
            for row in rows {
                bind(row, &mut values)?;
            }
            let inserted = statement.raw_execute();
            inserted.map_err(|error| Failure::from(error).inserting(self.what))?;
        }
        Ok(())
    }
}

/// Where the values of rows go.
pub(super) struct Values<'s, 'c> {
    statement: &'s mut rusqlite::Statement<'c>,
    columns: usize,
    bound: usize,
}

impl Values<'_, '_> {
    /// Takes the values of one row.
    pub(super) fn bind(&mut self, row: &[&dyn ToSql]) -> Outcome<()> {
        if row.len() != self.columns {
            return Err(Failure::corrupt("a row with other columns than its table"));
        }
        for value in row {
            self.bound += 1;
            self.statement.raw_bind_parameter(self.bound, value)?;
        }
        Ok(())
    }
}

fn list<'p>(parts: impl Iterator<Item = &'p str>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
