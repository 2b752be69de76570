//! Rows for the server: one statement for all rows of a table, however many there are.
//!
//! Rows go as array parameters, which takes no round trip of its own. `unnest` keeps a copy of
//! every array before the first row is written, so that many new rows are cheaper by a binary
//! `COPY`: the server then writes the first of them while the last is still on its way.

use std::{collections::BTreeMap, pin::pin};

use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    types::{Kind, ToSql, Type},
};

use super::pool::Client;
use crate::{
    error::{Failure, Outcome},
    fields::Fields,
    session::Value,
};

/// Rows, column by column. Each column is one array parameter.
#[derive(Debug, Default)]
pub(super) struct Rows<'v> {
    columns: Vec<Vec<Value<'v>>>,
}

impl<'v> Rows<'v> {
    /// Adds a row. Rows of one set have the same columns.
    pub(super) fn push(&mut self, row: &[Value<'v>]) {
        self.columns.resize_with(row.len(), Vec::new);
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(*value);
        }
    }

    fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// True without rows.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows one by one; each has a value for every column.
    fn by_row(&self) -> impl Iterator<Item = Vec<Value<'v>>> {
        let mut columns: Vec<_> = self.columns.iter().map(|column| column.iter()).collect();
        (0..self.len())
            .map(move |_| columns.iter_mut().filter_map(Iterator::next).copied().collect())
    }

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect()
    }
}

/// From so many new rows on a `COPY` is worth its round trip.
const COPIED: usize = 512;

/// Rows to be written by one statement.
#[derive(Debug)]
pub(super) struct Write<'v> {
    sql: &'static str,
    what: &'static str,
    rows: Rows<'v>,
}

impl<'v> Write<'v> {
    /// Rows of kind `what`, by `sql`.
    pub(super) const fn new(sql: &'static str, what: &'static str, rows: Rows<'v>) -> Self {
        Self { sql, what, rows }
    }

    /// Runs the statement. A row that is not as it was loaded, or that exists already, is a
    /// conflict.
    pub(super) async fn send(&self, client: &Client) -> Outcome<()> {
        let written = match copy_of(self.sql) {
            Some(copy) if self.rows.len() >= COPIED => self.copy(client, &copy).await?,
            _ => self.send_some(client).await?,
        };
        if u64::try_from(self.rows.len()) == Ok(written) {
            return Ok(());
        }
        Err(Failure::conflict(self.what))
    }

    /// Runs the statement; answers how many rows it wrote.
    pub(super) async fn send_some(&self, client: &Client) -> Outcome<u64> {
        if self.rows.is_empty() {
            return Ok(0);
        }
        let statement = client.prepare_cached(self.sql).await?;
        let written = client.execute(&statement, &self.rows.parameters()).await;
        written.map_err(|error| Failure::from(error).inserting(self.what))
    }

    /// Copies the rows; answers how many.
    async fn copy(&self, client: &Client, copy: &str) -> Outcome<u64> {
        let (insert, copy) = (client.prepare_cached(self.sql), client.prepare_cached(copy));
        let (insert, copy) = (insert.await?, copy.await?);
        let types: Vec<Type> = insert.params().iter().map(element).collect();
        let copied = async {
            let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in(&copy).await?, &types));
            for row in self.rows.by_row() {
                writer.as_mut().write_raw(row).await?;
            }
            writer.as_mut().finish().await
        };
        copied.await.map_err(|error| Failure::from(error).inserting(self.what))
    }
}

/// The `COPY` into the columns of a plain `INSERT` from arrays.
fn copy_of(insert: &str) -> Option<String> {
    let (head, tail) = insert.trim_start().strip_prefix("INSERT INTO ")?.split_once(ROWS)?;
    let plain = tail.starts_with("unnest(") && tail.ends_with(')');
    plain.then(|| format!("COPY {head} FROM STDIN (FORMAT binary)"))
}

/// What stands between the columns and the arrays of a plain `INSERT`.
const ROWS: &str = "\nSELECT *\nFROM ";

/// The type of an array's elements.
fn element(array: &Type) -> Type {
    match array.kind() {
        Kind::Array(element) => element.clone(),
        _ => array.clone(),
    }
}

/// Looks all keys up with one statement; keys without a row are left out.
pub(super) async fn look_up<K: Ord, V>(
    client: &Client,
    sql: &'static str,
    table: &'static str,
    keys: Rows<'_>,
    read: impl Fn(&mut Fields<'_>) -> Outcome<(K, V)>,
) -> Outcome<BTreeMap<K, V>> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &keys.parameters()).await?;
    rows.iter().map(|row| read(&mut Fields::postgres(row, table))).collect()
}

#[cfg(test)]
mod tests {
    use super::{Rows, copy_of};
    use crate::session::{Value, values};

    #[test]
    fn a_plain_insert_has_a_copy_into_its_columns() {
        let insert = "\nINSERT INTO lane (\n    lane_id, batch_no\n)\nSELECT *\nFROM unnest($1::bigint[], $2::bigint[])";
        let copy = "COPY lane (\n    lane_id, batch_no\n) FROM STDIN (FORMAT binary)";
        assert_eq!(copy_of(insert).as_deref(), Some(copy));
    }

    #[test]
    fn a_statement_that_passes_rows_over_has_no_copy() {
        let insert = "INSERT INTO lane (lane_id)\nSELECT *\nFROM unnest($1::bigint[])";
        assert!(copy_of(&format!("{insert}\nON CONFLICT (lane_id) DO NOTHING")).is_none());
        assert!(copy_of("UPDATE lane\nSET batch_no = 1\nFROM unnest($1::bigint[])").is_none());
    }

    #[test]
    fn rows_come_back_as_they_were_pushed() {
        let mut rows = Rows::default();
        rows.push(values![1_u32, "a"]);
        rows.push(values![2_u32, "b"]);
        let back: Vec<_> = rows.by_row().collect();
        let [first, second] = back.as_slice() else { panic!("{back:?}") };
        assert!(matches!(first.as_slice(), [Value::Int(1), Value::Text("a")]));
        assert!(matches!(second.as_slice(), [Value::Int(2), Value::Text("b")]));
    }
}
