//! Rows are inserted in full statements and one by one, and nobody sees which.

use hongbao_app::ports::StoreError;
use rusqlite::{Connection, params};

use super::super::insert::Insert;
use crate::error::Failure;

const TABLE: &str = "CREATE TABLE place (no INTEGER PRIMARY KEY, name TEXT) STRICT";
const INTO: &str = "place (no, name)";

/// All or none: in a transaction, as the writer's.
fn inserted(connection: &Connection, numbers: &[i64]) -> Result<(), StoreError> {
    let insert = Insert::new("place", INTO);
    let tx = connection.unchecked_transaction().unwrap();
    insert
        .all(&tx, numbers, |no, values| values.bind(params![no, format!("place {no}")]))
        .map_err(Failure::into_store)?;
    tx.commit().unwrap();
    Ok(())
}

fn stored(connection: &Connection) -> Vec<(i64, String)> {
    let mut statement = connection.prepare("SELECT no, name FROM place ORDER BY no").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn every_row_is_inserted_with_its_own_values_however_many_there_are() {
    for count in [0, 1, 31, 32, 33, 64, 100] {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLE).unwrap();
        let numbers: Vec<i64> = (1..=count).collect();
        inserted(&connection, &numbers).unwrap();
        let expected: Vec<_> = numbers.iter().map(|no| (*no, format!("place {no}"))).collect();
        assert_eq!(stored(&connection), expected, "of {count}");
    }
}

#[test]
fn a_taken_key_is_a_conflict_in_a_full_statement_and_alone() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    inserted(&connection, &[20]).unwrap();
    let full: Vec<i64> = (1..=32).collect();
    for numbers in [&full[19..20], &full] {
        let error = inserted(&connection, numbers).unwrap_err();
        assert!(matches!(error, StoreError::Conflict { what: "place" }), "{error}");
        assert_eq!(stored(&connection), [(20, "place 20".to_owned())]);
    }
}

#[test]
fn a_row_with_other_columns_than_its_table_is_a_defect() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    let short =
        Insert::new("place", INTO).all(&connection, &[1], |no, values| values.bind(params![no]));
    let error = short.map_err(Failure::into_store).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert_eq!(stored(&connection), []);
}
