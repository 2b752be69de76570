//! Jobs: which steps failed, and what waits for them.

use hongbao_domain::Timestamp;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::ports::Prepared;

/// What jobs count. Levels are sampled by a job of their own, never by who asks for them.
#[derive(Debug, Default)]
pub struct JobMetrics {
    failed: Family<Job, Counter>,
    expiring_soon: Gauge,
    overdue_seconds: Gauge,
    rows_unfollowed: Gauge,
    payouts_pending: Gauge,
    oldest_payout_seconds: Gauge,
    sampled_at_seconds: Gauge,
    prepared: Gauge,
    oldest_prepared_seconds: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    /// Not `job`: that label is Prometheus's own, for what it scrapes.
    name: &'static str,
}

/// What waits, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Open packets that end within the next hour.
    pub expiring_soon: u32,
    /// For how many seconds the oldest due packet has waited for its refund; zero when none is due.
    pub overdue_seconds: u64,
    /// Journal rows that were not followed yet.
    pub rows_unfollowed: u64,
    /// Withdrawals that are not confirmed.
    pub payouts_pending: usize,
    /// For how many seconds the oldest of them has waited.
    pub oldest_payout_seconds: u64,
}

impl JobMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hongbao_job_failures",
            "Steps of jobs that failed and are tried again",
            self.failed.clone(),
        );
        let gauges = [
            (
                "hongbao_packets_expiring_soon",
                "Open packets that end within the next hour; of very many, at least so many",
                &self.expiring_soon,
            ),
            (
                "hongbao_refund_overdue_seconds",
                "Age of the oldest packet that has ended and was not refunded; 0 when none is due",
                &self.overdue_seconds,
            ),
            (
                "hongbao_journal_rows_unfollowed",
                "Journal rows whose messages and histories are not made yet",
                &self.rows_unfollowed,
            ),
            (
                "hongbao_payouts_pending",
                "Withdrawals that are not confirmed; of very many, at least so many",
                &self.payouts_pending,
            ),
            (
                "hongbao_payout_oldest_seconds",
                "Age of the oldest withdrawal that is not confirmed; 0 when there is none",
                &self.oldest_payout_seconds,
            ),
            (
                "hongbao_sample_timestamp_seconds",
                "When the levels above were read last",
                &self.sampled_at_seconds,
            ),
            (
                "hongbao_store_prepared_transactions",
                "Transactions prepared on the machines of the store and not decided there",
                &self.prepared,
            ),
            (
                "hongbao_store_prepared_oldest_seconds",
                "Age of the oldest prepared transaction of the store; 0 when there is none",
                &self.oldest_prepared_seconds,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
    }

    /// Makes the counter of `job`, so that its first failure is a step from zero.
    pub(crate) fn started(&self, job: &'static str) {
        drop(self.failed.get_or_create(&Job { name: job }));
    }

    /// A step of `job` failed.
    pub(crate) fn failed(&self, job: &'static str) {
        self.failed.get_or_create(&Job { name: job }).inc();
    }

    /// What the store's machines have prepared.
    pub(crate) fn prepared(&self, prepared: Prepared) {
        self.prepared.set(super::level(prepared.count));
        self.oldest_prepared_seconds.set(super::level(prepared.oldest_seconds));
    }

    /// What waits, as read at `at`.
    pub(crate) fn sampled(&self, backlog: Backlog, at: Timestamp) {
        self.expiring_soon.set(backlog.expiring_soon.into());
        self.overdue_seconds.set(super::level(backlog.overdue_seconds));
        self.rows_unfollowed.set(super::level(backlog.rows_unfollowed));
        self.payouts_pending.set(super::level(backlog.payouts_pending));
        self.oldest_payout_seconds.set(super::level(backlog.oldest_payout_seconds));
        self.sampled_at_seconds.set(at.millis().div_euclid(1_000));
    }
}
