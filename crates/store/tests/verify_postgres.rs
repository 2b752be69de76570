//! The damages of `verify.rs` on PostgreSQL: exactly the same invariants are then said to be broken.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a surprise in a test is its failure")]

mod damages;

use std::sync::Arc;

use damages::{
    a_busy_day,
    cases::{Day, damages_are_told},
};
use hongbao_app::{
    jobs::{CheckReport, check_books},
    ports::StoreError,
};
use hongbao_domain::Timestamp;
use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{
    Harness, ManualClock,
    postgres::{a_name, a_namespace},
};
use tokio_postgres::{Client, Config, NoTls, error::SqlState};

/// A database of its own after a busy day, to be copied.
struct OnPostgres {
    server: String,
    database: String,
    ended: Timestamp,
    admin: Client,
}

impl Day for OnPostgres {
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
        let ended = harness.clock_now();
        drop(harness);
        Some(Self { server, database, ended, admin })
    }

    fn ended(&self) -> Timestamp {
        self.ended
    }

    async fn checked_after(
        &self,
        sql: &str,
        up: Option<Timestamp>,
    ) -> Result<CheckReport, StoreError> {
        let copy = a_name("copy");
        // Nobody may be connected to what is copied; sessions that were closed may take a moment.
        let make = format!("CREATE DATABASE {copy} TEMPLATE {}", self.database);
        while let Err(error) = self.admin.batch_execute(&make).await {
            assert_eq!(error.code(), Some(&SqlState::OBJECT_IN_USE), "{error}");
        }
        let url = url_of(&self.server, &copy);
        damage(&connect(&url).await, sql).await;
        let store = PostgresStore::open_read_only(&url.parse().unwrap()).await.unwrap();
        let found = check_books(&store, up).await;
        drop(store);
        let dropped = format!("DROP DATABASE {copy} WITH (FORCE)");
        self.admin.batch_execute(&dropped).await.unwrap();
        found
    }
}

damages_are_told!(OnPostgres);

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
