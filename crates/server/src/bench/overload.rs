//! Ten times what the engine can do, and how soon it is well again (N-5 of the fault catalogue).
//!
//! Half of the peak is offered, then ten times the peak whatever is answered, and at once half of the
//! peak again until waits are what they were.

use std::{
    collections::VecDeque,
    future::ready,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use futures_util::poll;
use hongbao_app::{App, executor::Failure};
use hongbao_domain::packet::ClaimShare;
use tokio::task::{JoinError, JoinSet};

use super::{
    BenchError, Plan, engine, float,
    open::{self, Seen},
    per_second, percentile_ms,
    platform::{Bench, Kind, MERCHANTS, Scratch, Size},
    report::Overload,
};
use crate::commands::say;

const TIMES_PEAK: f64 = 10.0;
const SECONDS: f64 = 10.0;
/// Offers between two looks at the clock.
const OFFERS_AT_ONCE: u32 = 500;
/// Of so many that are sent away one wait is kept: there are ten million of them.
const SHED_FOR_ONE_KEPT: usize = 16;
/// How long half of the peak is offered before.
const BEFORE_SECONDS: f64 = 5.0;
/// How much more than the peak may be taken in an overload, with what waits at its end.
const TAKEN_MAX: f64 = 1.5;
/// After the overload waits are looked at for so long at a time, and for thirty seconds at most.
const WINDOW_SECONDS: f64 = 0.5;
const RECOVERY_SECONDS_MAX: f64 = 30.0;

/// Packets stored before: what is claimed before, in the overload and after it on a fast machine.
const PACKETS: u64 = 2_000_000;

/// One overload; a run has one, because it needs that many packets.
pub(super) async fn run(
    plan: &Plan,
    scratch: &Scratch,
    kind: Kind,
) -> Result<Option<Overload>, BenchError> {
    let size = Size { merchants: MERCHANTS, users: plan.users, packets: PACKETS };
    let mut bench = kind.fill(scratch, "overload", size).await?;
    say(&format!("{}: overload …", kind.name()))?;
    let packets = bench.take(plan.claims).await?;
    let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
    let peak = per_second(packets.len(), elapsed);
    let before = half(&mut bench, peak, BEFORE_SECONDS, 0).await?;
    if !before.sent_away.is_empty() {
        return Err(BenchError::Other(format!(
            "{} sent away at half of the peak",
            before.sent_away.len()
        )));
    }
    let before_p99_ms = percentile_ms(&before.sorted(|_| true), 99);
    let claims = claims(&mut bench, peak * SECONDS * TAKEN_MAX).await?;
    let mut wave = offer(&bench.app, claims, peak).await?;
    // What still waits is worked off while half of the peak is offered again.
    let recovered_s = recovered(&mut bench, peak, before_p99_ms).await?;
    wave.end().await?;
    Ok(Some(Overload {
        peak,
        before_p99_ms,
        offered: per_second(wave.accepted.len() + wave.shed, wave.offered_for),
        accepted: per_second(wave.accepted.len(), wave.offered_for),
        accepted_p99_ms: percentile_ms(&wave.accepted, 99),
        shed: wave.shed,
        shed_p99_ms: percentile_ms(&wave.shed_waits, 99),
        recovered_s,
    }))
}

/// Half of the peak for some seconds.
async fn half(bench: &mut Bench, peak: f64, seconds: f64, seed: u32) -> Result<Seen, BenchError> {
    let dues = open::dues(peak / 2.0, seconds, u64::from(seed));
    let claims = claims(bench, float(dues.len())).await?.into();
    open::load(&bench.app, claims, dues, |_| Ok(())).await
}

/// How many seconds after the call half of the peak is taken as before for the first time: nobody
/// sent away, and waits no longer than twice what they were.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
async fn recovered(
    bench: &mut Bench,
    peak: f64,
    before_p99_ms: f64,
) -> Result<Option<f64>, BenchError> {
    let started = Instant::now();
    for window in 1.. {
        let seen = half(bench, peak, WINDOW_SECONDS, window).await?;
        let elapsed = started.elapsed().as_secs_f64();
        if seen.sent_away.is_empty()
            && percentile_ms(&seen.sorted(|_| true), 99) <= 2.0 * before_p99_ms
        {
            return Ok(Some(elapsed));
        }
        if elapsed > RECOVERY_SECONDS_MAX {
            break;
        }
    }
    Ok(None)
}

/// What became of the offers of an overload.
#[derive(Default)]
struct Wave {
    /// Those that were sent away.
    shed: usize,
    /// Waits of some of them.
    shed_waits: Vec<Duration>,
    /// Those that were taken and not looked at since.
    answers: JoinSet<Result<Duration, Failure>>,
    /// Waits of those that were taken and looked at.
    accepted: Vec<Duration>,
    offered_for: Duration,
}

impl Wave {
    fn sent_away(&mut self, wait: Duration) {
        if self.shed.is_multiple_of(SHED_FOR_ONE_KEPT) {
            self.shed_waits.push(wait);
        }
        self.shed += 1;
    }

    /// Takes down what is answered. A task takes memory until somebody looks at how it ended.
    fn look(&mut self) -> Result<(), BenchError> {
        while let Some(answer) = self.answers.try_join_next() {
            self.take_down(answer)?;
        }
        Ok(())
    }

    fn take_down(
        &mut self,
        answer: Result<Result<Duration, Failure>, JoinError>,
    ) -> Result<(), BenchError> {
        self.accepted.push(answer.map_err(BenchError::other)??);
        Ok(())
    }

    /// Waits until all that were taken are answered, and sorts what it knows.
    async fn end(&mut self) -> Result<(), BenchError> {
        while let Some(answer) = self.answers.join_next().await {
            self.take_down(answer)?;
        }
        self.accepted.sort_unstable();
        self.shed_waits.sort_unstable();
        Ok(())
    }
}

/// Offers ten times the peak. Who is sent away comes back behind all others.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
async fn offer(
    app: &Arc<App>,
    mut claims: VecDeque<ClaimShare>,
    peak: f64,
) -> Result<Wave, BenchError> {
    let mut wave = Wave::default();
    let (started, mut offers, rate) = (Instant::now(), 0_u32, peak * TIMES_PEAK);
    while started.elapsed().as_secs_f64() < SECONDS {
        let Some(claim) = claims.pop_front() else {
            return Err(BenchError::Other("too few packets for an overload".to_owned()));
        };
        let asked = Instant::now();
        let mut answer = Box::pin(answered(Arc::clone(app), claim.clone(), asked));
        match poll!(&mut answer) {
            Poll::Ready(Err(Failure::Busy)) => {
                wave.sent_away(asked.elapsed());
                claims.push_back(claim);
            }
            Poll::Ready(answer) => drop(wave.answers.spawn(ready(answer))),
            // Waits are taken where the answer arrives: this task has no time for them.
            Poll::Pending => drop(wave.answers.spawn(answer)),
        }
        offers += 1;
        if offers.is_multiple_of(OFFERS_AT_ONCE) {
            wave.look()?;
            let due = started + Duration::from_secs_f64(f64::from(offers) / rate);
            tokio::time::sleep_until(due.into()).await;
        }
    }
    wave.offered_for = started.elapsed();
    Ok(wave)
}

/// So many claims that nobody made yet.
async fn claims(bench: &mut Bench, count: f64) -> Result<VecDeque<ClaimShare>, BenchError> {
    let packets = bench.take(Duration::from_secs_f64(count.ceil()).as_secs()).await?;
    packets.iter().map(|&no| bench.data.claim_command(no)).collect()
}

async fn answered(app: Arc<App>, claim: ClaimShare, asked: Instant) -> Result<Duration, Failure> {
    app.executor().submit(claim).await.map(|_| asked.elapsed())
}
