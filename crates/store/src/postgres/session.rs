//! PostgreSQL as functions off the hot path see it, and values as it takes them.

use std::error::Error;

use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use super::pool::Transaction;
use crate::{
    error::{Failure, Outcome},
    fields::Fields,
    session::{Session, Value},
};

/// A number that no other server is told; one that is not used leaves a gap.
const NEXT_USER: &str = "SELECT nextval('user_number')";

impl Session for Transaction {
    async fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Outcome<u64> {
        let statement = self.client()?.prepare_cached(sql).await?;
        Ok(self.client()?.execute(&statement, &parameters(values)).await?)
    }

    async fn query<T>(
        &self,
        sql: &'static str,
        table: &'static str,
        values: &[Value<'_>],
        mut read: impl FnMut(&mut Fields<'_>) -> Outcome<T>,
    ) -> Outcome<Vec<T>> {
        let statement = self.client()?.prepare_cached(sql).await?;
        let rows = self.client()?.query(&statement, &parameters(values)).await?;
        rows.iter().map(|row| read(&mut Fields::postgres(row, table))).collect()
    }

    async fn next_user(&self) -> Outcome<i64> {
        let statement = self.client()?.prepare_cached(NEXT_USER).await?;
        Ok(self.client()?.query_one(&statement, &[]).await?.try_get(0)?)
    }
}

fn parameters<'p>(values: &'p [Value<'_>]) -> Vec<&'p (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Whole numbers become as narrow as their column; one that does not fit is refused here.
impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => match *ty {
                Type::INT2 => i16::try_from(number)?.to_sql(ty, out),
                Type::INT4 => i32::try_from(number)?.to_sql(ty, out),
                _ => number.to_sql(ty, out),
            },
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        <i64 as ToSql>::accepts(ty)
            || [Type::INT2, Type::INT4].contains(ty)
            || <&str as ToSql>::accepts(ty)
            || <&[u8] as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

/// The first column of the first row of a statement that has one.
pub(super) async fn scalar<T: for<'r> FromSql<'r>>(
    transaction: &Transaction,
    sql: &'static str,
) -> Outcome<T> {
    let row = transaction.client()?.query_one(sql, &[]).await?;
    row.try_get(0).map_err(Failure::from)
}
