//! Rows by their keys, many by one statement.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::values::{MANY, Values, list, places};
use crate::{
    error::{Failure, Outcome},
    fields::Fields,
};

/// Looking up rows of one table.
pub(super) struct Lookup {
    table: &'static str,
    columns: usize,
    one: String,
    many: String,
}

impl Lookup {
    /// Looks rows of `table` up by a key of these columns. `select` is a query over `key`, which has
    /// them, and whose `place` is its first column; it has one row for a key at most.
    pub(super) fn new(table: &'static str, columns: &[&str], select: &str) -> Self {
        let key = list(["place"].iter().chain(columns));
        let sql = |keys: usize| {
            let values = places(columns.len());
            let values = list((0..keys).map(|place| format!("({place}, {values})")));
            format!("WITH key ({key}) AS (VALUES {values}) {select}")
        };
        Self { table, columns: columns.len(), one: sql(1), many: sql(MANY) }
    }

    /// The rows of `keys`; keys without a row are left out. `bind` gives the values of a key, in the
    /// order of its columns.
    pub(super) fn rows<'k, K: Ord + Clone + 'k, V>(
        &self,
        connection: &Connection,
        keys: impl IntoIterator<Item = &'k K>,
        bind: impl Fn(&'k K, &mut Values<'_, '_>) -> Outcome<()>,
        read: impl Fn(&'k K, &mut Fields<'_>) -> Outcome<V>,
    ) -> Outcome<BTreeMap<K, V>> {
        let keys: Vec<&K> = keys.into_iter().collect();
        let mut found = Vec::with_capacity(keys.len());
        let full = keys.chunks_exact(MANY);
        let rest = full.remainder().chunks_exact(1);
        for (sql, chunks) in [(&self.many, full), (&self.one, rest)] {
            if chunks.len() == 0 {
                continue;
            }
            let mut statement = connection.prepare_cached(sql)?;
            for chunk in chunks {
                let mut values = Values::of(&mut statement, self.columns);
                for key in chunk {
                    bind(key, &mut values)?;
                }
                let mut rows = statement.raw_query();
                while let Some(row) = rows.next()? {
                    let mut fields = Fields::sqlite(row, self.table);
                    let key = usize::try_from(fields.u32()?).ok().and_then(|at| chunk.get(at));
                    let key = key.ok_or_else(|| Failure::corrupt("a row of no key"))?;
                    found.push(((*key).clone(), read(key, &mut fields)?));
                }
            }
        }
        Ok(found.into_iter().collect())
    }
}
