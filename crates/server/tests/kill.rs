//! kill -9 under load (A-1, I-19, I-20): what was acknowledged is there, what is there was asked
//! for, and the books add up. Thirty cycles by default; `HONGBAO_TEST_KILL_CYCLES` sets another count.

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
    DemoProcess, audit,
    load::{Callers, Ledger, everything_acknowledged_is_there},
    private_directory, rounds,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_nine() {
    let cycles = rounds("HONGBAO_TEST_KILL_CYCLES", 30);
    let dir = private_directory();
    let ledger = Arc::new(Ledger::default());
    for cycle in 0..cycles {
        let mut demo = DemoProcess::start(dir.path()).await;
        let callers = Callers::start(&demo.clone_manifest(), &ledger);
        // Another moment of the batch's life in every cycle.
        tokio::time::sleep(Duration::from_millis(150 + (cycle * 37) % 400)).await;
        demo.kill();
        callers.stop().await;
    }
    let demo = DemoProcess::start(dir.path()).await;
    everything_acknowledged_is_there(&demo.clone_manifest(), &ledger).await;
    drop(demo);
    let (sent, opened) = ledger.acknowledged();
    println!("{cycles} kills, {sent} sends and {opened} claims acknowledged, none lost");
    assert!(sent > 50 && opened > 20, "the load was not a load: {sent} sends, {opened} claims");
    ledger.agrees_with(&audit(dir.path()).await);
}
