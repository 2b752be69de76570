//! A worker of a Citus cluster is killed under load, and transactions are left prepared there
//! (C-16, C-17): nothing acknowledged is lost, what hung between two machines is resolved or told,
//! and the platform serves on. Run it by `make citus`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{path::PathBuf, process::Command, sync::Arc, time::Duration};

use common::{
    DemoProcess, HONGBAO, audit_of,
    load::{Callers, Ledger, everything_acknowledged_is_there, now_millis},
    private_directory, rounds, send_fields, shown, v2_client,
};
use hongbao_server::{config::StoreUrl, running::distribute_store};
use hongbao_store::postgres::PostgresUrl;
use hongbao_testkit::postgres::{a_citus_cluster, a_name};
use hongbao_wire::SignType;
use tokio::{
    sync::{Mutex, MutexGuard},
    time::sleep,
};

/// The machines of the cluster that hold rows.
const WORKERS: [&str; 2] = ["worker1", "worker2"];
/// A machine that is down is down for everybody: one test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The cluster, with a new distributed store on it.
struct Cluster {
    directory: PathBuf,
    store: StoreUrl,
    _alone: MutexGuard<'static, ()>,
}

impl Cluster {
    async fn alone() -> Option<Self> {
        let (directory, url) = a_citus_cluster()?;
        let alone = ALONE.lock().await;
        let url: PostgresUrl = url.parse().unwrap();
        let store = StoreUrl::Postgres(url.in_namespace(&a_name("cluster")));
        distribute_store(&store).await.unwrap();
        let cluster = Self { directory, store, _alone: alone };
        // What other tests wrote is not to be replayed after a kill: that takes minutes.
        for worker in WORKERS {
            cluster.ask(worker, "CHECKPOINT").unwrap();
        }
        Some(cluster)
    }

    fn kill(&self, worker: &str) {
        let file = self.directory.join(worker).join("postmaster.pid");
        let text = std::fs::read_to_string(&file).unwrap();
        let pid = text.lines().next().unwrap();
        shell(&format!("kill -KILL {pid} $(ps -o pid= --ppid {pid}); sleep 0.3"));
        std::fs::remove_file(file).unwrap();
    }

    fn start(&self, worker: &str) {
        let owner =
            "$([ $(id -u) = 0 ] && echo setpriv --reuid=postgres --regid=postgres --init-groups)";
        let control = "$(find /usr/lib/postgresql -name pg_ctl | sort -V | tail -n 1)";
        let path = self.directory.join(worker).display().to_string();
        shell(&format!("{owner} {control} -D {path} -l {path}.log -w -t 300 start >/dev/null"));
    }

    /// What a worker answers to a statement; `None` when it does not.
    fn ask(&self, worker: &str, sql: &str) -> Option<String> {
        let settings = self.directory.join(worker).join("postgresql.conf");
        let settings = std::fs::read_to_string(settings).unwrap();
        let port = settings.lines().filter_map(|line| line.strip_prefix("port = ")).next_back();
        let asked = Command::new("psql")
            .args(["-XqAt", "-U", "hongbao", "-d", "distributed", "-p", port.unwrap(), "-h"])
            .arg(&self.directory)
            .args(["-c", sql])
            .output()
            .unwrap();
        let answer = String::from_utf8(asked.stdout).unwrap().trim().to_owned();
        asked.status.success().then_some(answer)
    }

    /// Transactions that are prepared on workers that answer, and not yet decided there.
    fn prepared(&self) -> u64 {
        let count = "SELECT count(*) FROM pg_prepared_xacts";
        let counts = WORKERS.iter().filter_map(|worker| self.ask(worker, count));
        counts.map(|count| count.parse::<u64>().unwrap()).sum()
    }

    /// Waits until so many are prepared, for a minute at most; answers for how long it did.
    async fn until_prepared(&self, count: u64) -> u64 {
        for second in 0..60 {
            if self.prepared() == count {
                return second;
            }
            sleep(Duration::from_secs(1)).await;
        }
        panic!("{} transactions stay prepared for a minute", self.prepared());
    }

    /// Whether the books are found in order, and what was said.
    fn verified(&self) -> (bool, String) {
        let url = String::from(self.store.clone());
        let ran = Command::new(HONGBAO).args(["verify", "--store", &url]).output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        (ran.status.success(), String::from_utf8(said).unwrap())
    }
}

