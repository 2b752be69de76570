//! Failover (C-1, C-3, C-4, C-5): a primary that is killed under load is replaced by its
//! synchronous standby, and nothing that was acknowledged is lost. One failover by default;
//! `HONGBAO_TEST_FAILOVERS` sets another count.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    DemoProcess, audit_of,
    load::{Callers, Ledger, everything_acknowledged_is_there, lost_sends, now_millis},
    operator,
    pair::Pair,
    private_directory, rounds,
};
use tokio::time::sleep;

/// A load that leaves a small machine time for two databases and a watcher.
const PAUSE: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_primary_is_killed() {
    let Some(pair) = Pair::start(&[]) else { return };
    let failovers = rounds("HONGBAO_TEST_FAILOVERS", 1);
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &pair.url()).await;
    let (manifest, ledger) = (demo.clone_manifest(), Arc::new(Ledger::default()));
    let mut serving_after = Vec::new();
    for failover in 1..=usize::try_from(failovers).unwrap() {
        let callers = Callers::start_with_pause(&manifest, &ledger, PAUSE);
        more_acknowledged(&ledger, 30).await;
        // Another moment of the batch's life each time.
        sleep(Duration::from_millis(u64::try_from(failover * 37 % 200).unwrap())).await;
        let (old, killed) = (pair.primary(), now_millis());
        pair.kill(&old);
        let promoted = pair.wait("promoted", failover).await;
        let served = first_acknowledged(&ledger, promoted).await;
        println!(
            "failover {failover}: {old} killed, the other promoted after {} ms, serving {} ms later",
            promoted - killed,
            served - promoted,
        );
        serving_after.push(served - promoted);
        more_acknowledged(&ledger, 10).await;
        callers.stop().await;
        pair.wait("synchronous", failover + 1).await;
    }
    let broken = ledger.broken.lock().unwrap().clone();
    assert!(broken.is_empty(), "{broken:?}");
    everything_acknowledged_is_there(&manifest, &ledger).await;
    let ghosts = ghosts(&pair, &ledger).await;
    assert!(ghosts.is_empty(), "orders that nobody asked for: {ghosts:?}");
    let (sends, claims) = ledger.acknowledged();
    serving_after.sort_unstable();
    println!(
        "{failovers} failovers, {sends} sends and {claims} claims acknowledged, none lost; serving \
         after promotion: median {} ms, longest {} ms",
        serving_after[serving_after.len() / 2],
        serving_after[serving_after.len() - 1],
    );
    assert!(sends > 30 && claims > 10, "the load was not a load: {sends} sends, {claims} claims");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_primary_that_comes_back_is_refused() {
    let Some(pair) = Pair::start(&[("HA_REJOIN", "no")]) else { return };
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &pair.url()).await;
    let (manifest, ledger) = (demo.clone_manifest(), Arc::new(Ledger::default()));
    let callers = Callers::start_with_pause(&manifest, &ledger, PAUSE);
    more_acknowledged(&ledger, 20).await;
    pair.kill("a");
    let promoted = pair.wait("promoted", 1).await;
    first_acknowledged(&ledger, promoted).await;

    // Fenced, it comes back as a standby, and nobody takes it for anything else. It finds no
    // primary: as the synchronous standby of the new one it would be waited for once it is killed.
    pair.lead_nowhere("a");
    pair.start_node("a");
    let refused = verify(&pair.url_of("a"));
    assert!(refused.contains("it is in recovery"), "{refused}");

    // Even when somebody starts it as a primary, it cannot answer a commit: its standby left.
    pair.kill("a");
    pair.make_rogue("a");
    pair.start_node("a");
    assert_eq!(pair.ask("a", "SELECT pg_is_in_recovery()").as_deref(), Some("f"));
    assert_eq!(pair.ask("a", "CREATE TABLE rogue (id bigint)"), None);

    // And a platform that looks for its database anew finds the right one, though the rogue
    // stands first in its URL, and takes writes.
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'hongbao'";
    for _ in 0..5 {
        pair.ask("b", cut).unwrap();
        more_acknowledged(&ledger, 10).await;
    }
    callers.stop().await;
    everything_acknowledged_is_there(&manifest, &ledger).await;
    assert!(ledger.broken.lock().unwrap().is_empty(), "{:?}", ledger.broken);
    pair.kill("a");
    let ghosts = ghosts(&pair, &ledger).await;
    assert!(ghosts.is_empty(), "orders that nobody asked for: {ghosts:?}");
}

