//! A load generator over loopback: many connections, one request at a time on each.
//!
//! Requests are rendered beforehand and answers are read just far enough to tell success and to
//! keep the connection; the same generator drives the product and the bare echo, so that their
//! ratio says what the product costs.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

/// What a run of the generator saw.
#[derive(Debug, Default)]
pub(super) struct LoadResult {
    /// Answers with a status of 2xx.
    pub(super) succeeded: usize,
    /// All other answers.
    pub(super) failed: usize,
    /// How long it took.
    pub(super) elapsed: Duration,
    /// Waiting times of all answers, sorted.
    pub(super) latencies: Vec<Duration>,
}

impl LoadResult {
    /// Successes a second.
    pub(super) fn rate(&self) -> f64 {
        super::per_second(self.succeeded, self.elapsed)
    }
}

/// How the generator sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadPlan {
    /// Whom.
    pub(super) target: SocketAddr,
    /// Connections.
    pub(super) connections: usize,
    /// Requests a second over all connections; `None` for as fast as answers come.
    pub(super) rate: Option<f64>,
}

/// Sends every request once, over connections made before the clock starts. One answer that is not
/// 2xx fails the run: quick errors would only flatter it.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn run(plan: LoadPlan, requests: Arc<Vec<Vec<u8>>>) -> io::Result<LoadResult> {
    let mut streams = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        let stream = TcpStream::connect(plan.target).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut connections = JoinSet::new();
    for stream in streams {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        connections.spawn(drive(stream, plan.rate, requests, next, started));
    }
    let mut result = LoadResult::default();
    while let Some(part) = connections.join_next().await {
        let part = part.map_err(io::Error::other)??;
        result.succeeded += part.succeeded;
        result.failed += part.failed;
        result.latencies.extend(part.latencies);
    }
    if result.failed > 0 {
        return Err(io::Error::other(format!("{} answers were not 2xx", result.failed)));
    }
    result.elapsed = started.elapsed();
    result.latencies.sort_unstable();
    Ok(result)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
async fn drive(
    mut stream: TcpStream,
    rate: Option<f64>,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    started: Instant,
) -> io::Result<LoadResult> {
    let mut result = LoadResult::default();
    let mut buffer = Vec::with_capacity(4_096);
    loop {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(turn) else { return Ok(result) };
        // With a rate, a request's waiting time starts when it was due, sent late or not.
        let due = match rate {
            Some(rate) => {
                let due = started + Duration::from_secs_f64(turn_seconds(turn, rate));
                tokio::time::sleep_until(due.into()).await;
                due
            }
            None => Instant::now(),
        };
        stream.write_all(request).await?;
        if read_answer(&mut stream, &mut buffer).await? {
            result.succeeded += 1;
        } else {
            result.failed += 1;
        }
        result.latencies.push(due.elapsed());
    }
}

#[expect(clippy::cast_precision_loss, reason = "turns are far below 2^52")]
fn turn_seconds(turn: usize, rate: f64) -> f64 {
    turn as f64 / rate
}

/// Reads one answer; true for a status of 2xx.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let head_end = loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(buffer.get(..head_end).unwrap_or_default());
    let success = head.as_bytes().get(9) == Some(&b'2');
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .ok_or_else(|| io::Error::other("an answer without content-length"))?;
    while buffer.len() < head_end + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(success)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
