//! What joins owners of two kinds, who lie on different machines, finds on a distributed database
//! what it finds on one.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

#[expect(dead_code, unused_imports, unused_macros, reason = "each test file uses its own part")]
mod damages;

use std::sync::Arc;

use damages::{HANDOVERS, PACKETS, a_busy_day};
use hongbao_app::jobs::{CheckReport, check_books};
use hongbao_domain::ledger::audit::Invariant;
use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{Harness, ManualClock, postgres::a_distributed_namespace};
use tokio_postgres::{Client, Config, NoTls};

/// A distributed namespace after a busy day.
struct Day {
    harness: Harness,
    client: Client,
}

impl Day {
    async fn pass() -> Option<Self> {
        let (server, namespace) = a_distributed_namespace()?;
        let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
        PostgresStore::migrate_and_distribute(&url).await.unwrap();
        let clock = ManualClock::morning();
        let store = PostgresStore::open_with_clock(&url, clock.clone()).await.unwrap();
        let harness = Harness::new(Arc::new(store), clock);
        a_busy_day(&harness).await;
        let config: Config = url.with_password().parse().unwrap();
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        Some(Self { harness, client })
    }

    async fn checked(&self) -> CheckReport {
        check_books(self.harness.store(), Some(self.harness.clock_now())).await.unwrap()
    }
}

#[tokio::test]
async fn lost_lines_cursors_messages_and_orders_are_told() {
    let orders = PACKETS.iter().filter(|(says, _, _)| *says == "an order is gone");
    for (says, sql, numbers) in HANDOVERS.iter().chain(orders) {
        let Some(day) = Day::pass().await else { return };
        // Rows of another owner lie elsewhere: Citus lets no owner be changed.
        let elsewhere = "UPDATE inbox_message SET user_id = 2 WHERE packet_no = 4";
        let sql = if *sql == elsewhere {
            "WITH lost AS (DELETE FROM inbox_message WHERE packet_no = 4 RETURNING *)
             INSERT INTO inbox_message SELECT 2, sent_at, merchant_id, packet_no, form FROM lost"
        } else {
            sql
        };
        day.client.batch_execute(sql).await.unwrap();
        let found = day.checked().await;
        let broken: Vec<_> = found.report.broken().collect();
        let expected: Vec<_> = numbers.iter().map(|number| Invariant::number(*number)).collect();
        assert_eq!(broken, expected, "{says}\n{}", found.report);
    }
}

/// The checks that `docs/DATABASE.md` gives to outsiders; answers how many rows each finds.
async fn by_the_handbook(day: &Day) -> Vec<usize> {
    let handbook = include_str!("../../../docs/DATABASE.md");
    let (_, rest) = handbook.split_once("Checks that must find nothing:\n\n```sql\n").unwrap();
    let mut found = Vec::new();
    for query in rest.split_once("```").unwrap().0.split(';').filter(|sql| !sql.trim().is_empty()) {
        found.push(day.client.query(query, &[]).await.unwrap().len());
    }
    found
}

#[tokio::test]
async fn checks_from_outside_run_too_and_find_what_is_wrong() {
    let Some(day) = Day::pass().await else { return };
    assert_eq!(by_the_handbook(&day).await, [0, 0, 0, 0]);
    let open_again = "UPDATE packet_progress SET settled_at = NULL WHERE packet_no = 2";
    day.client.batch_execute(open_again).await.unwrap();
    assert_eq!(by_the_handbook(&day).await, [0, 0, 0, 1]);
}

#[tokio::test]
async fn a_clean_store_says_over_what_it_lies() {
    let Some(day) = Day::pass().await else { return };
    let found = day.checked().await;
    assert!(found.clean(), "{}{:?}", found.report, found.structure);
    let count = "SELECT count(*) FROM pg_dist_shard JOIN pg_class ON pg_class.oid = logicalrelid
                 WHERE relnamespace = current_schema()::regnamespace";
    let shards: i64 = day.client.query_one(count, &[]).await.unwrap().get(0);
    let said = found.report.to_string();
    let line = said.lines().find(|line| line.starts_with("I-32")).unwrap();
    assert_eq!(
        line,
        format!(
            "I-32 ok   nothing is in transit between shards ({shards} checked, 0 broken; 23 tables \
             on 2 machines, no commit between them hung)"
        )
    );
    assert!(shards >= 46, "23 tables on two machines have more than {shards} shards");
}
