//! A worker of a Citus cluster is killed under load (C-16, C-17): nothing acknowledged is lost,
//! what hung between two machines is resolved, and the platform serves on. Run it by
//! `scripts/with-citus.sh`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{path::PathBuf, process::Command, sync::Arc, time::Duration};

use common::{
    DemoProcess, audit_of,
    load::{Callers, Ledger, everything_acknowledged_is_there, now_millis},
    private_directory, rounds,
};
use hongbao_server::{config::StoreUrl, running::distribute_store};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_a_worker_is_killed() {
    let (Ok(directory), Ok(url)) =
        (std::env::var("HONGBAO_TEST_CITUS"), std::env::var("HONGBAO_TEST_CITUS_URL"))
    else {
        eprintln!("SKIPPED: HONGBAO_TEST_CITUS names no cluster; run it by scripts/with-citus.sh");
        return;
    };
    let directory = PathBuf::from(directory);
    let store: StoreUrl = url.parse().unwrap();
    distribute_store(&store).await.unwrap();
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &store).await;
    let (manifest, ledger) = (demo.clone_manifest(), Arc::new(Ledger::default()));
    let callers = Callers::start_with_pause(&manifest, &ledger, Duration::from_millis(20));
    for kill in 1..=rounds("HONGBAO_TEST_WORKER_KILLS", 2) {
        let before = ledger.acknowledged().0;
        while ledger.acknowledged().0 < before + 20 {
            sleep(Duration::from_millis(20)).await;
        }
        let worker = format!("worker{}", 1 + kill % 2);
        kill_worker(&directory, &worker);
        let (killed, at_kill) = (now_millis(), ledger.acknowledged().0);
        sleep(Duration::from_secs(3)).await;
        let without = ledger.acknowledged().0 - at_kill;
        let hanging = prepared(&directory);
        start_worker(&directory, &worker);
        let (up, mut waited) = (now_millis(), 0);
        while ledger.first_since(up).is_none() {
            sleep(Duration::from_millis(20)).await;
            waited += 1;
            assert!(
                waited < 6_000,
                "no send was acknowledged in two minutes after the worker came back"
            );
        }
        println!(
            "kill {kill}: {worker} down for {} ms, {without} sends acknowledged meanwhile, {hanging} \
             prepared transactions left behind, serving {} ms after it came back",
            up - killed,
            ledger.first_since(up).unwrap() - up,
        );
    }
    callers.stop().await;
    let mut waited = 0;
    while prepared(&directory) > 0 {
        sleep(Duration::from_secs(1)).await;
        waited += 1;
        assert!(waited < 120, "prepared transactions stay for two minutes");
    }
    everything_acknowledged_is_there(&manifest, &ledger).await;
    let broken = ledger.broken.lock().unwrap().clone();
    assert!(broken.is_empty(), "{broken:?}");
    drop(demo);
    let stored = audit_of(&store).await;
    let issued = ledger.issued.lock().unwrap().clone();
    let ghosts: Vec<_> =
        stored.difference(&issued).filter(|number| number.starts_with("KILL")).collect();
    assert!(ghosts.is_empty(), "orders that nobody asked for: {ghosts:?}");
    let (sends, claims) = ledger.acknowledged();
    println!(
        "{sends} sends and {claims} claims acknowledged, none lost; none hung after {waited} s"
    );
}

fn kill_worker(directory: &std::path::Path, worker: &str) {
    let text = std::fs::read_to_string(directory.join(worker).join("postmaster.pid")).unwrap();
    let pid = text.lines().next().unwrap();
    shell(&format!("kill -KILL {pid} $(ps -o pid= --ppid {pid}); sleep 0.3"));
    std::fs::remove_file(directory.join(worker).join("postmaster.pid")).unwrap();
}

fn start_worker(directory: &std::path::Path, worker: &str) {
    let owner =
        "$([ $(id -u) = 0 ] && echo setpriv --reuid=postgres --regid=postgres --init-groups)";
    let control = "$(find /usr/lib/postgresql -name pg_ctl | sort -V | tail -n 1)";
    let (path, log) = (directory.join(worker), directory.join(format!("{worker}.log")));
    let (path, log) = (path.display(), log.display());
    shell(&format!("{owner} {control} -D {path} -l {log} -w start >/dev/null"));
}

/// Transactions that are prepared on a worker that answers, and not yet decided there.
fn prepared(directory: &std::path::Path) -> u64 {
    let count = |port: &&str| {
        let asked = Command::new("psql")
            .args(["-XqAt", "-U", "hongbao", "-d", "distributed", "-p", port, "-h"])
            .arg(directory)
            .args(["-c", "SELECT count(*) FROM pg_prepared_xacts"])
            .output()
            .unwrap();
        String::from_utf8(asked.stdout).unwrap().trim().parse().unwrap_or(0_u64)
    };
    ["5452", "5453"].iter().map(count).sum()
}

fn shell(command: &str) {
    assert!(Command::new("bash").args(["-c", command]).status().unwrap().success(), "{command}");
}
