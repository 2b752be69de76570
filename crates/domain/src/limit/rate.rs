//! The request rate: a bucket of one second's calls that refills steadily.

use crate::time::Timestamp;

/// One call, in thousandths: a bucket refills `calls per second` thousandths a millisecond, so
/// whole numbers are exact.
const CALL: u64 = 1_000;

/// How many calls a caller has left.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    left: u64,
    at: Timestamp,
}

impl Bucket {
    /// A full bucket for `per_second` calls a second.
    pub fn full(per_second: u32, at: Timestamp) -> Self {
        Self { left: u64::from(per_second).saturating_mul(CALL), at }
    }

    /// Takes one call at `now`; false when none is left.
    pub fn take(&mut self, per_second: u32, now: Timestamp) -> bool {
        let passed = now.millis().saturating_sub(self.at.millis());
        let refill = u64::try_from(passed).unwrap_or(0).saturating_mul(u64::from(per_second));
        let most = u64::from(per_second).saturating_mul(CALL);
        self.left = self.left.saturating_add(refill).min(most);
        self.at = self.at.max(now);
        match self.left.checked_sub(CALL) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_calls_pass_in_a_second_and_the_next_waits_for_a_thirtieth() {
        let start = Timestamp::from_millis(1_000_000);
        let mut bucket = Bucket::full(30, start);
        let passed = (0..100).filter(|_| bucket.take(30, start)).count();
        assert_eq!(passed, 30);
        assert!(!bucket.take(30, start.plus_millis(33)));
        assert!(bucket.take(30, start.plus_millis(34)));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let start = Timestamp::from_millis(1_000_000);
        let mut bucket = Bucket::full(1, start);
        assert!(bucket.take(1, start));
        assert!(!bucket.take(1, start.plus_seconds(-3_600)));
        assert!(!bucket.take(1, start.plus_millis(999)));
        assert!(bucket.take(1, start.plus_millis(1_000)));
    }
}
