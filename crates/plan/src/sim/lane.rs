//! One executor lane: a bounded queue and batches without timers.
//!
//! As `hongbao-app`'s executor, but for its turns between merchants: while one batch commits the next
//! gathers; when it is done the lane takes what waits, up to a full batch; a command that finds the
//! queue full is sent away at once.
//! A batch takes its commands out of the queue, so queue and batch are two rooms.

use std::collections::VecDeque;

use super::service::Service;
use crate::random::Random;

/// Commands that came at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// When their callers first tried, in nanoseconds.
    pub first_at: u64,
    /// When they came, in nanoseconds.
    pub arrived_at: u64,
    /// Tries before this one.
    pub attempt: u32,
    /// How many they are.
    pub count: u64,
}

/// A batch that was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// When all of it was answered, in nanoseconds.
    pub at: u64,
    /// Commands in it.
    pub size: u64,
    /// Whose.
    pub parcels: Vec<Parcel>,
}

/// How a lane works.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneSpec {
    /// How long a batch takes.
    pub service: Service,
    /// Commands of a batch at most.
    pub batch_max: u64,
    /// Commands waiting at most, those of the batch under way not counted.
    pub queue_max: u64,
}

/// What went in and came out of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Commands that came.
    pub offered: u64,
    /// Commands answered after their commit.
    pub accepted: u64,
    /// Commands sent away because the queue was full.
    pub shed: u64,
    /// Commands that found the lane dead or died with it.
    pub failed: u64,
}

impl Count {
    /// Whether nothing came out of nothing and nothing got lost: everything offered was accepted,
    /// shed or failed, or is one of the `inside`.
    pub const fn conserved(&self, inside: u64) -> bool {
        self.offered == self.accepted + self.shed + self.failed + inside
    }

    /// Adds `other`.
    pub const fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.accepted += other.accepted;
        self.shed += other.shed;
        self.failed += other.failed;
    }
}

/// A lane at work.
#[derive(Debug)]
pub struct Lane {
    spec: LaneSpec,
    random: Random,
    waiting: VecDeque<Parcel>,
    waiting_count: u64,
    committing: Option<Committed>,
    dead: bool,
}

impl Lane {
    /// An idle lane; `random` draws how much longer or shorter batches take.
    pub const fn new(spec: LaneSpec, random: Random) -> Self {
        Self {
            spec,
            random,
            waiting: VecDeque::new(),
            waiting_count: 0,
            committing: None,
            dead: false,
        }
    }

    /// Commands in the queue.
    pub const fn waiting(&self) -> u64 {
        self.waiting_count
    }

    /// Commands in the queue and in the batch under way.
    pub fn inside(&self) -> u64 {
        self.waiting_count + self.committing.as_ref().map_or(0, |batch| batch.size)
    }

    /// Whether it is down.
    pub const fn dead(&self) -> bool {
        self.dead
    }

    /// Takes as many of `parcel` as there is room for; answers how many not. Everything that was
    /// due before must have been [`advance`](Self::advance)d.
    pub fn offer(&mut self, parcel: Parcel) -> u64 {
        if self.dead {
            return parcel.count;
        }
        let room = self.spec.queue_max.saturating_sub(self.waiting_count);
        let taken = parcel.count.min(room);
        if taken > 0 {
            self.waiting.push_back(Parcel { count: taken, ..parcel });
            self.waiting_count += taken;
            if self.committing.is_none() {
                self.start(parcel.arrived_at);
            }
        }
        parcel.count - taken
    }

    /// Ends the batches that end until `now` and starts those that follow; `done` is told of each.
    pub fn advance(&mut self, now: u64, mut done: impl FnMut(Committed)) {
        while let Some(batch) = self.committing.take_if(|batch| batch.at <= now) {
            let at = batch.at;
            done(batch);
            if self.waiting_count > 0 {
                self.start(at);
            }
        }
    }

    /// Dies: the queue and the batch under way are lost and come back to their callers as unknown.
    pub fn die(&mut self) -> Vec<Parcel> {
        self.dead = true;
        self.waiting_count = 0;
        let batch = self.committing.take().map(|batch| batch.parcels).unwrap_or_default();
        batch.into_iter().chain(self.waiting.drain(..)).collect()
    }

    /// Works again, empty.
    pub const fn recover(&mut self) {
        self.dead = false;
    }

    fn start(&mut self, now: u64) {
        let size = self.waiting_count.min(self.spec.batch_max);
        let (mut left, mut parcels) = (size, Vec::new());
        while left > 0
            && let Some(mut parcel) = self.waiting.pop_front()
        {
            if parcel.count > left {
                self.waiting.push_front(Parcel { count: parcel.count - left, ..parcel });
                parcel.count = left;
            }
            left -= parcel.count;
            parcels.push(parcel);
        }
        self.waiting_count -= size;
        let at = now + self.spec.service.draw(size, &mut self.random);
        self.committing = Some(Committed { at, size, parcels });
    }
}
