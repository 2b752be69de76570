//! A clock that stands still until a test moves it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use hongbao_app::ports::Clock;
use hongbao_domain::Timestamp;

/// 2026-03-02 10:00:00 in Beijing: far from midnight, from month ends and from leap days.
pub const MORNING: Timestamp = Timestamp::from_millis(1_772_416_800_000);

/// A day in seconds.
pub const DAY_SECONDS: i64 = 86_400;

/// A clock set by hand. Shared by [`Arc`]: the test moves what the store reads.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { millis: AtomicI64::new(now.millis()) })
    }

    /// A clock that stands at [`MORNING`].
    pub fn morning() -> Arc<Self> {
        Self::at(MORNING)
    }

    /// Puts it to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.millis.store(now.millis(), Ordering::SeqCst);
    }

    /// Moves it, back when `seconds` is below zero, and tells where it stands then.
    pub fn pass_seconds(&self, seconds: i64) -> Timestamp {
        let now = self.now().plus_seconds(seconds);
        self.set(now);
        now
    }

    /// Moves it to the last millisecond of its Beijing day (DEF2).
    pub fn pass_to_last_millisecond_of_day(&self) -> Timestamp {
        const BEIJING: i64 = 8 * 3_600;
        let next = self.now().day().number().saturating_add(1);
        let midnight = next.saturating_mul(DAY_SECONDS).saturating_sub(BEIJING);
        let now = Timestamp::EPOCH.plus_seconds(midnight).plus_millis(-1);
        self.set(now);
        now
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_shares_it_sees_it_move() {
        let clock = ManualClock::morning();
        let shared: Arc<dyn Clock> = clock.clone();
        assert_eq!(shared.now().beijing_text(), "2026-03-02 10:00:00");
        clock.pass_seconds(5);
        assert_eq!(shared.now().beijing_text(), "2026-03-02 10:00:05");
    }

    #[test]
    fn the_last_millisecond_of_a_day_is_just_before_midnight_in_beijing() {
        let clock = ManualClock::morning();
        let last = clock.pass_to_last_millisecond_of_day();
        assert_eq!(last.rfc3339(), "2026-03-02T23:59:59.999+08:00");
    }
}
