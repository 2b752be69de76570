//! The schema can be distributed (C-15), and what holds once it is.

use std::collections::BTreeSet;

use tokio_postgres::error::SqlState;

use super::{PostgresStore, a_distributed_database, an_empty_database, connect};
use crate::{
    error::state,
    postgres::{
        OpenError,
        distribute::{LOCAL, PEOPLE, TABLES, Table},
        pool::{Connections, Mode},
        session::scalar,
    },
};

const DESCRIPTION: &str = include_str!("../../../migrations/postgres/schema.txt");

fn tables() -> impl Iterator<Item = Table> {
    TABLES.into_iter().chain([PEOPLE])
}

#[test]
fn every_table_is_distributed_or_stays_on_purpose() {
    let views = ["journal_line"];
    let described = DESCRIPTION.lines().filter_map(|line| line.strip_prefix("column "));
    let described = described.filter_map(|line| line.split('.').next());
    let found: BTreeSet<&str> =
        described.filter(|name| !name.starts_with("audit_") && !views.contains(name)).collect();
    let listed: BTreeSet<&str> = tables().map(|table| table.name).chain(LOCAL).collect();
    assert_eq!(found, listed);
}

#[test]
fn every_unique_key_has_the_owner_first() {
    let mut keys = 0;
    for line in DESCRIPTION.lines().filter(|line| line.ends_with(" unique")) {
        let (name, rest) = line.strip_prefix("index ").unwrap().split_once('.').unwrap();
        let (_, columns) = rest.split_once('(').unwrap();
        let first = columns.split([',', ')']).next().unwrap();
        if let Some(table) = tables().find(|table| table.name == name) {
            assert_eq!(first, table.column, "{line}");
            keys += 1;
        } else {
            assert!(LOCAL.contains(&name), "{line}");
        }
    }
    assert!(keys > tables().count(), "{keys} keys");
}

#[test]
fn no_statement_locks_rows_but_the_two_that_have_another_form() {
    let sources = [
        include_str!("../load.rs"),
        include_str!("../commit.rs"),
        include_str!("../orders.rs"),
        include_str!("../journal.rs"),
        include_str!("../lanes.rs"),
        include_str!("../leases.rs"),
        include_str!("../bulk.rs"),
        include_str!("../../queries/admin.rs"),
        include_str!("../../queries/jobs.rs"),
        include_str!("../../queries/journal.rs"),
        include_str!("../../queries/packets.rs"),
        include_str!("../../queries/users.rs"),
    ];
    let locking = sources.iter().flat_map(|source| source.lines()).filter(|line| {
        let line = line.trim_start();
        line.starts_with("FOR UPDATE") || line.starts_with("FOR NO KEY UPDATE")
    });
    assert_eq!(locking.count(), 2);
}

#[tokio::test]
async fn a_database_without_the_extension_is_not_distributed() {
    let Some(url) = an_empty_database().await else { return };
    let refused = PostgresStore::migrate_and_distribute(&url).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoCitus), "{refused}");
    drop(PostgresStore::open(&url).await.unwrap());
}

#[tokio::test]
async fn distributing_twice_changes_nothing_and_the_schema_is_still_known() {
    let Some(url) = a_distributed_database().await else { return };
    PostgresStore::migrate_and_distribute(&url).await.unwrap();
    drop(PostgresStore::open(&url).await.unwrap());
    let client = connect(&url).await;
    let count = "SELECT count(*) FROM pg_dist_partition
                 JOIN pg_class ON pg_class.oid = logicalrelid
                 WHERE relnamespace = current_schema()::regnamespace AND partmethod = 'h'";
    let found: i64 = client.query_one(count, &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(found).unwrap(), tables().count());
}

#[tokio::test]
async fn rows_that_were_there_before_are_distributed_too() {
    let Some((server, namespace)) = hongbao_testkit::postgres::a_distributed_namespace() else {
        return;
    };
    let url = server.parse::<super::PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate(&url).await.unwrap();
    let client = connect(&url).await;
    for owner in 0..20 {
        let record =
            format!("INSERT INTO change_record VALUES ({owner}, 1, 1, 'a', '', '', '', '')");
        client.batch_execute(&record).await.unwrap();
    }
    PostgresStore::migrate_and_distribute(&url).await.unwrap();
    let row = client.query_one("SELECT count(*) FROM audit_change", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 20);
    let row = client.query_one("SELECT count(*) FROM ONLY change_record", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 20);
}

