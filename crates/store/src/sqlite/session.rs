//! SQLite as functions off the hot path see it: calls that return when they are done.

use rusqlite::{
    Connection, ToSql, params_from_iter,
    types::{Null, ToSqlOutput, ValueRef},
};

use crate::{
    error::{Failure, Outcome},
    fields::Fields,
    session::{Session, Value},
};

/// Numbers are handed out in turn by the one writer.
const NEXT_USER: &str = "
SELECT coalesce(max(user_id), 0) + 1
FROM wallet";

impl Session for Connection {
    async fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Outcome<u64> {
        let written = self.prepare_cached(sql)?.execute(params_from_iter(values))?;
        u64::try_from(written).map_err(|_too_many| Failure::corrupt("rows beyond counting"))
    }

    async fn query<T>(
        &self,
        sql: &'static str,
        table: &'static str,
        values: &[Value<'_>],
        mut read: impl FnMut(&mut Fields<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&mut Fields::sqlite(row, table))?);
        }
        Ok(found)
    }

    async fn next_user(&self) -> Outcome<i64> {
        Ok(self.prepare_cached(NEXT_USER)?.query_row((), |row| row.get(0))?)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Null.to_sql(),
            Self::Int(number) => number.to_sql(),
            Self::Text(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Self::Bytes(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        }
    }
}
