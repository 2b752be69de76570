//! Timelines: how a server that another one took over from is told from the one that did.
//!
//! PostgreSQL begins a timeline with a higher number whenever a standby is promoted. A server that
//! is on a lower one than was seen before is an old primary that came back: what it shows is old,
//! and what it takes is lost. It is refused, and so are connections that were made before the
//! newer one was seen.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::open::OpenError;

/// The timeline in the name of a segment of the log, its first eight hexadecimal digits.
pub(super) fn of_segment(name: &str) -> Option<u32> {
    u32::from_str_radix(name.get(..8)?, 16).ok()
}

/// The newest timeline that one process saw.
#[derive(Debug, Default)]
pub(super) struct Newest(Mutex<Option<Seen>>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    timeline: u32,
    /// When it took the place of another.
    since: Option<Instant>,
}

impl Newest {
    /// Refuses a server on an older timeline, and remembers a newer one.
    pub(super) fn admit(&self, found: u32) -> Result<(), OpenError> {
        let mut seen = self.seen();
        match *seen {
            Some(Seen { timeline: newest, .. }) if found < newest => {
                Err(OpenError::LeftBehind { found, newest })
            }
            Some(Seen { timeline: newest, .. }) if found == newest => Ok(()),
            before => {
                let since = before.map(|_| Instant::now());
                *seen = Some(Seen { timeline: found, since });
                Ok(())
            }
        }
    }

    /// Whether a connection that was made at this time may lead to an older timeline.
    pub(super) fn outdates(&self, made: std::time::Instant) -> bool {
        let since = self.seen().and_then(|seen| seen.since);
        since.is_some_and(|since| made <= since.into_std())
    }

    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_names_its_timeline() {
        assert_eq!(of_segment("0000000200000000000000A7"), Some(2));
        assert_eq!(of_segment("0000001F00000000000000A7"), Some(31));
        assert_eq!(of_segment("short"), None);
    }

    #[test]
    fn a_server_on_an_older_timeline_is_refused() {
        let newest = Newest::default();
        newest.admit(2).unwrap();
        newest.admit(2).unwrap();
        newest.admit(3).unwrap();
        let refused = newest.admit(2).unwrap_err();
        assert!(matches!(refused, OpenError::LeftBehind { found: 2, newest: 3 }), "{refused}");
    }

    #[test]
    fn connections_from_before_a_takeover_are_outdated() {
        let newest = Newest::default();
        newest.admit(1).unwrap();
        let before = Instant::now().into_std();
        assert!(!newest.outdates(before));
        newest.admit(2).unwrap();
        assert!(newest.outdates(before));
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(!newest.outdates(Instant::now().into_std()));
    }
}
