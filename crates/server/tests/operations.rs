//! What operators are given fits what the binary shows: dashboard, alerts, handbook, unit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use common::{DemoProcess, HONGBAO, private_directory, shown};
use hongbao_wire::SignType;

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of metrics in a text: words that begin as ours do.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !word(c))
        .filter(|word| word.starts_with("hongbao_") || word.starts_with("process_"))
        // `hongbao_app` is a crate, in examples of log filters.
        .filter(|word| *word != "hongbao_app" && *word != "hongbao_spans")
        .map(str::to_owned)
        .collect()
}

/// Every name under which something is stored, from the text that a scrape gets.
fn stored(scrape: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in scrape.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        if kind == "histogram" {
            names.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")));
        } else {
            names.insert(name.to_owned());
        }
    }
    names
}

/// Names that `text` asks for and no scrape stores.
fn unknown(text: &str, stored: &BTreeSet<String>) -> Vec<String> {
    named(text).into_iter().filter(|name| !stored.contains(name)).collect()
}

/// The queries of a dashboard.
fn expressions(dashboard: &serde_json::Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// What `/metrics` of the demo says after a send, a refusal and a page.
async fn scrape(demo: &DemoProcess) -> String {
    let manifest = demo.clone_manifest();
    let (merchant, user) = (&manifest.merchants[1], &manifest.users[0]);
    let client = common::v2_client(&manifest, 1, SignType::Md5);
    for (bill_no, fen, outcome) in
        [("METRIC0000000001", "100", "SUCCESS"), ("METRIC0000000002", "20001", "FAIL")]
    {
        let fields = common::send_fields(merchant, user, bill_no, fen);
        let answer = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
        assert_eq!(answer.get("result_code"), Some(outcome), "{answer:?}");
    }
    shown(demo).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dashboard_alerts_and_handbook_name_metrics_that_exist() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let scraped = scrape(&demo).await;
    assert!(demo.terminate());
    let stored = stored(&scraped);
    let dashboard = serde_json::from_str(&read("ops/grafana/hongbao.json")).unwrap();
    let asked = expressions(&dashboard);
    assert!(asked.len() > 15, "these are not all queries: {asked:?}");
    let nothing = Vec::<String>::new();
    for expression in &asked {
        assert_eq!(unknown(expression, &stored), nothing, "{expression}");
    }
    let alerts = read("ops/prometheus/alerts.yml");
    assert_eq!(unknown(&alerts, &stored), nothing, "ops/prometheus/alerts.yml");
    assert!(named(&alerts).len() > 10, "these are not all alerts");
    // A name that was mistyped or renamed is found.
    let planted = alerts.replace("hongbao_books_ok", "hongbao_books_okay");
    assert_eq!(unknown(&planted, &stored), ["hongbao_books_okay"]);
    every_metric_is_explained(&scraped);
    no_secret_is_shown(&scraped, &demo.clone_manifest());
}

/// The handbook has a row for every metric, and none for one that is gone.
fn every_metric_is_explained(scraped: &str) {
    let shown = scraped.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let shown: BTreeSet<&str> = shown.map(|line| line.split_once(' ').unwrap().0).collect();
    let handbook = read("docs/OPERATIONS.md");
    let rows = handbook.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| row.split_once('`')).map(|(name, _)| name);
    let rows: BTreeSet<&str> =
        rows.filter(|name| name.starts_with("hongbao_") || name.starts_with("process_")).collect();
    assert_eq!(shown, rows, "docs/OPERATIONS.md and /metrics differ");
}

/// O-5: no key, token or person.
fn no_secret_is_shown(scraped: &str, manifest: &hongbao_server::demo::Manifest) {
    for user in &manifest.users {
        assert!(!scraped.contains(&user.openid) && !scraped.contains(&user.token));
    }
    for merchant in &manifest.merchants {
        assert!(!scraped.contains(&merchant.v2_key) && !scraped.contains(&merchant.mch_id));
    }
    assert!(!scraped.contains(&manifest.ops_token) && !scraped.contains("METRIC"));
}

/// X3: what the self-check finds is shown, and so can wake somebody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_that_do_not_add_up_are_shown() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    assert!(shown(&demo).await.contains("hongbao_books_ok 1\n"));
    assert!(demo.terminate());
    let path = dir.path().join("hongbao.db");
    let hash = common::a_hash_inside(dir.path()).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(hash.len()).position(|part| part == hash).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let demo = DemoProcess::start(dir.path()).await;
    let checked = async {
        loop {
            let text = shown(&demo).await;
            if text.contains("hongbao_books_ok 0\n") {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let text = tokio::time::timeout(Duration::from_secs(20), checked).await.expect("it is found");
    assert!(text.contains("hongbao_books_broken_invariants 1\n"), "{text}");
    assert!(text.contains("hongbao_books_unexplained_fen 0\n"), "a hash is no money");
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do() {
    let alerts = read("ops/prometheus/alerts.yml");
    let handbook = read("docs/OPERATIONS.md");
    let count = alerts.matches("- alert: ").count();
    assert!(count > 10);
    for part in ["expr: ", "labels: { severity: ", "summary: ", "action: "] {
        assert_eq!(alerts.matches(part).count(), count, "{part}");
    }
    for line in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(handbook.contains(&format!("`{line}`")), "docs/OPERATIONS.md lacks {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_asks_the_server_beside_it() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let address = demo.clone_manifest().ops_base.trim_start_matches("http://").to_owned();
    let ask = |word: &[&str]| {
        let mut command = Command::new(HONGBAO);
        command.args(["health", "--ops-listen", &address]).args(word);
        command.output().unwrap().status.success()
    };
    assert!(ask(&[]) && ask(&["--ready"]));
    demo.kill();
    assert!(!ask(&[]));
}

#[test]
fn systemd_accepts_the_unit() {
    // The unit names an installed binary: here the one that was just built.
    let unit = read("ops/systemd/hongbao.service").replace("/usr/local/bin/hongbao", HONGBAO);
    assert!(unit.contains("DynamicUser=yes") && unit.contains("ProtectSystem=strict"));
    let dir = private_directory();
    let file = dir.path().join("hongbao.service");
    std::fs::write(&file, unit).unwrap();
    match Command::new("systemd-analyze").arg("verify").arg(&file).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && !said.contains("hongbao.service"), "{said}");
        }
        Err(error) => println!("SKIPPED: systemd-analyze does not run here: {error}"),
    }
}
