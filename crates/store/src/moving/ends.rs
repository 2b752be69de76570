//! What a move needs of a database, on the side that gives and on the side that takes.

use async_trait::async_trait;

use super::{
    MoveError,
    cells::{Cell, Page, Table},
};
use crate::error::Outcome;

/// A side whose rows can be read in the order of their keys.
#[async_trait]
pub(crate) trait Reading: Send {
    /// The first page of a table, or the one after a key.
    async fn page(&mut self, table: &Table, after: Option<Vec<Cell>>) -> Outcome<Page>;

    /// Where the store was moved to, if it was.
    async fn moved_to(&mut self) -> Outcome<Option<String>>;

    /// Leaves the mark that the store was moved, durably: from here on it opens for no server.
    /// Nothing is read afterwards.
    async fn close(&mut self, to: &str) -> Outcome<()>;

    /// Takes that mark away, durably: the store opens for a server. Nothing is read afterwards.
    async fn reopen(&mut self) -> Outcome<()>;
}

/// What a target is before a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing at all: the move makes the schema.
    Nothing,
    /// The schema, and no rows.
    Empty,
    /// Rows that no move brought, in this table.
    Filled(String),
    /// A move that has not ended: what its source was.
    Half(String),
}

/// The side that takes.
#[async_trait]
pub(crate) trait Target: Reading {
    /// What is there; changes nothing.
    async fn look(&mut self, tables: &[Table]) -> Result<Found, MoveError>;

    /// Makes what is missing and leaves the mark, before the first row: from here on the store
    /// opens for nobody but a move.
    async fn begin(&mut self, mark: &str) -> Result<(), MoveError>;

    /// The last key of a table: everything up to it is there, for pages are written in order and
    /// as a whole.
    async fn last_key(&mut self, table: &Table) -> Outcome<Option<Vec<Cell>>>;

    /// How many rows a table has.
    async fn count(&mut self, table: &Table) -> Outcome<u64>;

    /// Writes a page in one transaction.
    async fn write(&mut self, table: &Table, page: Page) -> Outcome<()>;

    /// What comes after the last row: sequences, statistics.
    async fn settle(&mut self, tables: &[Table]) -> Outcome<()>;

    /// Takes the mark away: the store opens for a server.
    async fn end(&mut self) -> Outcome<()>;
}
