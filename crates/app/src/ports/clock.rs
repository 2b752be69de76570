//! The deciding clock (DEF8).

use std::{
    sync::Mutex,
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
pub struct SystemClock {
    anchor: Mutex<Anchor>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    wall_millis: i64,
    monotonic: Instant,
    jumped: bool,
}

impl SystemClock {
    /// Starts from the wall clock as it is now.
    pub fn start() -> Self {
        Self {
            anchor: Mutex::new(Anchor {
                wall_millis: wall_millis(),
                monotonic: monotonic(),
                jumped: false,
            }),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let (wall, elapsed) = (wall_millis(), monotonic());
        let mut anchor = self.anchor.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let passed = elapsed.saturating_duration_since(anchor.monotonic).as_millis();
        let steady = anchor.wall_millis.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
        let jump = wall.saturating_sub(steady);
        if jump.saturating_abs() > DRIFT_MILLIS_MAX {
            if !anchor.jumped {
                anchor.jumped = true;
                tracing::error!(jump_millis = jump, "the wall clock jumped and is not followed");
            }
            return Timestamp::from_millis(steady);
        }
        // Never back: a correction downwards waits until time has caught up.
        *anchor = Anchor { wall_millis: wall.max(steady), monotonic: elapsed, jumped: false };
        Timestamp::from_millis(anchor.wall_millis)
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
