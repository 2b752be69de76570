//! The list of tables, against both schemas.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params_from_iter};

use super::Table;
use crate::sqlite;

const POSTGRES: &str = include_str!("../../migrations/postgres/schema.txt");
/// They belong to the servers of one database, and mean nothing in another.
const NOT_MOVED: [&str; 2] = ["lane", "job_lease"];

fn tables() -> Vec<Table> {
    sqlite::moving::tables().unwrap()
}

/// Names behind `start` in the description of PostgreSQL's schema.
fn described(start: &str) -> impl Iterator<Item = (&str, &str)> {
    POSTGRES.lines().filter_map(move |line| line.strip_prefix(start)?.split_once('.'))
}

#[test]
fn both_databases_have_the_tables_that_are_moved_with_the_same_columns() {
    let keyed: BTreeSet<&str> = described("constraint ")
        .filter(|(_, rest)| rest.contains("PRIMARY KEY"))
        .map(|(table, _)| table)
        .filter(|table| !NOT_MOVED.contains(table))
        .collect();
    let moved = tables();
    assert_eq!(keyed, moved.iter().map(|table| table.name.as_str()).collect());
    let mut columns: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (table, rest) in described("column ") {
        columns.entry(table).or_default().insert(rest.split(' ').next().unwrap());
    }
    for table in &moved {
        let here: BTreeSet<&str> = table.columns.iter().map(String::as_str).collect();
        assert_eq!(columns[table.name.as_str()], here, "{}", table.name);
    }
}

#[test]
fn both_databases_have_the_same_primary_keys() {
    for table in tables() {
        let line = format!("{}_pkey PRIMARY KEY ({})", table.name, table.key_columns().join(", "));
        let found = described("constraint ").any(|(_, rest)| rest == line);
        assert!(found, "{line}");
    }
}

#[test]
fn pages_are_read_by_the_primary_key_and_nothing_is_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/hongbao.db");
    sqlite::SqliteStore::migrate(&path).unwrap();
    let connection = Connection::open(&path).unwrap();
    for table in tables() {
        for (sql, step) in [
            (table.page_sql(false), "SCAN"),
            (table.page_sql(true), "SEARCH"),
            (table.last_key_sql(), "SCAN"),
        ] {
            let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let key = vec![1; explained.parameter_count()];
            let plan = explained.query_map(params_from_iter(key), |row| row.get(3)).unwrap();
            let plan: Vec<String> = plan.map(Result::unwrap).collect();
            assert!(plan.len() == 1 && plan[0].starts_with(step), "{sql}: {plan:?}");
        }
    }
}
