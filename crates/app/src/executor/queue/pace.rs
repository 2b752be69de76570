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
/// How much longer a journal that could fill the lane may make a batch in which others are: no more
/// than this, nor than what is fixed about a batch, so that it at most doubles what others wait for.
const SHARED_TIME: Duration = Duration::from_millis(12);
/// However slow a lane is, a batch may have so many: fewer would only make it slower.
const BATCH_MIN: usize = 512;
/// However little is fixed about a batch, a journal among others may have such a part of a full one.
const SHARE_PART: usize = 32;
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
        Self { batch_max: BATCH_MAX / 8, share_max: BATCH_MAX / 32 }
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
        let share = self.share_max.min(commands);
        let (share_took, all_took) = (self.time_of(share), self.time_of(commands));
        let fixed = took.saturating_sub(all_took);
        toward(&mut self.share_max, share, share_took, fixed.min(SHARED_TIME), 1);
        self.share_max = self.share_max.max(self.batch_max / SHARE_PART);
    }

    /// How much longer so many commands make a batch, as far as full ones tell. A lane for which
    /// [`BATCH_MAX`] is less than [`BATCH_TIME`] is taken for slower, and a share for longer, than it is.
    fn time_of(self, commands: usize) -> Duration {
        let count = |commands| u32::try_from(commands).unwrap_or(u32::MAX);
        BATCH_TIME * count(commands) / count(self.batch_max)
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

    /// After fifty batches of which 50 commands were of others and a journal had all that it may
    /// have: beside the commands they took `fixed`.
    fn among_others(mut pace: Pace, each: Duration, fixed: Duration) -> Pace {
        for _ in 0..50 {
            let commands = pace.share_max() + 50;
            pace.note_shared(commands, each * u32::try_from(commands).unwrap() + fixed);
        }
        pace
    }

    #[test]
    fn a_journal_among_others_at_most_doubles_what_is_fixed_about_a_batch() {
        let each = Duration::from_micros(50);
        let fast = after(50, each);
        for (fixed, share) in [(4, 125), (8, 160), (12, 240), (60, 240)] {
            let pace = among_others(fast, each, Duration::from_millis(fixed));
            assert!(pace.share_max().abs_diff(share) <= 2, "{pace:?}: {share} for {fixed} ms");
            assert_eq!(pace.batch_max(), fast.batch_max(), "batches that short do not tell");
        }
    }

    #[test]
    fn a_batch_of_which_little_is_fixed_leaves_a_journal_its_part() {
        let each = Duration::from_micros(50);
        let fast = after(50, each);
        let pace = among_others(fast, each, Duration::from_millis(1));
        assert_eq!(pace.share_max(), fast.batch_max() / SHARE_PART);
    }

    #[test]
    fn a_stall_costs_half_and_is_soon_made_up_for() {
        let mut pace = after(10, Duration::from_micros(10));
        assert_eq!(pace.batch_max(), BATCH_MAX);
        pace.note(BATCH_MAX, Duration::from_mins(1));
        assert!(pace.batch_max() >= BATCH_MAX / 2);
        for _ in 0..5 {
            pace.note(pace.batch_max(), BATCH_TIME / 2);
        }
        assert_eq!(pace.batch_max(), BATCH_MAX);
    }
}
