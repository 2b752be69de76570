//! Claims by processes of their own, as servers that share one database are.
//!
//! Each gets a file of claims and, where no other process can read it, the database's URL; opens it,
//! says that it is ready, waits for the word, and claims. The clock runs from the word to the last answer of the last process.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use hongbao_domain::{UserId, packet::ClaimShare};
use hongbao_store::postgres::PostgresUrl;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{BenchError, dataset::Dataset, engine, platform};
use crate::{commands::say, config::StoreUrl};

/// The command of one process, which only the benchmark gives.
pub(super) const COMMAND: &str = "bench-claims";
const READY: &str = "ready";
const GO: &str = "go";
const DONE: &str = "done";

/// Claims `packets` of the database at `url`, divided among so many processes.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn claims(
    url: &PostgresUrl,
    directory: &Path,
    data: &Dataset,
    packets: &[u64],
    processes: usize,
) -> Result<Duration, BenchError> {
    let mut workers = Vec::new();
    for (number, part) in packets.chunks(packets.len().div_ceil(processes.max(1))).enumerate() {
        let path = directory.join(format!("claims-{number}"));
        fs::write(&path, written(data, part)?)?;
        workers.push(Worker::start(url, &path).await?);
    }
    for worker in &mut workers {
        worker.hear(READY).await?;
    }
    let started = Instant::now();
    for worker in &mut workers {
        worker.say(GO).await?;
    }
    for worker in &mut workers {
        worker.hear(DONE).await?;
    }
    let elapsed = started.elapsed();
    for mut worker in workers {
        if !worker.child.wait().await?.success() {
            return Err(BenchError::Other("a process of the benchmark failed".to_owned()));
        }
    }
    Ok(elapsed)
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    async fn start(url: &PostgresUrl, claims: &Path) -> Result<Self, BenchError> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(COMMAND)
            .arg(claims)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BenchError::Other("a process without pipes".to_owned()));
        };
        let mut worker = Self { child, input, output: BufReader::new(output).lines() };
        worker.say(url.with_password()).await?;
        Ok(worker)
    }

    async fn say(&mut self, line: &str) -> Result<(), BenchError> {
        Ok(self.input.write_all(format!("{line}\n").as_bytes()).await?)
    }

    async fn hear(&mut self, word: &str) -> Result<(), BenchError> {
        match self.output.next_line().await? {
            Some(line) if line == word => Ok(()),
            other => Err(BenchError::Other(format!("a process said {other:?}, not {word}"))),
        }
    }
}

/// A line for each claim: the packet's code and the number of the user.
fn written(data: &Dataset, packets: &[u64]) -> Result<String, BenchError> {
    let mut lines = String::new();
    for &no in packets {
        let ClaimShare { code, user } = data.claim_command(no)?;
        writeln!(lines, "{code} {}", user.get()).map_err(BenchError::other)?;
    }
    Ok(lines)
}

fn read(lines: &str) -> Result<Vec<ClaimShare>, BenchError> {
    let claim = |line: &str| {
        let (code, user) = line.split_once(' ')?;
        Some(ClaimShare { code: code.parse().ok()?, user: UserId::new(user.parse().ok()?) })
    };
    let claims: Option<Vec<_>> = lines.lines().map(claim).collect();
    claims.ok_or_else(|| BenchError::Other("not a file of claims".to_owned()))
}

/// What one process does: the claims of a file, at the word of the benchmark that started it.
pub async fn claim_for(claims: &Path) -> Result<(), BenchError> {
    let commands = read(&fs::read_to_string(claims)?)?;
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let store = input.next_line().await?.unwrap_or_default();
    let store: StoreUrl = store.parse().map_err(BenchError::other)?;
    let app = platform::open(&store).await?;
    say(READY)?;
    if input.next_line().await?.as_deref() != Some(GO) {
        return Err(BenchError::Other("whoever started this went away".to_owned()));
    }
    engine::claim(&app, commands).await?;
    say(DONE)?;
    Ok(())
}
