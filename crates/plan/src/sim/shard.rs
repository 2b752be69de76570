//! One shard from start to end.

use std::collections::BTreeMap;

use super::{
    capacity,
    lane::{Committed, Lane, Parcel},
    scenario::{Division, Scenario},
    tally::Bucket,
};
use crate::{num, random::Random};

/// What happened in one shard.
#[derive(Debug)]
pub(super) struct ShardRun {
    /// Over time.
    pub(super) buckets: Vec<Bucket>,
    /// Callers that wait to try again at the end.
    pub(super) between_tries: u64,
}

/// Runs shard `number`, which has `part` of the load.
pub(super) fn run(scenario: &Scenario, number: u64, part: f64) -> ShardRun {
    let mut shard = Shard::new(scenario, number, part);
    let slice = shard.slice;
    let end = num::nanos(scenario.seconds);
    let mut from = 0;
    while from < end {
        shard.slice(from, (from + slice).min(end));
        from += slice;
    }
    let waiting = shard.retries.values().flatten().map(|parcel| parcel.count).sum();
    ShardRun { buckets: shard.books.buckets, between_tries: waiting }
}

/// Buckets being filled.
struct Books {
    width: u64,
    buckets: Vec<Bucket>,
}

impl Books {
    fn new(scenario: &Scenario) -> Self {
        let width = scenario.bucket_millis.max(1) * 1_000_000;
        let count = num::nanos(scenario.seconds).div_ceil(width);
        Self { width, buckets: vec![Bucket::default(); num::index(count)] }
    }

    fn at(&mut self, now: u64, note: impl FnOnce(&mut Bucket)) {
        if let Some(bucket) = self.buckets.get_mut(num::index(now / self.width)) {
            note(bucket);
        }
    }

    fn committed(&mut self, batch: &Committed) {
        self.at(batch.at, |bucket| {
            bucket.batches += 1;
            bucket.count.accepted += batch.size;
            for parcel in &batch.parcels {
                bucket.waits.add(batch.at - parcel.arrived_at, parcel.count);
                bucket.caller_waits.add(batch.at - parcel.first_at, parcel.count);
            }
        });
    }
}

struct Shard<'s> {
    scenario: &'s Scenario,
    /// Commands a second of this shard at the load's part 1.
    peak: f64,
    campaign: bool,
    /// Nanoseconds of one step: the tick, or a millisecond when commands come one by one.
    slice: u64,
    outage: Option<(u64, u64)>,
    lane: Lane,
    arrivals: Random,
    patience: Random,
    /// Callers between two tries, by the step in which they come back.
    retries: BTreeMap<u64, Vec<Parcel>>,
    books: Books,
}

impl<'s> Shard<'s> {
    fn new(scenario: &'s Scenario, number: u64, part: f64) -> Self {
        let random = |row| Random::of_part(scenario.seed, 3 * number + row);
        let outage = scenario.outage.filter(|outage| outage.shard == number);
        Self {
            scenario,
            peak: scenario.peak * part,
            campaign: number == 0,
            slice: scenario.tick_millis.max(1) * 1_000_000,
            outage: outage.map(|outage| (num::nanos(outage.from), num::nanos(outage.until))),
            lane: Lane::new(scenario.lane.clone(), random(0)),
            arrivals: random(1),
            patience: random(2),
            retries: BTreeMap::new(),
            books: Books::new(scenario),
        }
    }

    /// One step of time: what comes in it, in order.
    fn slice(&mut self, from: u64, until: u64) {
        self.break_or_mend(from);
        let mut coming = self.retries.remove(&(from / self.slice)).unwrap_or_default();
        // The last step may be cut short: who comes after the end is still waiting to try.
        let late: Vec<Parcel> = coming.extract_if(.., |p| p.arrived_at >= until).collect();
        if !late.is_empty() {
            self.retries.insert(until / self.slice, late);
        }
        self.draw_fresh(from, until, &mut coming);
        coming.sort_by_key(|parcel| parcel.arrived_at);
        for parcel in coming {
            self.advance(parcel.arrived_at);
            self.arrive(parcel);
        }
        // What ends at the edge belongs to the next step.
        self.advance(until - 1);
        let inside = self.lane.inside();
        self.books.at(until - 1, |bucket| bucket.inside = inside);
    }

    fn advance(&mut self, now: u64) {
        self.lane.advance(now, |batch| self.books.committed(&batch));
    }

    fn break_or_mend(&mut self, now: u64) {
        let Some((from, until)) = self.outage else { return };
        if now >= until {
            self.outage = None;
            self.lane.recover();
        } else if now >= from && !self.lane.dead() {
            for lost in self.lane.die() {
                self.books.at(now, |bucket| bucket.count.failed += lost.count);
                self.come_back(lost, now);
            }
        }
    }

    fn draw_fresh(&mut self, from: u64, until: u64, coming: &mut Vec<Parcel>) {
        let mean = self.rate(num::seconds(from)) * num::seconds(until - from);
        let count = self.arrivals.poisson(mean);
        let single = self.scenario.tick_millis == 0;
        let (parcels, each) = if single { (count, 1) } else { (count.min(1), count) };
        for _ in 0..parcels {
            let offset = self.arrivals.unit() * num::float(until - from - 1);
            let at = from + num::whole(offset);
            self.books.at(at, |bucket| bucket.callers += each);
            coming.push(Parcel { first_at: at, arrived_at: at, attempt: 0, count: each });
        }
    }

    fn rate(&self, seconds: f64) -> f64 {
        let usual = self.peak * self.scenario.load.at(seconds);
        match &self.scenario.division {
            Division::Campaign(_, load) if self.campaign => {
                usual + load.at(seconds) * capacity(&self.scenario.lane)
            }
            Division::Campaign(..) | Division::Merchants(_) => usual,
        }
    }

    fn arrive(&mut self, parcel: Parcel) {
        let dead = self.lane.dead();
        let refused = self.lane.offer(parcel);
        self.books.at(parcel.arrived_at, |bucket| {
            bucket.count.offered += parcel.count;
            let reason = if dead { &mut bucket.count.failed } else { &mut bucket.count.shed };
            *reason += refused;
        });
        if refused > 0 {
            self.come_back(Parcel { count: refused, ..parcel }, parcel.arrived_at);
        }
    }

    /// Callers without an answer wait and come back, or give up.
    fn come_back(&mut self, parcel: Parcel, now: u64) {
        let wait = self.scenario.retry.wait(parcel.attempt, self.patience.unit());
        let Some(wait) = wait else {
            self.books.at(now, |bucket| bucket.gave_up += parcel.count);
            return;
        };
        // At least into the next step: this one's order is already made.
        let at = (now + num::nanos(wait)).max((now / self.slice + 1) * self.slice);
        let again = Parcel { arrived_at: at, attempt: parcel.attempt + 1, ..parcel };
        self.retries.entry(at / self.slice).or_default().push(again);
    }
}
