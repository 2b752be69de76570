//! A discrete-event simulation of executor lanes under load.
//!
//! All shards are simulated, none is sampled. Shards share nothing here, so each runs on its own from
//! start to end and the results are added up. A batch's start, size and end are exact; what is
//! aggregated is arrivals: fresh commands of one shard are drawn for a tick of some milliseconds
//! and come together at one random instant in it ([`Scenario::tick_millis`]), and those that retry
//! stay together. With a tick of 0 each command comes alone, as in a comparison with a real lane.
//!
//! Time is whole nanoseconds and counts are whole, so a seed gives the same result everywhere.

pub mod lane;
pub mod scenario;
pub mod service;
mod shard;
pub mod tally;

use serde::Serialize;

use self::{
    lane::Count,
    scenario::{Division, Scenario},
    tally::{Bucket, Histogram, Point},
};
use crate::{num, placement};

/// What a simulation showed.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Name of the scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// Shards.
    pub shards: u64,
    /// Everything added up.
    pub total: Total,
    /// All shards together, over time.
    pub all: Vec<Point>,
    /// The shard to watch over time: the one with the campaign, the outage, or the most load.
    pub watched: Vec<Point>,
}

/// Sums of a whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Tries, repeated ones counted each time.
    pub offered: u64,
    /// Commands answered.
    pub accepted: u64,
    /// Tries sent away by a full queue.
    pub shed: u64,
    /// Tries that found their shard dead, or died with it.
    pub failed: u64,
    /// Commands in queues and batches at the end.
    pub inside: u64,
    /// Callers.
    pub callers: u64,
    /// Callers that gave up.
    pub gave_up: u64,
    /// Callers between two tries at the end.
    pub between_tries: u64,
    /// Batches committed.
    pub batches: u64,
    /// Most commands ever in one shard's queue and batch at the end of a point.
    pub fullest: u64,
    /// Nanoseconds that half of all accepted tries stayed below; 0 without any.
    pub p50_nanos: u64,
    /// That 99 of 100 stayed below.
    pub p99_nanos: u64,
    /// That 999 of 1000 stayed below.
    pub p999_nanos: u64,
}

/// A sum that does not add up: a defect of the simulator, never of the plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Tries.
    #[error("{offered} tries were offered, but {others} accepted, shed, failed or inside")]
    Tries {
        /// Tries that came.
        offered: u64,
        /// Tries whose fate is known.
        others: u64,
    },
    /// Callers.
    #[error("{callers} callers came, but {others} were answered, gave up or still wait")]
    Callers {
        /// Callers that came.
        callers: u64,
        /// Callers whose fate is known.
        others: u64,
    },
}

impl Total {
    /// Nothing comes out of nothing and nothing gets lost: every try was accepted, shed, failed or
    /// is inside; every caller was answered, gave up, is inside or waits to try again.
    pub const fn conserved(&self) -> Result<(), Broken> {
        let (offered, others) =
            (self.offered, self.accepted + self.shed + self.failed + self.inside);
        if offered != others {
            return Err(Broken::Tries { offered, others });
        }
        let (callers, others) =
            (self.callers, self.accepted + self.gave_up + self.inside + self.between_tries);
        if callers != others {
            return Err(Broken::Callers { callers, others });
        }
        Ok(())
    }
}

impl Total {
    /// Commands of a batch on average.
    pub const fn mean_batch(&self) -> f64 {
        num::float(self.accepted) / num::float(if self.batches == 0 { 1 } else { self.batches })
    }
}

/// Runs `scenario`.
pub fn run(scenario: &Scenario) -> Result<Outcome, Broken> {
    let watched_shard = scenario.outage.map_or(0, |outage| outage.shard);
    let loads = loads(scenario);
    let mut all: Vec<Bucket> = Vec::new();
    let mut watched = Vec::new();
    let mut total = Total::default();
    for (number, share) in (0..).zip(loads) {
        let run = shard::run(scenario, number, share);
        total.between_tries += run.between_tries;
        let fullest = run.buckets.iter().map(|bucket| bucket.inside).max().unwrap_or(0);
        total.fullest = total.fullest.max(fullest);
        if number == watched_shard {
            watched = points(scenario, &run.buckets);
        }
        if all.is_empty() {
            all = run.buckets;
        } else {
            all.iter_mut().zip(&run.buckets).for_each(|(sum, more)| sum.merge(more));
        }
    }
    sum_up(&mut total, &all);
    total.conserved()?;
    Ok(Outcome {
        scenario: scenario.name.clone(),
        seed: scenario.seed,
        shards: scenario.shards,
        total,
        all: points(scenario, &all),
        watched,
    })
}

/// The part of the load of each shard, fullest first.
fn loads(scenario: &Scenario) -> Vec<f64> {
    let (Division::Merchants(popularity) | Division::Campaign(popularity, _)) = &scenario.division;
    placement::place(&popularity.weights(), scenario.shards)
}

fn points(scenario: &Scenario, buckets: &[Bucket]) -> Vec<Point> {
    let width = scenario.bucket_millis * 1_000_000;
    (0..).zip(buckets).map(|(number, bucket)| Point::of(number, width, bucket)).collect()
}

fn sum_up(total: &mut Total, buckets: &[Bucket]) {
    let (mut count, mut waits) = (Count::default(), Histogram::default());
    for bucket in buckets {
        count.add(&bucket.count);
        waits.merge(&bucket.waits);
        total.callers += bucket.callers;
        total.gave_up += bucket.gave_up;
        total.batches += bucket.batches;
    }
    let quantile = |share| waits.quantile(share).unwrap_or(0);
    total.offered = count.offered;
    total.accepted = count.accepted;
    total.shed = count.shed;
    total.failed = count.failed;
    total.inside = buckets.last().map_or(0, |bucket| bucket.inside);
    total.p50_nanos = quantile(0.5);
    total.p99_nanos = quantile(0.99);
    total.p999_nanos = quantile(0.999);
}

/// The lane's capacity in commands a second: full batches, one after another.
pub fn capacity(spec: &lane::LaneSpec) -> f64 {
    num::float(spec.batch_max) / num::seconds(spec.service.nanos(spec.batch_max))
}
