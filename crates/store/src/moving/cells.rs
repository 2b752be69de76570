//! Tables and rows as they travel: both databases have the same tables with the same columns, so
//! one copier serves all of them, in both directions.

use crate::session::Value;

/// Rows read and written at once: some megabytes of the widest table, and one transaction.
pub(crate) const PAGE_ROWS: usize = 5_000;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// A whole number, however wide its column is.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// As a placeholder takes it.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

/// Rows of one table, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    width: usize,
    cells: Vec<Cell>,
}

impl Page {
    /// No rows of `table` yet.
    pub(crate) const fn of(table: &Table) -> Self {
        Self { width: table.columns.len(), cells: Vec::new() }
    }

    /// Adds the next value of the row that is being filled.
    pub(crate) fn push(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// The rows, each as wide as the table.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.width.max(1))
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.rows().len()
    }

    /// True when the table may have more behind it.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= PAGE_ROWS
    }

    /// The key of the last row.
    pub(crate) fn last_key(&self, table: &Table) -> Option<Vec<Cell>> {
        self.rows().last().map(|row| table.key_of(row))
    }
}

/// A table that both databases have. `COPY`, pages and digests all name columns in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// Its columns.
    pub(crate) columns: Vec<String>,
    /// Places of the primary key's columns, in the key's order.
    pub(crate) key: Vec<usize>,
}

impl Table {
    /// Names of the key's columns.
    pub(crate) fn key_columns(&self) -> Vec<&str> {
        self.key.iter().filter_map(|place| self.columns.get(*place)).map(String::as_str).collect()
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, row: &[Cell]) -> Vec<Cell> {
        self.key.iter().filter_map(|place| row.get(*place)).cloned().collect()
    }

    /// The first page, or the one after a key; the primary key's own order, so that no database
    /// sorts.
    pub(crate) fn page_sql(&self, after_key: bool) -> String {
        let (columns, key) = (self.columns.join(", "), self.key_columns());
        let places: Vec<String> = (1..=key.len()).map(|place| format!("${place}")).collect();
        let order = key.join(", ");
        let from = if after_key {
            format!("WHERE ({order}) > ({})", places.join(", "))
        } else {
            String::new()
        };
        format!("SELECT {columns} FROM {} {from} ORDER BY {order} LIMIT {PAGE_ROWS}", self.name)
    }

    /// The key of the last row.
    pub(crate) fn last_key_sql(&self) -> String {
        let key = self.key_columns();
        let order: Vec<String> = key.iter().map(|column| format!("{column} DESC")).collect();
        format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            key.join(", "),
            self.name,
            order.join(", ")
        )
    }

    /// How many rows.
    pub(crate) fn count_sql(&self) -> String {
        format!("SELECT count(*) FROM {}", self.name)
    }

    /// Whether there are rows.
    pub(crate) fn any_sql(&self) -> String {
        format!("SELECT 1 FROM {} LIMIT 1", self.name)
    }

    /// One row more.
    pub(crate) fn insert_sql(&self) -> String {
        let places: Vec<String> =
            (1..=self.columns.len()).map(|place| format!("${place}")).collect();
        let columns = self.columns.join(", ");
        format!("INSERT INTO {} ({columns}) VALUES ({})", self.name, places.join(", "))
    }

    /// Many rows more, on PostgreSQL.
    pub(crate) fn copy_sql(&self) -> String {
        let columns = self.columns.join(", ");
        format!("COPY {} ({columns}) FROM STDIN (FORMAT binary)", self.name)
    }
}
