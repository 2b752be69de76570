//! Counting: waiting times, and what happened second by second.

use serde::Serialize;

use super::lane::Count;
use crate::num;

/// Steps of a doubling: a waiting time is known to 1/32, some 3 %.
const STEPS: u64 = 32;
/// `log2` of [`STEPS`].
const STEP_BITS: u32 = 5;

/// Waiting times, to about 3 %.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// Adds `count` waits of `nanos`.
    pub fn add(&mut self, nanos: u64, count: u64) {
        let place = place(nanos);
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        if let Some(slot) = self.counts.get_mut(place) {
            *slot += count;
            self.total += count;
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, more)| *sum += more);
        self.total += other.total;
    }

    /// Waits that were added.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Nanoseconds that `share` (0 to 1) of the waits stayed at or below; `None` without any.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = num::ceil(share * num::float(self.total)).max(1);
        let mut seen = 0;
        let mut counts = (0_u64..).zip(&self.counts);
        counts.find_map(|(place, count)| {
            seen += count;
            (seen >= wanted).then(|| lower_bound(place))
        })
    }
}

/// The step of a waiting time: exact below [`STEPS`], then by its top six bits.
fn place(nanos: u64) -> usize {
    if nanos < STEPS {
        return num::index(nanos);
    }
    let shift = nanos.ilog2() - STEP_BITS;
    num::index(u64::from(shift) * STEPS + (nanos >> shift))
}

fn lower_bound(place: u64) -> u64 {
    if place < STEPS {
        return place;
    }
    let shift = place / STEPS - 1;
    (place - shift * STEPS) << shift
}

/// Everything of one bucket of time.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// What went in and out.
    pub count: Count,
    /// Commands in queues and batches at its end.
    pub inside: u64,
    /// From a try's arrival to its answer, by the time of the answer.
    pub waits: Histogram,
    /// From a caller's first try to its answer, by the time of the answer.
    pub caller_waits: Histogram,
    /// Callers whose first try it was.
    pub callers: u64,
    /// Callers that gave up.
    pub gave_up: u64,
    /// Batches committed.
    pub batches: u64,
}

impl Bucket {
    /// Adds `other`, another shard's of the same time.
    pub fn merge(&mut self, other: &Self) {
        self.count.add(&other.count);
        self.inside += other.inside;
        self.waits.merge(&other.waits);
        self.caller_waits.merge(&other.caller_waits);
        self.callers += other.callers;
        self.gave_up += other.gave_up;
        self.batches += other.batches;
    }
}

/// A bucket as it is written and drawn. Rates are a second; times are seconds and `None` when
/// nothing was answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The middle of the bucket, seconds from the start.
    pub at: f64,
    /// Tries that came, repeated ones counted each time.
    pub offered: f64,
    /// Commands answered.
    pub accepted: f64,
    /// Tries sent away by a full queue.
    pub shed: f64,
    /// Tries that found their shard dead, or died with it.
    pub failed: f64,
    /// Commands in queues and batches at the end of the bucket.
    pub inside: u64,
    /// Commands of a batch on average.
    pub batch: f64,
    /// Median wait of a try that was accepted.
    pub p50: Option<f64>,
    /// What 99 of 100 stayed below.
    pub p99: Option<f64>,
    /// What 999 of 1000 stayed below.
    pub p999: Option<f64>,
    /// What 999 of 1000 callers stayed below, first try to answer.
    pub caller_p999: Option<f64>,
}

impl Point {
    /// The bucket number `number` of `width` nanoseconds.
    pub fn of(number: u64, width: u64, bucket: &Bucket) -> Self {
        let rate = |count: u64| num::float(count) / num::seconds(width);
        let quantile = |waits: &Histogram, share| waits.quantile(share).map(num::seconds);
        Self {
            at: (num::float(number) + 0.5) * num::seconds(width),
            offered: rate(bucket.count.offered),
            accepted: rate(bucket.count.accepted),
            shed: rate(bucket.count.shed),
            failed: rate(bucket.count.failed),
            inside: bucket.inside,
            batch: num::float(bucket.count.accepted) / num::float(bucket.batches.max(1)),
            p50: quantile(&bucket.waits, 0.5),
            p99: quantile(&bucket.waits, 0.99),
            p999: quantile(&bucket.waits, 0.999),
            caller_p999: quantile(&bucket.caller_waits, 0.999),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Histogram, lower_bound, place};

    #[test]
    fn a_wait_lies_in_its_step_and_steps_are_three_per_cent() {
        for nanos in [0, 1, 31, 32, 33, 63, 64, 65, 1_000, 123_456_789, u64::MAX / 2] {
            let low = lower_bound(u64::try_from(place(nanos)).unwrap());
            assert!(low <= nanos && nanos - low <= nanos / 32, "{nanos} lies at {low}");
        }
        let places: Vec<usize> = (0..10_000).map(place).collect();
        assert!(places.windows(2).all(|pair| pair[0] == pair[1] || pair[0] + 1 == pair[1]));
    }

    #[test]
    fn quantiles_count_waits_and_not_steps() {
        let mut waits = Histogram::default();
        assert_eq!(waits.quantile(0.5), None);
        waits.add(10, 98);
        waits.add(20, 1);
        waits.add(30, 1);
        assert_eq!(
            [0.5, 0.98, 0.99, 1.0].map(|share| waits.quantile(share).unwrap()),
            [10, 10, 20, 30]
        );
    }
}
