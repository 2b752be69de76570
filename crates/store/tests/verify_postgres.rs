//! The damages of `verify.rs` on PostgreSQL: exactly the same invariants are then said to be broken.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a surprise in a test is its failure")]

mod damages;

use std::sync::Arc;

use damages::{BALANCES, Damage, HANDOVERS, JOURNALS, PACKETS, REFERENCES, a_busy_day};
use hongbao_app::{jobs::check_books, ports::StoreError};
use hongbao_domain::{Timestamp, ledger::audit::Invariant};
use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{
    Harness, ManualClock,
    postgres::{a_name, a_namespace},
};
use tokio_postgres::{Client, Config, NoTls, error::SqlState};

/// A database of its own after a busy day, to be copied.
struct Clean {
    server: String,
    database: String,
    /// When the day ended.
    now: Timestamp,
    admin: Client,
}

impl Clean {
    async fn make() -> Option<Self> {
        let (server, _) = a_namespace()?;
        let admin = connect(&server).await;
        let database = a_name("clean");
        admin.batch_execute(&format!("CREATE DATABASE {database}")).await.unwrap();
        let url = url_of(&server, &database).parse::<PostgresUrl>().unwrap();
        PostgresStore::migrate(&url).await.unwrap();
        let clock = ManualClock::morning();
        let store = PostgresStore::open_with_clock(&url, clock.clone()).await.unwrap();
        let harness = Harness::new(Arc::new(store), clock);
        a_busy_day(&harness).await;
        let now = harness.clock_now();
        drop(harness);
        Some(Self { server, database, now, admin })
    }

    /// Damages a copy and answers what is then found.
    async fn checked_after(&self, sql: &str) -> Result<Found, StoreError> {
        let copy = a_name("copy");
        // Nobody may be connected to what is copied; sessions that were closed may take a moment.
        let make = format!("CREATE DATABASE {copy} TEMPLATE {}", self.database);
        while let Err(error) = self.admin.batch_execute(&make).await {
            assert_eq!(error.code(), Some(&SqlState::OBJECT_IN_USE), "{error}");
        }
        let url = url_of(&self.server, &copy);
        damage(&connect(&url).await, sql).await;
        let store = PostgresStore::open_read_only(&url.parse().unwrap()).await.unwrap();
        let found = check_books(&store, Some(self.now)).await;
        drop(store);
        let dropped = format!("DROP DATABASE {copy} WITH (FORCE)");
        self.admin.batch_execute(&dropped).await.unwrap();
        found.map(|found| Found {
            broken: found.report.broken().collect(),
            stops_money: found.stops_money(),
            said: format!("{}{:?}", found.report, found.structure),
        })
    }
}

struct Found {
    broken: Vec<Invariant>,
    stops_money: bool,
    said: String,
}

fn url_of(server: &str, database: &str) -> String {
    format!("{}/{database}", server.rsplit_once('/').unwrap().0)
}

async fn connect(url: &str) -> Client {
    let config: Config = url.parse().unwrap();
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Does what no server would: triggers stand aside, and so does a constraint that forbids it.
async fn damage(client: &Client, sql: &str) {
    client.batch_execute("SET session_replication_role = replica").await.unwrap();
    let sql = sql
        .replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')")
        .replace("zeroblob(16)", "decode(repeat('00', 16), 'hex')");
    while let Err(error) = client.batch_execute(&sql).await {
        let stated = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
        let constraint = stated.constraint().unwrap_or_else(|| panic!("{sql}: {stated}"));
        let aside = format!("ALTER TABLE {} DROP CONSTRAINT {constraint}", stated.table().unwrap());
        client.batch_execute(&aside).await.unwrap();
    }
}

async fn says(damages: &[Damage]) {
    let Some(clean) = Clean::make().await else { return };
    let mut surprises = Vec::new();
    for (says, sql, numbers) in damages {
        let found = clean.checked_after(sql).await.unwrap();
        let expected: Vec<_> = numbers.iter().map(|number| Invariant::number(*number)).collect();
        if found.broken != expected {
            surprises.push(format!("{says}: {:?}\n{}", found.broken, found.said));
        }
        assert!(found.stops_money, "{says}");
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[tokio::test]
async fn wrong_balances_are_told() {
    says(&BALANCES).await;
}

#[tokio::test]
async fn changed_journals_are_told() {
    says(&JOURNALS).await;
}

#[tokio::test]
async fn changed_packets_and_claims_are_told() {
    says(&PACKETS).await;
}

#[tokio::test]
async fn lost_lines_cursors_and_messages_are_told() {
    says(&HANDOVERS).await;
}

#[tokio::test]
async fn references_and_payouts_that_fit_no_movement_are_told() {
    says(&REFERENCES).await;
}

#[tokio::test]
async fn a_store_after_a_busy_day_is_clean() {
    let Some(clean) = Clean::make().await else { return };
    let found = clean.checked_after("SELECT 1").await.unwrap();
    assert!(found.broken.is_empty() && !found.stops_money, "{}", found.said);
}

/// An order without its packet cannot be read at all, which stops the server as well.
#[tokio::test]
async fn a_packet_that_is_just_gone_is_damage() {
    let Some(clean) = Clean::make().await else { return };
    let found = clean.checked_after("DELETE FROM packet WHERE packet_no = 4").await;
    assert!(matches!(found, Err(StoreError::Corrupt(_))));
}
