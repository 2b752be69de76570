//! The books: whether they add up, and when that was looked at.

use hongbao_domain::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

/// What the self-check tells.
#[derive(Debug)]
pub struct BookMetrics {
    ok: Gauge,
    unexplained_fen: Gauge,
    broken: Gauge,
    checked_at: Family<Check, Gauge>,
    stopped: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    check: &'static str,
}

impl Default for BookMetrics {
    fn default() -> Self {
        // Well until something is found: an alert on zero must not fire at every start.
        let ok = Gauge::default();
        ok.set(1);
        Self {
            ok,
            unexplained_fen: Gauge::default(),
            broken: Gauge::default(),
            checked_at: Family::default(),
            stopped: Gauge::default(),
        }
    }
}

impl BookMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let gauges = [
            ("hongbao_books_ok", "1 while no check found anything wrong, else 0", &self.ok),
            (
                "hongbao_books_unexplained_fen",
                "Fen that all accounts add up to by the last full check; must be 0",
                &self.unexplained_fen,
            ),
            (
                "hongbao_books_broken_invariants",
                "Invariants that the last full check found broken; must be 0",
                &self.broken,
            ),
            (
                "hongbao_money_stopped",
                "1 while money operations are stopped, else 0",
                &self.stopped,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "hongbao_books_checked_timestamp_seconds",
            "When a check was last completed: tail every minute, full once a day",
            self.checked_at.clone(),
        );
    }

    /// The check of every minute was completed at `at`, and found the books well or not.
    pub(crate) fn tail_checked(&self, well: bool, at: Timestamp) {
        self.checked("tail", well, at);
    }

    /// A full check was completed at `at`: what all accounts add up to, and how many invariants
    /// are broken; `well` when neither they nor the store's own structure are.
    pub(crate) fn fully_checked(
        &self,
        unexplained_fen: i128,
        broken: usize,
        well: bool,
        at: Timestamp,
    ) {
        // A sum beyond the gauge is as wrong as one at its end.
        let end = if unexplained_fen < 0 { i64::MIN } else { i64::MAX };
        self.unexplained_fen.set(i64::try_from(unexplained_fen).unwrap_or(end));
        self.broken.set(super::level(broken));
        self.checked("full", well, at);
    }

    /// The store turned out to be damaged.
    pub(crate) fn damaged(&self) {
        self.ok.set(0);
    }

    /// Whether money operations are stopped.
    pub(crate) fn stopped(&self, stopped: bool) {
        self.stopped.set(stopped.into());
    }

    /// What was wrong once stays so until a person has looked and restarts.
    fn checked(&self, check: &'static str, well: bool, at: Timestamp) {
        if !well {
            self.ok.set(0);
        }
        self.checked_at.get_or_create(&Check { check }).set(at.millis().div_euclid(1_000));
    }
}
