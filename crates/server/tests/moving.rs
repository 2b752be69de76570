//! `hongbao move` as an operator runs it, killed at every line that it says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use common::{DemoProcess, HONGBAO, private_directory};
use hongbao_app::ports::{Clock, SystemClock};
use hongbao_server::running::open_store;

/// The server to test on, and a namespace there that is this test's own.
fn a_place() -> Option<String> {
    let Ok(server) = std::env::var("HONGBAO_TEST_POSTGRES_URL") else {
        eprintln!(
            "SKIPPED: HONGBAO_TEST_POSTGRES_URL names no server; see scripts/with-postgres.sh"
        );
        return None;
    };
    let sign = if server.contains('?') { '&' } else { '?' };
    Some(format!("{server}{sign}options=-c%20search_path%3Dmove_{}", std::process::id()))
}

fn hongbao(arguments: &[&str]) -> Output {
    Command::new(HONGBAO).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Kills a move by SIGKILL when it said `lines` lines; `false` when it ended before.
fn killed_after(lines: usize, from: &str, to: &str) -> bool {
    let mut child = Command::new(HONGBAO)
        .args(["move", "--from", from, "--to", to])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stderr.take().unwrap()).lines().take(lines).count();
    drop(child.kill());
    !child.wait().unwrap().success() && told == lines
}

async fn a_grown_store(data: &Path) -> String {
    let mut demo = DemoProcess::start(data).await;
    assert!(demo.terminate());
    format!("sqlite:{}", data.join("hongbao.db").display())
}

// With a thread for connections to end on while a command is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_is_killed_at_every_line_is_whole_in_the_end() {
    let Some(to) = a_place() else { return };
    let dir = private_directory();
    let from = a_grown_store(dir.path()).await;
    let dry = hongbao(&["move", "--from", &from, "--to", &to, "--dry-run"]);
    assert!(dry.status.success() && said(&dry).contains("Nothing was written"), "{}", said(&dry));
    let mut halves = 0;
    for lines in (1..200).take_while(|lines| killed_after(*lines, &from, &to)) {
        let heads = hongbao(&["heads", "--store", &to]);
        let half = said(&heads).contains("a move into this store has not ended");
        assert!(half || lines < 10 || said(&heads).contains("journals"), "{}", said(&heads));
        halves += usize::from(half);
        at_most_one_opens(&from, &to).await;
    }
    assert!(halves > 5, "half of it was there after {halves} kills");
    let moved = hongbao(&["move", "--from", &from, "--to", &to]);
    // The last one may have been killed behind its end.
    let whole = moved.status.success() || said(&moved).contains("was moved to");
    assert!(whole, "{}", said(&moved));
    at_most_one_opens(&from, &to).await;
    let heads = |store: &str| {
        let output = hongbao(&["heads", "--store", store]);
        let text = said(&output);
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(heads(&from), heads(&to));
    let verified = hongbao(&["verify", "--store", &to]);
    assert!(verified.status.success(), "{}", said(&verified));
    is_taken_back(&from, &to).await;
}

/// Whether a server opens the store, or why not.
async fn serves(store: &str) -> Result<(), String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let opened = open_store(&store.parse().unwrap(), &clock).await;
    opened.map(drop).map_err(|refused| refused.to_string())
}

/// Whenever a move was killed.
async fn at_most_one_opens(from: &str, to: &str) {
    let (old, new) = (serves(from).await, serves(to).await);
    assert!(old.is_err() || new.is_err(), "both stores open for a server");
}

async fn is_taken_back(from: &str, to: &str) {
    let refused = serves(from).await.unwrap_err();
    assert!(refused.contains("was moved to postgres://"), "{refused}");
    let verified = hongbao(&["verify", "--store", from]);
    assert!(verified.status.success(), "{}", said(&verified));
    let undone = hongbao(&["move", "--undo", "--from", from, "--to", to]);
    assert!(undone.status.success(), "{}", said(&undone));
    assert!(said(&undone).contains("The move is taken back: serve sqlite:"), "{}", said(&undone));
    assert_eq!(serves(from).await, Ok(()));
    let refused = serves(to).await.unwrap_err();
    assert!(refused.contains("was moved to sqlite:"), "{refused}");
    let again = hongbao(&["move", "--undo", "--from", from, "--to", to]);
    assert!(said(&again).contains("was not moved"), "{}", said(&again));
}
