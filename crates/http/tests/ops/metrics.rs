//! Metrics: what commands leave in them, and what must never be there.

use std::sync::Arc;

use hongbao_app::{
    App,
    jobs::sample_backlog,
    ports::{SystemClock, SystemRng},
    vault::Vault,
};
use hongbao_domain::{
    Fen,
    merchant::{FundingAccount, Recharge},
};
use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{
    builders::{a_send, normal_terms},
    postgres::{Cluster, statement},
};
use prometheus_client::registry::Registry;

use crate::{call::call, town::Platform};

async fn metrics(platform: &Platform) -> String {
    let answer = call("GET", "/metrics").on(&platform.ops).await;
    assert_eq!(answer.status, 200);
    answer.body.as_str().unwrap().to_owned()
}

async fn send(platform: &Platform, number: &str, fen: i64) {
    let command = a_send(platform.merchant, number, normal_terms("alice", fen));
    drop(platform.app.executor().submit(command).await);
}

#[tokio::test]
async fn commands_are_counted_by_outcome_and_refusals_by_reason() {
    let platform = Platform::on_one_server().await;
    send(&platform, "b1", 100).await;
    send(&platform, "b2", 20_000).await;
    send(&platform, "b3", 20_000).await;
    let text = metrics(&platform).await;
    for line in [
        "hongbao_commands_total{command=\"send_packet\",outcome=\"done\"} 1",
        "hongbao_commands_total{command=\"send_packet\",outcome=\"refused\"} 2",
        "hongbao_refusals_total{command=\"send_packet\",reason=\"balance_too_low\"} 2",
        "hongbao_executor_queue_depth 0",
        "hongbao_executor_batch_commands_count 3",
        "hongbao_executor_transact_seconds_count 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn every_failure_is_there_before_it_happens_and_counted_when_it_does() {
    let platform = Platform::on_one_server().await;
    let before = metrics(&platform).await;
    for failure in ["busy", "unknown", "unavailable", "halted", "defect"] {
        let line = format!("hongbao_command_failures_total{{failure=\"{failure}\"}} 0");
        assert!(before.contains(&line), "{line}");
    }
    platform.app.executor().gate().halt("planted".to_owned());
    let command = Recharge {
        merchant: platform.merchant,
        account: FundingAccount::Basic,
        amount: Fen::new(1),
        reference: "r1".parse().unwrap(),
    };
    assert!(platform.app.executor().submit(command).await.is_err());
    let after = metrics(&platform).await;
    assert!(after.contains("hongbao_command_failures_total{failure=\"halted\"} 1"), "{after}");
    assert!(after.contains("hongbao_commands_total{command=\"recharge\",outcome=\"failed\"} 1"));
}

#[tokio::test]
async fn what_waits_is_sampled() {
    let platform = Platform::on_one_server().await;
    send(&platform, "b1", 100).await;
    assert!(metrics(&platform).await.contains("hongbao_sample_timestamp_seconds 0"));
    sample_backlog(&platform.app).await.unwrap();
    let text = metrics(&platform).await;
    // The recharge that gave the merchant its money, and the send.
    assert!(text.contains("hongbao_journal_rows_unfollowed 2"), "{text}");
    assert!(text.contains("hongbao_packets_expiring_soon 0"));
    assert!(text.contains("hongbao_refund_overdue_seconds 0"));
    assert!(text.contains("hongbao_money_stopped 0"));
}

/// C-17: on a server that lets transactions be prepared, which the shared one does not.
#[tokio::test]
async fn transactions_left_prepared_are_shown() {
    let Some(server) = Cluster::start() else { return };
    let url: PostgresUrl = server.url().parse().unwrap();
    PostgresStore::migrate(&url).await.unwrap();
    let rng = Arc::new(SystemRng);
    let vault = Vault::open_with(&Vault::new_master_key(&*rng)).unwrap();
    let store = Arc::new(PostgresStore::open(&url).await.unwrap());
    let app = App::start(store, Arc::new(SystemClock::start()), rng, vault);
    let mut registry = Registry::default();
    app.metrics().register(&mut registry);
    statement(&server.url(), "BEGIN; PREPARE TRANSACTION 'left'");
    sample_backlog(&app).await.unwrap();
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("hongbao_store_prepared_transactions 1\n"), "{text}");
}

/// O-5: no label is a merchant, a person or an order.
#[tokio::test]
async fn metrics_name_nobody() {
    let platform = Platform::on_one_server().await;
    send(&platform, "BILL4711", 100).await;
    send(&platform, "BILL4712", 20_000).await;
    let text = metrics(&platform).await;
    for name in ["10000098", "alice", "BILL47", "wx-app-one"] {
        assert!(!text.contains(name), "{name} is in\n{text}");
    }
}