#[tokio::test]
async fn journals_are_append_only_on_every_shard() {
    let Some(url) = a_distributed_database().await else { return };
    let client = connect(&url).await;
    let record = "INSERT INTO change_record VALUES (0, 1, 1, 'a', 'b', 'c', 'd', 'e')";
    client.batch_execute(record).await.unwrap();
    for change in [
        "UPDATE change_record SET actor = 'nobody'",
        "UPDATE change_record SET actor = 'nobody' WHERE merchant_id = 0",
        "DELETE FROM change_record",
        "TRUNCATE change_record",
        "TRUNCATE merchant_journal",
        "TRUNCATE user_journal",
    ] {
        let refused = client.batch_execute(change).await.unwrap_err();
        assert!(crate::error::told(&refused).contains("append-only"), "{change}");
    }
}

/// A worker's errors come without their codes when rows were copied to it.
#[tokio::test]
async fn what_a_worker_says_of_inserted_rows_keeps_its_meaning() {
    let Some(url) = a_distributed_database().await else { return };
    let (client, other) = (connect(&url).await, connect(&url).await);
    let insert = |users: &str, fen: &str| {
        format!(
            "INSERT INTO payout (user_id, amount, at, state, reference)
             SELECT * FROM unnest(
                 {users}::bigint[], {fen}::bigint[], '{{1,1}}'::bigint[], '{{1,1}}'::smallint[],
                 '{{a,b}}'::text[]
             )"
        )
    };
    let good = insert("'{1,2}'", "'{5,5}'");
    // While somebody else has inserted the same and not yet committed.
    other.batch_execute(&format!("BEGIN; {good}")).await.unwrap();
    client.batch_execute("BEGIN; SET LOCAL citus.propagate_set_commands = 'local'").await.unwrap();
    client.batch_execute("SET LOCAL lock_timeout = '100ms'").await.unwrap();
    let waited = client.batch_execute(&good).await.unwrap_err();
    client.batch_execute("ROLLBACK").await.unwrap();
    other.batch_execute("COMMIT").await.unwrap();
    let twice = client.batch_execute(&good).await.unwrap_err();
    let negative = client.batch_execute(&insert("'{3,4}'", "'{5,-5}'")).await.unwrap_err();
    let nobody = client.batch_execute(&insert("'{5,6}'", "'{5,NULL}'")).await.unwrap_err();
    assert_eq!(twice.code(), Some(&SqlState::INTERNAL_ERROR), "Citus tells more than it did");
    for (error, expected) in [
        (waited, SqlState::LOCK_NOT_AVAILABLE),
        (twice, SqlState::UNIQUE_VIOLATION),
        (negative, SqlState::CHECK_VIOLATION),
        (nobody, SqlState::NOT_NULL_VIOLATION),
    ] {
        assert_eq!(state(&error), Some(&expected), "{error:?}");
    }
}

#[tokio::test]
async fn a_writer_waits_for_locks_on_workers_as_long_as_anywhere() {
    let Some(url) = a_distributed_database().await else { return };
    let mut connections = Connections::new(url.hosts().unwrap()).unwrap();
    connections.learn().await.unwrap();
    for mode in [Mode::Change, Mode::Batch, Mode::LargeBatch] {
        let transaction = connections.begin(mode).await.unwrap();
        let record = "INSERT INTO change_record VALUES (0, 1, 1, 'a', 'b', 'c', 'd', 'e')";
        transaction.client().unwrap().batch_execute(record).await.unwrap();
        let asked =
            "SELECT current_setting('lock_timeout') FROM change_record WHERE merchant_id = 0";
        let there: String = scalar(&transaction, asked).await.unwrap();
        let here: String =
            scalar(&transaction, "SELECT current_setting('lock_timeout')").await.unwrap();
        assert_eq!((there.as_str(), here.as_str()), ("10s", "10s"), "{mode:?}");
        transaction.roll_back().await.unwrap();
    }
}
