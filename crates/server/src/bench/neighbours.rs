//! How long small merchants wait while another runs at full load (L-8 of the fault catalogue).
//!
//! A thousand merchants whose loads fall as one over their rank send a part of what the engine can
//! do at most, at random instants. Looked at are small ones, of the lower half, in the lane of the one
//! that is busy later: first without it, then while it sends as fast as it gets answers, with two
//! full batches under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hongbao_app::App;
use hongbao_domain::packet::Sent;
use hongbao_plan::random::Random;
use tokio::task::JoinHandle;

use super::{
    BenchError, Plan, closed,
    dataset::{Dataset, IN_FLIGHT},
    open, per_second, percentile_ms,
    platform::{Bench, Kind, MERCHANTS, Scratch, Size},
    report::{Neighbours, Waits},
};
use crate::commands::say;

/// Packets stored before; the load adds its own.
const PACKETS: u64 = 100_000;
/// Sends for measuring the peak.
const PEAK_SENDS: u64 = 120_000;
/// What the thousand ask for together, of the peak.
const PART_OF_PEAK: f64 = 0.3;
const SECONDS: f64 = 5.0;
/// More than the busy one sends in a round, for numbers of their own.
const BUSY_SENDS_MAX: u64 = 50_000_000;

/// Rounds without and with a busy merchant.
pub(super) async fn run(
    plan: &Plan,
    scratch: &Scratch,
    kind: Kind,
) -> Result<Vec<Neighbours>, BenchError> {
    let size = Size { merchants: MERCHANTS, users: plan.users, packets: PACKETS };
    let mut bench = kind.fill(scratch, "neighbours", size).await?;
    let busy = Arc::new(bench.data.hot_merchant(&bench.app).await?);
    let sends = usize::try_from(PEAK_SENDS).map_err(BenchError::other)?;
    let peak = per_second(sends, bench.data.send(&bench.app, PEAK_SENDS).await?);
    let mut crowd = Crowd::new(&bench, &busy, peak * PART_OF_PEAK);
    let mut rounds = Vec::new();
    for number in 1..=plan.rounds {
        say(&format!("{}: round {number} of {} with neighbours …", kind.name(), plan.rounds))?;
        let quiet = crowd.send(&bench).await?;
        let load = Busy::start(&bench.app, &busy, number);
        let beside_busy = crowd.send(&bench).await?;
        let busy_sends = load.stop().await?;
        rounds.push(Neighbours { quiet, beside_busy, busy_sends });
    }
    Ok(rounds)
}

/// The thousand.
struct Crowd {
    rate: f64,
    random: Random,
    /// For each merchant the part of the load up to and with its own.
    parts: Vec<f64>,
    /// For each merchant whether it is looked at: small, and in the lane of the busy one.
    looked_at: Vec<bool>,
    /// The order number of its next send.
    next: u64,
}

impl Crowd {
    fn new(bench: &Bench, busy: &Dataset, rate: f64) -> Self {
        let mut total = 0.0;
        let ranks = 1..=u32::try_from(MERCHANTS).unwrap_or(u32::MAX);
        let up_to: Vec<f64> = ranks
            .map(|rank| {
                total += 1.0 / f64::from(rank);
                total
            })
            .collect();
        let (small, lanes) = (up_to.len() / 2, bench.app.store().lanes());
        let looked_at = |place| place >= small && bench.data.shares_lane(place, busy, lanes);
        Self {
            rate,
            random: Random::new(1),
            looked_at: (0..up_to.len()).map(looked_at).collect(),
            parts: up_to.into_iter().map(|part| part / total).collect(),
            next: bench.data.packets + 1,
        }
    }

    /// Sends for some seconds; the waits of those that are looked at.
    async fn send(&mut self, bench: &Bench) -> Result<Waits, BenchError> {
        let dues = open::dues(self.rate, SECONDS, self.next);
        let merchants: Vec<usize> = dues.iter().map(|_| self.merchant()).collect();
        let commands = (self.next..)
            .zip(&merchants)
            .map(|(no, &merchant)| bench.data.send_by(merchant, no))
            .collect::<Result<Vec<_>, _>>()?;
        self.next += u64::try_from(commands.len()).map_err(BenchError::other)?;
        let seen = open::load(&bench.app, commands, dues, first_time).await?;
        let looked_at = |place: usize| {
            merchants.get(place).and_then(|&merchant| self.looked_at.get(merchant)) == Some(&true)
        };
        let shed = seen.sent_away.iter().filter(|&&place| looked_at(place)).count();
        let mut waits = seen.sorted(looked_at);
        waits.extend(std::iter::repeat_n(Duration::MAX, shed));
        Ok(Waits { p50_ms: percentile_ms(&waits, 50), p99_ms: percentile_ms(&waits, 99), shed })
    }

    fn merchant(&mut self) -> usize {
        let drawn = self.random.unit();
        self.parts.partition_point(|&part| part <= drawn).min(self.parts.len() - 1)
    }
}

/// A replay is cheap, and no send.
fn first_time(sent: &Sent) -> Result<(), BenchError> {
    if sent.replayed {
        return Err(BenchError::Other(format!("{sent:?} was sent before")));
    }
    Ok(())
}

/// One merchant at full load.
struct Busy {
    stop: Arc<AtomicBool>,
    sent: JoinHandle<Result<f64, BenchError>>,
}

impl Busy {
    fn start(app: &Arc<App>, merchant: &Arc<Dataset>, round: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (app, merchant, stopped) = (Arc::clone(app), Arc::clone(merchant), Arc::clone(&stop));
        let sent = tokio::spawn(async move {
            let mut sent = 0;
            let commands = (u64::from(round) * BUSY_SENDS_MAX..)
                .take_while(|_| !stopped.load(Ordering::Relaxed))
                .map(|no| merchant.send_by(0, no));
            let elapsed = closed::load(&app, commands, IN_FLIGHT, |_, outcome| {
                sent += 1;
                first_time(&outcome)
            });
            let elapsed = elapsed.await?;
            Ok(per_second(sent, elapsed))
        });
        Self { stop, sent }
    }

    /// Sends a second.
    async fn stop(self) -> Result<f64, BenchError> {
        self.stop.store(true, Ordering::Relaxed);
        self.sent.await.map_err(BenchError::other)?
    }
}
