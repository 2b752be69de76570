//! From batches that were seen to the simulator's lane, and what the simulator makes of it.

use hongbao_app::executor::Pace;
use hongbao_plan::{
    placement::Popularity,
    sim::{
        self,
        lane::LaneSpec,
        scenario::{Division, LoadShape, Retry, Scenario},
        service::Service,
    },
};

use super::{
    super::BenchError,
    probe::{Batch, timed},
    report::Waits,
};

/// How long batches of this machine take.
#[derive(Clone, Debug)]
pub(super) struct Calibration {
    /// Claims a second, in full batches.
    pub(super) peak: f64,
    /// What a lane of this peak takes at once and lets wait, of the one merchant that it has.
    pub(super) pace: Pace,
    /// Batch sizes and mean seconds.
    pub(super) points: Vec<(u32, f64)>,
    line: Service,
    curve: Service,
}

/// What there is of one bin of sizes.
#[derive(Clone, Debug, Default)]
struct Bin {
    batches: f64,
    commands: f64,
    seconds: f64,
}

/// Batches that a bin needs to count.
const BIN_BATCHES_MIN: f64 = 3.0;

impl Calibration {
    /// The models of `batches` and of the peak; `None` when there are too few.
    pub(super) fn of(batches: &[Batch], peak: f64) -> Option<Self> {
        let timed = timed(batches);
        let points = points(&timed);
        let &(_, single) = points.first()?;
        let pace = Pace::of_rate(whole(peak).into());
        let batch_max = u32::try_from(pace.alone_max()).ok()?;
        let mut with_peak: Vec<(u32, f64)> =
            points.iter().copied().filter(|&(size, _)| size < batch_max / 2).collect();
        // A full batch takes what it takes while the next one gathers: as at the peak.
        with_peak.push((batch_max, f64::from(batch_max) / peak));
        let exact = Service::through(&with_peak)?;
        let factors = factors(&timed, &exact, &with_peak);
        Some(Self {
            peak,
            pace,
            line: Service::from_rates(1.0 / single, peak, batch_max),
            curve: exact.spread_by(factors),
            points: with_peak,
        })
    }

    /// What the straight line says to `rate` for `seconds`.
    pub(super) fn line(&self, rate: f64, seconds: f64, seed: u64) -> Result<Waits, BenchError> {
        simulate(self.line.clone(), self.pace, rate, seconds, seed)
    }

    /// What the curve says.
    pub(super) fn curve(&self, rate: f64, seconds: f64, seed: u64) -> Result<Waits, BenchError> {
        simulate(self.curve.clone(), self.pace, rate, seconds, seed)
    }
}

/// What the simulator says with the times that the batches of this very load took: no prediction,
/// but a check of its queue apart from the calibration. `None` when there are too few sizes.
pub(super) fn own(
    batches: &[Batch],
    pace: Pace,
    rate: f64,
    seconds: f64,
    seed: u64,
) -> Option<Result<Waits, BenchError>> {
    let timed = timed(batches);
    let points = points(&timed);
    let exact = Service::through(&points)?;
    let factors = factors(&timed, &exact, &points);
    Some(simulate(exact.spread_by(factors), pace, rate, seconds, seed))
}

/// For each point, how much longer or shorter than `exact` the batches nearest to it took.
fn factors(timed: &[(u32, f64)], exact: &Service, points: &[(u32, f64)]) -> Vec<Vec<f64>> {
    let mut factors = vec![Vec::new(); points.len()];
    for &(size, seconds) in timed {
        let away = |point: u32| (f64::from(size) / f64::from(point)).ln().abs();
        let near = points.iter().zip(&mut factors);
        let nearest =
            near.min_by(|((one, _), _), ((other, _), _)| away(*one).total_cmp(&away(*other)));
        if let Some((_, list)) = nearest {
            list.push(seconds * exact.rate(size) / f64::from(size));
        }
    }
    factors
}

/// Means by power of two of the size.
fn points(timed: &[(u32, f64)]) -> Vec<(u32, f64)> {
    let mut bins = vec![Bin::default(); 32];
    for &(size, seconds) in timed {
        let place = usize::try_from(size.checked_ilog2().unwrap_or(0)).unwrap_or(0);
        if let Some(bin) = bins.get_mut(place) {
            bin.batches += 1.0;
            bin.commands += f64::from(size);
            bin.seconds += seconds;
        }
    }
    let enough = bins.into_iter().filter(|bin| bin.batches >= BIN_BATCHES_MIN);
    enough.map(|bin| (whole(bin.commands / bin.batches), bin.seconds / bin.batches)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate or a mean of sizes of batches"
)]
fn whole(size: f64) -> u32 {
    size.round() as u32
}

fn simulate(
    service: Service,
    pace: Pace,
    rate: f64,
    seconds: f64,
    seed: u64,
) -> Result<Waits, BenchError> {
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let scenario = Scenario {
        name: "validation".to_owned(),
        seed,
        seconds,
        peak: rate,
        load: LoadShape::flat(1.0),
        division: Division::Merchants(Popularity { merchants: 1, exponent: 0.0, hot_share: 0.0 }),
        shards: 1,
        lane: LaneSpec {
            service,
            batch_max: size(pace.alone_max()),
            queue_max: size(pace.alone_max()),
        },
        outage: None,
        retry: Retry::NEVER,
        // As the generator's timer.
        tick_millis: 1,
        bucket_millis: 1_000,
    };
    let total = sim::run(&scenario).map_err(BenchError::other)?.total;
    Ok(Waits {
        p50_ms: millis(total.p50_nanos),
        p99_ms: millis(total.p99_nanos),
        batch: total.mean_batch(),
    })
}

fn millis(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64() * 1e3
}