fn shell(command: &str) {
    assert!(Command::new("bash").args(["-c", command]).status().unwrap().success(), "{command}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_a_worker_is_killed() {
    let Some(cluster) = Cluster::alone().await else { return };
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &cluster.store).await;
    let (manifest, ledger) = (demo.clone_manifest(), Arc::new(Ledger::default()));
    let callers = Callers::start_with_pause(&manifest, &ledger, Duration::from_millis(20));
    for kill in 1..=rounds("HONGBAO_TEST_WORKER_KILLS", 2) {
        let before = ledger.acknowledged().0;
        while ledger.acknowledged().0 < before + 20 {
            sleep(Duration::from_millis(20)).await;
        }
        let worker = WORKERS[usize::try_from(kill % 2).unwrap()];
        cluster.kill(worker);
        let (killed, at_kill) = (now_millis(), ledger.acknowledged().0);
        sleep(Duration::from_secs(3)).await;
        let without = ledger.acknowledged().0 - at_kill;
        let hanging = cluster.prepared();
        cluster.start(worker);
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
    let waited = cluster.until_prepared(0).await;
    everything_acknowledged_is_there(&manifest, &ledger).await;
    let broken = ledger.broken.lock().unwrap().clone();
    assert!(broken.is_empty(), "{broken:?}");
    drop(demo);
    let stored = audit_of(&cluster.store).await;
    let issued = ledger.issued.lock().unwrap().clone();
    let ghosts: Vec<_> =
        stored.difference(&issued).filter(|number| number.starts_with("KILL")).collect();
    assert!(ghosts.is_empty(), "orders that nobody asked for: {ghosts:?}");
    let (sends, claims) = ledger.acknowledged();
    println!(
        "{sends} sends and {claims} claims acknowledged, none lost; none hung after {waited} s"
    );
}

/// Two transactions on one worker: Citus ends the one that its coordinator left behind. The other is
/// nobody's, and somebody has to be told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_prepared_is_resolved_or_told() {
    let Some(cluster) = Cluster::alone().await else { return };
    cluster.until_prepared(0).await;
    let dir = private_directory();
    let demo = DemoProcess::start_on(dir.path(), &cluster.store).await;
    let (of_coordinator, of_nobody) = ("citus_0_1_1_1", "citus_9_1_1_1");
    for gid in [of_coordinator, of_nobody] {
        let left = format!("BEGIN; SELECT 1; PREPARE TRANSACTION '{gid}'");
        assert_eq!(cluster.ask(WORKERS[0], &left).as_deref(), Some("1"));
    }
    let (clean, said) = cluster.verified();
    assert!(!clean && said.contains("nothing can be said about the books"), "{said}");
    cluster.until_prepared(1).await;
    let left = cluster.ask(WORKERS[0], "SELECT gid FROM pg_prepared_xacts");
    assert_eq!(left.as_deref(), Some(of_nobody));
    let text = until_shown(&demo, "hongbao_store_prepared_transactions 1\n").await;
    assert!(!text.contains("hongbao_store_prepared_oldest_seconds 0\n"), "{text}");
    // Nobody waits for it, and no book was found wrong: money moves.
    assert!(text.contains("hongbao_money_stopped 0\n"), "{text}");
    let manifest = demo.clone_manifest();
    let number = format!("LEFT{:024}", now_millis());
    let fields = send_fields(&manifest.merchants[0], &manifest.users[0], &number, "100");
    let client = v2_client(&manifest, 0, SignType::HmacSha256);
    let sent = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
    assert_eq!(sent.get("result_code"), Some("SUCCESS"), "{sent:?}");
    cluster.ask(WORKERS[0], &format!("ROLLBACK PREPARED '{of_nobody}'")).unwrap();
    until_shown(&demo, "hongbao_store_prepared_transactions 0\n").await;
    drop(demo);
    let (clean, said) = cluster.verified();
    assert!(
        clean && said.contains("23 tables on 2 machines, no commit between them hung"),
        "{said}"
    );
}

/// Levels are counted every fifteen seconds.
async fn until_shown(demo: &DemoProcess, line: &str) -> String {
    for _ in 0..60 {
        let text = shown(demo).await;
        if text.contains(line) {
            return text;
        }
        sleep(Duration::from_secs(1)).await;
    }
    panic!("{line:?} is not shown within a minute");
}
