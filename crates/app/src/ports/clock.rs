//! The deciding clock (DEF8).

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use hongbao_domain::Timestamp;

/// Where decision times come from.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// How far the wall clock may move away from elapsed time before it is no longer followed.
/// Five minutes is far more than a clock service slews in the minutes between two readings, and
/// too little to refund a packet early or to win a day's limit.
const DRIFT_MILLIS_MAX: i64 = 300_000;

/// The machine's clock, guarded: small corrections of the wall clock are followed, a jump is not.
/// After a jump time goes on by elapsed time, an error is logged, and a restart, which is a
/// person's decision, takes the new wall clock.
#[derive(Debug)]
pub struct SystemClock(Mutex<Guard>);

/// What two readings are judged by.
#[derive(Clone, Copy, Debug)]
struct Guard {
    /// The wall clock when it was last followed, and the steady one at that time.
    wall_millis: i64,
    monotonic: Instant,
    /// The newest time that was told.
    told_millis: i64,
    jumped: bool,
}

impl SystemClock {
    /// Starts from the wall clock as it is now.
    pub fn start() -> Self {
        Self(Mutex::new(Guard::start(wall_millis(), monotonic())))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::from_millis(guard.read(wall_millis(), monotonic()))
    }
}

impl Guard {
    const fn start(wall_millis: i64, monotonic: Instant) -> Self {
        Self { wall_millis, monotonic, told_millis: wall_millis, jumped: false }
    }

    /// The time to tell. Never back: after a correction downwards it stands still until the wall
    /// clock has caught up.
    fn read(&mut self, wall_millis: i64, monotonic: Instant) -> i64 {
        let passed = monotonic.saturating_duration_since(self.monotonic).as_millis();
        let steady = self.wall_millis.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        let jump = wall_millis.saturating_sub(steady);
        let time = if jump.saturating_abs() > DRIFT_MILLIS_MAX {
            if !self.jumped {
                tracing::error!(jump_millis = jump, "the wall clock jumped and is not followed");
            }
            self.jumped = true;
            steady
        } else {
            (self.wall_millis, self.monotonic, self.jumped) = (wall_millis, monotonic, false);
            wall_millis
        };
        self.told_millis = self.told_millis.max(time);
        self.told_millis
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the Clock port's own reading")]
fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "this is the Clock port's own reading")]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Wall clock and elapsed milliseconds of each reading, and the time that is told.
    fn tells(table: &[(i64, u64, i64)]) {
        let started = monotonic();
        let mut guard = Guard::start(1_000_000, started);
        for &(wall, elapsed, told) in table {
            let time = guard.read(wall, started + Duration::from_millis(elapsed));
            assert_eq!(time, told, "{wall} {elapsed}");
        }
    }

    #[test]
    fn small_corrections_are_followed_and_time_never_goes_back() {
        tells(&[
            (1_001_000, 1_000, 1_001_000),
            (1_062_000, 2_000, 1_062_000),
            // Back by a minute: it stands still until the wall clock is there again.
            (1_003_000, 3_000, 1_062_000),
            (1_061_000, 61_000, 1_062_000),
            (1_063_000, 63_000, 1_063_000),
        ]);
    }

    #[test]
    fn corrections_that_are_small_one_by_one_are_all_followed() {
        tells(&[(800_000, 0, 1_000_000), (600_000, 0, 1_000_000), (1_000_500, 400_500, 1_000_500)]);
    }

    #[test]
    fn a_jump_is_not_followed_and_time_goes_on() {
        tells(&[
            (87_400_000, 1_000, 1_001_000),
            (87_401_000, 2_000, 1_002_000),
            (-85_000_000, 3_000, 1_003_000),
            // The wall clock is back where it belongs.
            (1_004_000, 4_000, 1_004_000),
        ]);
    }
}
