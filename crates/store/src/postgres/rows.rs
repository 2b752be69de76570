//! Rows as array parameters: one statement for all rows of a table, however many there are.

use std::collections::BTreeMap;

use tokio_postgres::types::ToSql;

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

    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect()
    }
}

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
        if u64::try_from(self.rows.len()) == Ok(self.send_some(client).await?) {
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
