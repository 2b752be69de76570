//! How much a lane takes at once, by how fast it was seen to be.
//!
//! The larger a batch, the less a command costs, and the longer everybody in it waits. What is
//! large enough on a fast disk is seconds on a slow one, so the bounds are times. Only batches that
//! were about as large as they might be tell how fast a lane is; small ones are mostly what is
//! fixed about a batch.

use std::time::Duration;

use super::super::BATCH_MAX;

/// How long a batch of several journals should take at most: as long as anybody should wait for
/// others.
const BATCH_TIME: Duration = Duration::from_millis(200);
/// How many such batches in one a journal may have that is alone in its lane: it makes nobody wait
/// but itself.
const ALONE_TIMES: usize = 2;
/// How long a batch should take in which one journal could fill a lane and others are there.
const SHARED_TIME: Duration = Duration::from_millis(20);
/// However slow a lane is, a batch may have so many: fewer would only make it slower.
const BATCH_MIN: usize = 512;
/// However much of a short batch is fixed, a journal among others may have such a part of a full
/// one: else a slow disk would leave it next to nothing.
const SHARE_PART: usize = 16;
/// A lane's places, in full batches. With those under way, two at most, what waits is worked off in
/// about a second, unless the lane is so slow that [`BATCH_MIN`] takes longer.
const PLACES: usize = 2;

/// What a lane may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    batch_max: usize,
    share_max: usize,
}

impl Default for Pace {
    /// Nothing is known of the lane: no batch may take long even on a slow one, and a few batches
    /// under load find what a fast one can do.
    fn default() -> Self {
        Self { batch_max: BATCH_MAX / 16, share_max: BATCH_MAX / 64 }
    }
}

impl Pace {
    /// For a lane that does so many commands a second in large batches.
    pub fn of_rate(per_second: u64) -> Self {
        let within = |time: Duration, least| {
            let commands = u128::from(per_second) * time.as_nanos() / 1_000_000_000;
            usize::try_from(commands).unwrap_or(BATCH_MAX).clamp(least, BATCH_MAX)
        };
        let batch_max = within(BATCH_TIME, BATCH_MIN);
        Self { batch_max, share_max: within(SHARED_TIME, batch_max / SHARE_PART) }
    }

    /// Most commands of one batch.
    pub const fn batch_max(self) -> usize {
        self.batch_max
    }

    /// Most commands of one batch of a journal that has the lane to itself; as many more may wait.
    pub fn alone_max(self) -> usize {
        BATCH_MAX.min(ALONE_TIMES * self.batch_max)
    }

    /// Most commands of one journal in a batch while others are there.
    pub const fn share_max(self) -> usize {
        self.share_max
    }

    /// Most commands that wait.
    pub const fn places(self) -> usize {
        PLACES * self.batch_max
    }

    /// A batch of so many commands took so long. Only those count that were written.
    pub(super) fn note(&mut self, commands: usize, took: Duration) {
        toward(&mut self.batch_max, commands, took, BATCH_TIME, BATCH_MIN);
    }

    /// A batch took so long of which no journal could have more than its share.
    pub(super) fn note_shared(&mut self, commands: usize, took: Duration) {
        self.note(commands, took);
        toward(&mut self.share_max, commands, took, SHARED_TIME, 1);
        self.share_max = self.share_max.max(self.batch_max / SHARE_PART);
    }
}

/// Moves `most` half of the way to what would have taken `time`: one batch among many is not
/// believed at once, and never more than doubled.
fn toward(most: &mut usize, commands: usize, took: Duration, time: Duration, least: usize) {
    if commands < *most / 2 {
        return;
    }
    let nanos = |time: Duration| usize::try_from(time.as_nanos()).unwrap_or(usize::MAX);
    let in_time = commands.saturating_mul(nanos(time)) / nanos(took).max(1);
    *most = usize::midpoint(*most, in_time.min(3 * *most)).clamp(least, BATCH_MAX);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BATCH_MAX, BATCH_MIN, BATCH_TIME, Pace, SHARE_PART};

    /// After so many full batches of which every command took `each`.
    fn after(batches: u32, each: Duration) -> Pace {
        let mut pace = Pace::default();
        for _ in 0..batches {
            pace.note(pace.batch_max(), each * u32::try_from(pace.batch_max()).unwrap());
        }
        pace
    }

    #[test]
    fn a_journal_alone_may_have_more_but_never_more_than_any_batch() {
        assert_eq!(Pace::of_rate(20_000).alone_max(), 2 * Pace::of_rate(20_000).batch_max());
        assert_eq!(Pace::of_rate(1_000_000).alone_max(), BATCH_MAX);
    }

    #[test]
    fn a_lane_of_any_speed_comes_to_batches_of_its_time_within_ten() {
        for micros in [250, 33, 16, 1] {
            let each = Duration::from_micros(micros);
            let wanted = Pace::of_rate(1_000_000 / micros).batch_max();
            let batch_max = after(10, each).batch_max();
            assert!(batch_max.abs_diff(wanted) <= wanted / 50, "{batch_max} not {wanted}");
        }
    }

    #[test]
    fn small_batches_tell_nothing_and_the_slowest_lane_still_takes_some() {
        let mut pace = Pace::default();
        pace.note(pace.batch_max() / 4, 10 * BATCH_TIME);
        assert_eq!(pace, Pace::default());
        assert_eq!(after(50, Duration::from_secs(1)).batch_max(), BATCH_MIN);
    }

    #[test]
    fn what_a_journal_may_have_among_others_follows_a_shorter_time() {
        let mut pace = after(10, Duration::from_micros(1));
        for _ in 0..50 {
            // Of each batch 100 are of others; a command takes a twentieth of a millisecond.
            let commands = pace.share_max() + 100;
            pace.note_shared(
                commands,
                Duration::from_micros(50) * u32::try_from(commands).unwrap(),
            );
        }
        assert_eq!(pace.batch_max(), BATCH_MAX, "batches that short do not tell");
        assert_eq!(pace.share_max(), BATCH_MAX / SHARE_PART, "the least of a lane that was fast");
        let mut pace = after(50, Duration::from_micros(50));
        for _ in 0..50 {
            let commands = pace.share_max() + 100;
            pace.note_shared(
                commands,
                Duration::from_micros(50) * u32::try_from(commands).unwrap(),
            );
        }
        assert!(pace.share_max().abs_diff(400) <= 4, "{pace:?}: 20 ms are 400 commands");
    }

    #[test]
    fn what_is_fixed_about_a_batch_does_not_leave_a_journal_without_a_part() {
        let mut pace = after(50, Duration::from_micros(16));
        let full = pace.batch_max();
        for _ in 0..50 {
            let each = Duration::from_micros(16) * u32::try_from(pace.share_max()).unwrap();
            pace.note_shared(pace.share_max(), Duration::from_millis(40) + each);
        }
        assert_eq!((pace.batch_max(), pace.share_max()), (full, full / SHARE_PART));
    }

    #[test]
    fn a_stall_costs_half_and_is_soon_made_up_for() {
        let mut pace = after(10, Duration::from_micros(5));
        assert_eq!(pace.batch_max(), BATCH_MAX);
        pace.note(BATCH_MAX, Duration::from_mins(1));
        assert!(pace.batch_max() >= BATCH_MAX / 2);
        for _ in 0..5 {
            pace.note(pace.batch_max(), BATCH_TIME / 2);
        }
        assert_eq!(pace.batch_max(), BATCH_MAX);
    }
}
