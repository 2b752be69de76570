//! The engine under open load, beside the simulator calibrated on the same run.
//!
//! Each repetition measures, under open loads, how long batches of several sizes take and how much
//! the engine does at most, then offers 30, 60 and 90 % of that at random instants, whatever the
//! engine answers, and lets the simulator do the same. Two models are held against what was seen: a
//! straight line through one command and a full batch, and the curve through all measured sizes
//! with the spread of single batches.

mod model;
mod probe;
mod report;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use self::report::Validation;
use self::{
    model::Calibration,
    probe::{Batch, Probe, Tally},
    report::Load,
};
use super::{
    BenchError, Plan,
    dataset::Dataset,
    engine,
    open::{self, Seen},
    per_second,
    platform::{Bench, Kind, Scratch, Size},
};
use crate::commands::say;

/// Parts of the measured peak that are offered, in per cent.
const LOADS: [u32; 3] = [30, 60, 90];
/// What is offered to find out how long batches take, as parts of the peak of a closed load: other
/// loads than those that are compared, and at last more than the engine can do.
const CALIBRATED_AT: [f64; 4] = [0.15, 0.45, 0.75, 1.5];
/// Seconds of each load.
const SECONDS: f64 = 4.0;
/// Claims one after another, for the time of a batch of one.
const SINGLE: u64 = 2_000;
/// Claims of a closed load, for a first idea of the peak.
const CLOSED: u64 = 8 * hongbao_app::executor::BATCH_MAX as u64;

/// Runs the validation; `--rounds` is how often.
pub(super) async fn run(plan: &Plan) -> Result<Validation, BenchError> {
    let scratch = Scratch::make(plan)?;
    let mut validation = Validation::new(plan);
    for number in 1..=plan.rounds {
        say(&format!("repetition {number} of {} …", plan.rounds))?;
        // A store of its own each time: packets that are claimed soon after they were sent lie
        // together and cost half.
        let size = Size { merchants: 1, users: plan.users, packets: plan.packets };
        let name = format!("validate-{number}");
        let mut bench = Kind::Sqlite.fill(&scratch, &name, size).await?;
        repetition(number, &mut bench, &mut validation).await?;
    }
    validation.finish();
    Ok(validation)
}

async fn repetition(
    number: u32,
    bench: &mut Bench,
    validation: &mut Validation,
) -> Result<(), BenchError> {
    let calibration = calibrate(number, bench).await?;
    for percent in LOADS {
        let rate = calibration.peak * f64::from(percent) / 100.0;
        let dues = open::dues(rate, SECONDS, u64::from(number * 100 + percent));
        let tally = Arc::new(Tally::default());
        let probes = probes_for(bench, &dues, &tally).await?;
        let seen = open_load(bench, probes, dues, &tally).await?;
        let batches = tally.take();
        validation.note(number, percent, rate, &Load { seen, batches }, &calibration)?;
    }
    validation.calibrated(&calibration);
    Ok(())
}

/// How long batches take, and the peak: what an open load gets of more than the engine can do.
/// Closed loads will not do for either: their generator leaves the engine more of the processor.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
async fn calibrate(number: u32, bench: &mut Bench) -> Result<Calibration, BenchError> {
    let tally = Arc::new(Tally::default());
    let packets = bench.take(SINGLE).await?;
    one_by_one(bench, &packets, &tally).await?;
    let packets = bench.take(CLOSED).await?;
    let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
    let (closed, mut peak) = (per_second(packets.len(), elapsed), 0.0);
    for part in CALIBRATED_AT {
        let dues = open::dues(part * closed, SECONDS, u64::from(number));
        let probes = probes_for(bench, &dues, &tally).await?;
        let started = Instant::now();
        let seen = open_load(bench, probes, dues, &tally).await?;
        peak = per_second(seen.waits.len(), started.elapsed());
    }
    let batches: Vec<Batch> = tally.take();
    Calibration::of(&batches, peak).ok_or_else(|| BenchError::Other("too few batches".to_owned()))
}

/// A probe for each of `dues`.
async fn probes_for(
    bench: &mut Bench,
    dues: &[Duration],
    tally: &Arc<Tally>,
) -> Result<Vec<Probe>, BenchError> {
    let packets = bench.take(u64::try_from(dues.len()).map_err(BenchError::other)?).await?;
    probes(&bench.data, &packets, tally)
}

async fn open_load(
    bench: &Bench,
    probes: Vec<Probe>,
    dues: Vec<Duration>,
    tally: &Arc<Tally>,
) -> Result<Seen, BenchError> {
    let tally = Arc::clone(tally);
    open::load(&bench.app, probes, dues, move |batch| {
        tally.answered(*batch);
        Ok(())
    })
    .await
}

/// Claims `packets`, each once the last was answered.
async fn one_by_one(bench: &Bench, packets: &[u64], tally: &Arc<Tally>) -> Result<(), BenchError> {
    for probe in probes(&bench.data, packets, tally)? {
        let batch = bench.app.executor().submit(probe).await?;
        tally.answered(batch);
    }
    Ok(())
}

fn probes(data: &Dataset, packets: &[u64], tally: &Arc<Tally>) -> Result<Vec<Probe>, BenchError> {
    let probe = |&no: &u64| Ok(Probe { claim: data.claim_command(no)?, tally: Arc::clone(tally) });
    packets.iter().map(probe).collect()
}
