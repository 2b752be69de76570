//! What the migrations make, and what is noticed when it is changed by hand (B-10).

use super::{PostgresStore, an_empty_database, connect};
use crate::postgres::{OpenError, schema};

#[tokio::test]
async fn the_schema_is_what_the_description_says() {
    let Some(url) = an_empty_database().await else { return };
    let found = schema::description(&connect(&url).await).await.unwrap().join("\n") + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/schema.txt");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(found, written, "run it with UPDATE_SCHEMA=1");
}

#[tokio::test]
async fn a_schema_that_was_changed_by_hand_is_refused() {
    for change in [
        "DROP INDEX packet_expiry",
        "ALTER TABLE send_order DROP CONSTRAINT send_order_pkey",
        "ALTER TABLE wallet DROP CONSTRAINT wallet_wallet_fen_check",
        "ALTER TABLE merchant_journal DISABLE TRIGGER merchant_journal_append_only",
        "DROP TRIGGER user_journal_append_only ON user_journal",
        "ALTER TABLE packet ALTER COLUMN openid DROP NOT NULL",
        "ALTER TABLE packet ADD COLUMN note text",
        "CREATE TABLE mine (id bigint)",
    ] {
        let Some(url) = an_empty_database().await else { return };
        drop(PostgresStore::open(&url).await.unwrap());
        connect(&url).await.batch_execute(change).await.unwrap();
        let refused = PostgresStore::open(&url).await.unwrap_err();
        assert!(matches!(refused, OpenError::SchemaChanged(_)), "{change}: {refused}");
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_program_is_refused() {
    let Some(url) = an_empty_database().await else { return };
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                 VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')";
    connect(&url).await.batch_execute(newer).await.unwrap();
    let refused = PostgresStore::open(&url).await.unwrap_err();
    assert!(matches!(refused, OpenError::SchemaTooNew { found: 99, .. }), "{refused}");
    let refused = PostgresStore::migrate(&url).await.unwrap_err();
    assert!(matches!(refused, OpenError::SchemaTooNew { found: 99, .. }), "{refused}");
}

#[tokio::test]
async fn journals_are_append_only() {
    let Some(url) = an_empty_database().await else { return };
    let client = connect(&url).await;
    let record = "INSERT INTO change_record VALUES (0, 1, 1, 'a', 'b', 'c', 'd', 'e')";
    client.batch_execute(record).await.unwrap();
    for change in [
        "UPDATE change_record SET actor = 'nobody'",
        "DELETE FROM change_record",
        "TRUNCATE change_record",
        "TRUNCATE merchant_journal",
        "TRUNCATE user_journal",
    ] {
        let refused = client.batch_execute(change).await.unwrap_err();
        assert!(crate::error::told(&refused).contains("append-only"), "{change}");
    }
}

#[tokio::test]
async fn a_packet_is_funded_once() {
    let Some(url) = an_empty_database().await else { return };
    let client = connect(&url).await;
    let order = "INSERT INTO packet (merchant_id, packet_no, total, share_count, caller_id,
                     created_at, kind, way, bill_no, appid, openid, send_name, wishing, act_name,
                     remark)
                 VALUES (1, 1, 100, 1, 1, 0, 1, 1, 'b', 'a', 'o', '', '', '', '')";
    client.batch_execute(order).await.unwrap();
    client.batch_execute("UPDATE packet SET funded_at = 1").await.unwrap();
    let refused = client.batch_execute("UPDATE packet SET funded_at = 2").await.unwrap_err();
    assert!(crate::error::told(&refused).contains("append-only"), "{refused}");
}
