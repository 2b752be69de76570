//! kill -9 under load on PostgreSQL (A-1, C-1, I-19, I-20, I-24), of servers and of the database:
//! what was acknowledged is there for every server to see, what is there was asked for, and the
//! books add up. A few rounds by default; `HONGBAO_TEST_KILL_CYCLES` sets another count.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{path::Path, process::Command, sync::Arc, time::Duration};

use common::{
    DemoProcess, audit_of,
    load::{Callers, Ledger, everything_acknowledged_is_there},
    private_directory, rounds,
};
use hongbao_server::config::StoreUrl;
use hongbao_testkit::postgres::{Cluster, a_namespace, statement};
use tempfile::TempDir;

const SERVERS: usize = 3;

fn an_empty_store() -> Option<StoreUrl> {
    let (server, namespace) = a_namespace()?;
    Some(format!("{server}?options=-c%20search_path%3D{namespace}").parse().unwrap())
}

/// One server after another, each killed in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_nine_of_the_one_server() {
    let Some(store) = an_empty_store() else { return };
    let cycles = rounds("HONGBAO_TEST_KILL_CYCLES", 5);
    let dir = private_directory();
    let ledger = Arc::new(Ledger::default());
    for cycle in 0..cycles {
        let mut demo = DemoProcess::start_on(dir.path(), &store).await;
        // As if the killed server's leases had run out: without messages there are no claims.
        statement(&String::from(store.clone()), "UPDATE job_lease SET until = 0");
        let load = Callers::start(&demo.clone_manifest(), &ledger);
        tokio::time::sleep(Duration::from_millis(1_300 + (cycle * 137) % 500)).await;
        demo.kill();
        load.stop().await;
    }
    let demos = [DemoProcess::start_on(dir.path(), &store).await];
    for demo in &demos {
        everything_acknowledged_is_there(&demo.clone_manifest(), &ledger).await;
    }
    drop(demos);
    was_a_load(&ledger, cycles);
    ledger.agrees_with(&audit_of(&store).await);
}

/// Three servers on one database, one of them killed at a time while the others serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_nine_of_one_of_three_servers() {
    let Some(store) = an_empty_store() else { return };
    let cycles = rounds("HONGBAO_TEST_KILL_CYCLES", 5);
    let ledger = Arc::new(Ledger::default());
    // Keys and certificates are made by the first and copied to the others, as on real servers.
    let first = private_directory();
    let mut servers = vec![Served::start(first, &store, &ledger).await];
    for _ in 1..SERVERS {
        let dir = copy_of(servers[0].dir.path());
        servers.push(Served::start(dir, &store, &ledger).await);
    }
    for cycle in 0..cycles {
        tokio::time::sleep(Duration::from_millis(300 + (cycle * 137) % 700)).await;
        // No server is spared, and none is always the next one.
        let victim = usize::try_from(cycle * 7 + cycle / 3).unwrap() % SERVERS;
        let dir = servers.remove(victim).kill().await;
        servers.push(Served::start(dir, &store, &ledger).await);
    }
    let mut demos = Vec::new();
    let mut dirs = Vec::new();
    for server in servers {
        server.load.stop().await;
        demos.push(server.demo);
        dirs.push(server.dir);
    }
    for demo in &demos {
        everything_acknowledged_is_there(&demo.clone_manifest(), &ledger).await;
    }
    drop(demos);
    was_a_load(&ledger, cycles);
    ledger.agrees_with(&audit_of(&store).await);
}

/// The database is killed and started again; servers are not, and go on by themselves (C-1).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_go_on_by_themselves_after_kill_nine_of_the_database() {
    let Some(cluster) = Cluster::start() else { return };
    let store: StoreUrl = cluster.url().parse().unwrap();
    let ledger = Arc::new(Ledger::default());
    let mut served = Served::start(private_directory(), &store, &ledger).await;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        cluster.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        cluster.start_again();
        let before = ledger.acknowledged();
        for _ in 0..600 {
            let now = ledger.acknowledged();
            if now.0 > before.0 + 20 && now.1 > before.1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let now = ledger.acknowledged();
        assert!(now.0 > before.0 + 20 && now.1 > before.1, "it did not go on: {before:?} {now:?}");
        assert!(served.demo.runs());
    }
    served.load.stop().await;
    let demos = [served.demo];
    for demo in &demos {
        everything_acknowledged_is_there(&demo.clone_manifest(), &ledger).await;
    }
    drop(demos);
    was_a_load(&ledger, 2);
    ledger.agrees_with(&audit_of(&store).await);
}

/// A server with its callers.
struct Served {
    dir: TempDir,
    demo: DemoProcess,
    load: Callers,
}

impl Served {
    async fn start(dir: TempDir, store: &StoreUrl, ledger: &Arc<Ledger>) -> Self {
        let demo = DemoProcess::start_on(dir.path(), store).await;
        let load = Callers::start(&demo.clone_manifest(), ledger);
        Self { dir, demo, load }
    }

    async fn kill(mut self) -> TempDir {
        self.demo.kill();
        self.load.stop().await;
        self.dir
    }
}

fn copy_of(data: &Path) -> TempDir {
    let copy = private_directory();
    let copied = Command::new("cp").arg("-a").arg(data.join(".")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    copy
}

fn was_a_load(ledger: &Ledger, kills: u64) {
    let (sent, opened) = ledger.acknowledged();
    println!("{kills} kills, {sent} sends and {opened} claims acknowledged, none lost");
    assert!(sent > 50 && opened > 20, "the load was not a load: {sent} sends, {opened} claims");
}
