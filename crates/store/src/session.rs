//! What functions off the hot path need of a database, so that they are written once.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use crate::{
    error::{Failure, Outcome},
    fields::Fields,
};

/// A value for a placeholder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'v> {
    /// Nothing.
    Null,
    /// A whole number; the column may be narrower.
    Int(i64),
    /// A text.
    Text(&'v str),
    /// Bytes.
    Bytes(&'v [u8]),
}

/// One transaction, or one snapshot, of a database.
pub(crate) trait Session {
    /// Runs a statement; answers how many rows it wrote.
    async fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Outcome<u64>;

    /// Runs a query on `table` and reads each row.
    async fn query<T>(
        &self,
        sql: &'static str,
        table: &'static str,
        values: &[Value<'_>],
        read: impl FnMut(&mut Fields<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>>;

    /// The number of a user to be made; never told twice.
    async fn next_user(&self) -> Outcome<i64>;

    /// The first row of a query, if there is one.
    async fn find<T>(
        &self,
        sql: &'static str,
        table: &'static str,
        values: &[Value<'_>],
        read: impl FnMut(&mut Fields<'_>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        Ok(self.query(sql, table, values, read).await?.pop())
    }

    /// Inserts a `what`; a key that is taken is a conflict.
    async fn insert(
        &self,
        sql: &'static str,
        what: &'static str,
        values: &[Value<'_>],
    ) -> Outcome<()> {
        let inserted = self.execute(sql, values).await;
        inserted.map(|_one| ()).map_err(|error| error.inserting(what))
    }
}

/// Runs what never waits: the functions of `queries` on SQLite, whose calls return when they are
/// done.
pub(crate) fn ready<T>(future: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Failure::corrupt("a query on SQLite waited for something")),
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u8> for Value<'_> {
    fn from(number: u8) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(switch: bool) -> Self {
        Self::Int(switch.into())
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Values for placeholders, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::session::Value::from($value)),*] };
}
pub(crate) use values;
