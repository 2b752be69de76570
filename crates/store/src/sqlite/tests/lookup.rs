//! Rows are looked up by full statements and one by one, and nobody sees which.

use hongbao_app::ports::StoreError;
use rusqlite::{Connection, params};

use super::super::lookup::Lookup;
use crate::error::Failure;

/// Places 1 to 100, but for every seventh.
const TABLE: &str = "CREATE TABLE place (street INTEGER, no INTEGER, name TEXT) STRICT;
     WITH RECURSIVE number (no) AS (VALUES (1) UNION ALL SELECT no + 1 FROM number WHERE no < 100)
     INSERT INTO place SELECT 5, no, 'place ' || no FROM number WHERE no % 7 <> 0;";

fn lookup() -> Lookup {
    let select = "SELECT key.place, name FROM key CROSS JOIN place USING (street, no)";
    Lookup::new("place", &["street", "no"], select)
}

fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    connection
}

#[test]
fn every_key_gets_its_own_row_however_many_there_are() {
    let connection = connection();
    for count in [0, 1, 31, 32, 33, 64, 100] {
        let keys: Vec<i64> = (1..=count).collect();
        let found = lookup().rows(
            &connection,
            &keys,
            |no, values| values.bind(params![5, no]),
            |_, fields| fields.raw::<String>(),
        );
        let found = found.map_err(Failure::into_store).unwrap();
        let there = keys.iter().filter(|no| *no % 7 != 0);
        let expected: Vec<_> = there.map(|no| (*no, format!("place {no}"))).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "of {count}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_damage_in_a_full_statement_and_alone() {
    let connection = connection();
    connection.execute_batch("UPDATE place SET name = NULL WHERE no = 20").unwrap();
    let full: Vec<i64> = (1..=32).collect();
    for keys in [&full[19..20], &full] {
        let found = lookup().rows(
            &connection,
            keys,
            |no, values| values.bind(params![5, no]),
            |_, fields| fields.raw::<String>(),
        );
        let error = found.map_err(Failure::into_store).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    }
}