/// The planted fault: without a synchronous standby a failover loses what was acknowledged. The
/// platform notices and stops, and this harness sees the loss that it looks for above.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_that_lost_commits_stops_money() {
    let Some(pair) = Pair::start(&[("HA_SYNC", "no"), ("HA_REJOIN", "no")]) else { return };
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &pair.url()).await;
    let (manifest, ledger) = (demo.clone_manifest(), Arc::new(Ledger::default()));
    let callers = Callers::start_with_pause(&manifest, &ledger, PAUSE);
    more_acknowledged(&ledger, 20).await;
    pair.cut_off("b");
    more_acknowledged(&ledger, 20).await;
    pair.kill("a");
    pair.wait("promoted", 1).await;
    let operator = operator(&manifest);
    let mut answer = String::new();
    for _ in 0..600 {
        answer = match operator.call("GET", "/readyz", None).await {
            Ok(ready) => ready.to_string(),
            Err(error) => error.to_string(),
        };
        if answer.contains("money_operations_stopped") {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert!(answer.contains("money_operations_stopped"), "{answer}");
    callers.stop().await;
    let lost = lost_sends(&manifest, &ledger).await;
    println!("{} of {} acknowledged sends are lost", lost.len(), ledger.acknowledged().0);
    assert!(!lost.is_empty(), "the fault was planted and not seen");
}

/// Somebody cancels commits that wait for a standby that is gone. PostgreSQL then answers them as
/// if they were safe; the platform must not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_wait_for_the_standby_acknowledges_nothing() {
    let Some(pair) = Pair::start(&[]) else { return };
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &pair.url()).await;
    let (manifest, ledger) = (demo.clone_manifest(), Arc::new(Ledger::default()));
    let callers = Callers::start_with_pause(&manifest, &ledger, PAUSE);
    more_acknowledged(&ledger, 20).await;
    pair.cut_off("b");
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
                  WHERE wait_event = 'SyncRep'";
    let mut cancelled = 0;
    for _ in 0..50 {
        cancelled += pair.ask("a", cancel).unwrap().parse::<u32>().unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    assert!(cancelled > 0, "nothing waited for the standby");
    pair.kill("a");
    let promoted = pair.wait("promoted", 1).await;
    first_acknowledged(&ledger, promoted).await;
    callers.stop().await;
    everything_acknowledged_is_there(&manifest, &ledger).await;
    assert!(ledger.broken.lock().unwrap().is_empty(), "{:?}", ledger.broken);
    println!("{cancelled} waits cancelled, nothing acknowledged by them");
}

/// Waits until so many more sends are acknowledged.
async fn more_acknowledged(ledger: &Ledger, more: usize) {
    let before = ledger.acknowledged().0;
    for _ in 0..1_200 {
        if ledger.acknowledged().0 >= before + more {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not {more} more sends acknowledged in a minute");
}

/// When the first send was acknowledged after `since`.
async fn first_acknowledged(ledger: &Ledger, since: u64) -> u64 {
    for _ in 0..6_000 {
        if let Some(at) = ledger.first_since(since) {
            return at;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("no send was acknowledged in the minute after the promotion");
}

/// Orders in the books that no client asked for; checks the books.
async fn ghosts(pair: &Pair, ledger: &Ledger) -> Vec<String> {
    let stored = audit_of(&pair.url()).await;
    let issued = ledger.issued.lock().unwrap().clone();
    // The demo's own orders are there, too.
    let ours = stored.difference(&issued).filter(|number| number.starts_with("KILL"));
    ours.cloned().collect()
}

/// What `hongbao verify` says of a store that it refuses.
fn verify(store: &hongbao_server::config::StoreUrl) -> String {
    let url = String::from(store.clone());
    let command =
        std::process::Command::new(common::HONGBAO).args(["verify", "--store", &url]).output();
    let command = command.unwrap();
    assert!(!command.status.success());
    String::from_utf8(command.stderr).unwrap()
}
