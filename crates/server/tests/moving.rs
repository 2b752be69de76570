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
};

use common::{DemoProcess, HONGBAO, private_directory};

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

#[tokio::test]
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
    }
    assert!(halves > 5, "half of it was there after {halves} kills");
    let moved = hongbao(&["move", "--from", &from, "--to", &to]);
    // The last one may have been killed behind its end.
    let whole = moved.status.success() || said(&moved).contains("has rows already");
    assert!(whole, "{}", said(&moved));
    let heads = |store: &str| {
        let output = hongbao(&["heads", "--store", store]);
        let text = said(&output);
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(heads(&from), heads(&to));
    let verified = hongbao(&["verify", "--store", &to]);
    assert!(verified.status.success(), "{}", said(&verified));
}
