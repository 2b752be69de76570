//! Loads whose commands come when they are due, whatever the engine answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use hongbao_app::{App, executor::Failure};
use hongbao_plan::random::Random;
use tokio::task::JoinSet;

use super::{
    super::{BenchError, dataset::Dataset},
    probe::{Batch, Probe, Tally},
};

/// What an open load saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// From due to answered, sorted.
    pub(super) waits: Vec<Duration>,
    /// From due to submitted, sorted: how late the generator was.
    pub(super) late: Vec<Duration>,
    /// Commands that found the queue full.
    pub(super) shed: usize,
    /// Batches of the lane.
    pub(super) batches: Vec<Batch>,
}

/// Instants at random, `rate` a second for `seconds`, as durations from the start.
pub(super) fn dues(rate: f64, seconds: f64, seed: u64) -> Vec<Duration> {
    let (mut random, mut at, mut dues) = (Random::new(seed), 0.0, Vec::new());
    loop {
        at += random.exponential() / rate;
        if at >= seconds {
            return dues;
        }
        dues.push(Duration::from_secs_f64(at));
    }
}

/// Claims `packets`, each when it is due.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn load(
    app: &Arc<App>,
    data: &Dataset,
    packets: &[u64],
    dues: Vec<Duration>,
) -> Result<Seen, BenchError> {
    let tally = Arc::new(Tally::default());
    let probes = probes(data, packets, &tally)?;
    let (mut answers, mut late) = (JoinSet::new(), Vec::with_capacity(dues.len()));
    let started = Instant::now();
    for (probe, due) in probes.into_iter().zip(dues) {
        let due = started + due;
        if due > Instant::now() {
            // Timers are good to a millisecond: commands come in small crowds.
            tokio::time::sleep_until(due.into()).await;
        }
        late.push(due.elapsed());
        let (app, tally) = (Arc::clone(app), Arc::clone(&tally));
        answers.spawn(async move {
            let answer = app.executor().submit(probe).await;
            let wait = due.elapsed();
            if let Ok(batch) = answer {
                tally.answered(batch);
            }
            answer.map(|_| wait)
        });
    }
    let mut seen = Seen::default();
    while let Some(answer) = answers.join_next().await {
        match answer.map_err(BenchError::other)? {
            Ok(wait) => seen.waits.push(wait),
            Err(Failure::Busy) => seen.shed += 1,
            Err(failure) => return Err(failure.into()),
        }
    }
    seen.waits.sort_unstable();
    late.sort_unstable();
    Ok(Seen { late, batches: tally.take(), ..seen })
}

/// Claims `packets` with `in_flight` under way at once; answers how long it took.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn busy(
    app: &App,
    data: &Dataset,
    packets: &[u64],
    in_flight: usize,
    tally: &Arc<Tally>,
) -> Result<Duration, BenchError> {
    let probes = probes(data, packets, tally)?;
    let started = Instant::now();
    let mut answers =
        stream::iter(probes).map(|probe| app.executor().submit(probe)).buffer_unordered(in_flight);
    while let Some(answer) = answers.next().await {
        tally.answered(answer?);
    }
    Ok(started.elapsed())
}

fn probes(data: &Dataset, packets: &[u64], tally: &Arc<Tally>) -> Result<Vec<Probe>, BenchError> {
    let probe = |&no: &u64| Ok(Probe { claim: data.claim_command(no)?, tally: Arc::clone(tally) });
    packets.iter().map(probe).collect()
}
