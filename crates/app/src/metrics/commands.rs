//! Commands: how many wait, in what batches they go, how they end.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use super::lanes::{LaneFamilies, LaneMetrics};
use crate::executor::Failure;

/// What the executor counts.
#[derive(Debug)]
pub struct CommandMetrics {
    waiting: Gauge,
    batch_size: Histogram,
    lanes: LaneFamilies,
    transact: Histogram,
    answered: Family<Answered, Counter>,
    refused: Family<Refused, Counter>,
    failed: Family<Failed, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    command: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    command: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    failure: &'static str,
}

impl Default for CommandMetrics {
    fn default() -> Self {
        let failed = Family::<Failed, Counter>::default();
        // There from the start, so that an alert sees the first one as a step and not as a birth.
        for failure in Failure::NAMES {
            drop(failed.get_or_create(&Failed { failure }));
        }
        Self {
            waiting: Gauge::default(),
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 15)),
            lanes: LaneFamilies::default(),
            transact: super::seconds(),
            answered: Family::default(),
            refused: Family::default(),
            failed,
        }
    }
}

impl CommandMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hongbao_executor_queue_depth",
            "Commands that wait for a batch",
            self.waiting.clone(),
        );
        registry.register(
            "hongbao_executor_batch_commands",
            "Commands of one batch",
            self.batch_size.clone(),
        );
        self.lanes.register(registry);
        registry.register(
            "hongbao_executor_transact_seconds",
            "Time to load, decide and durably commit one batch",
            self.transact.clone(),
        );
        registry.register(
            "hongbao_commands",
            "Commands answered, by outcome: done, refused or failed",
            self.answered.clone(),
        );
        registry.register(
            "hongbao_refusals",
            "Commands refused for a business reason",
            self.refused.clone(),
        );
        registry.register(
            "hongbao_command_failures",
            "Commands without an outcome",
            self.failed.clone(),
        );
    }

    /// Where the bounds of the lane of this number are shown.
    pub(crate) fn lane(&self, number: usize) -> LaneMetrics {
        self.lanes.lane(number)
    }

    /// A command was put into the queue.
    pub(crate) fn queued(&self) {
        self.waiting.inc();
    }

    /// There was no room for it.
    pub(crate) fn not_queued(&self) {
        self.waiting.dec();
    }

    /// `count` commands were taken out of it as one batch.
    pub(crate) fn taken(&self, count: usize) {
        self.waiting.dec_by(super::level(count));
        self.batch_size.observe(u32::try_from(count).unwrap_or(u32::MAX).into());
    }

    /// A batch was loaded, decided and committed, or was lost, after `took`.
    pub(crate) fn transacted(&self, took: Duration) {
        self.transact.observe(took.as_secs_f64());
    }

    /// A command called `command` has its answer.
    pub(crate) fn answered<T>(&self, command: &'static str, answer: &Result<T, Failure>) {
        let outcome = match answer {
            Ok(_) => "done",
            Err(Failure::Refused(refusal)) => {
                let reason = refusal.name();
                self.refused.get_or_create(&Refused { command, reason }).inc();
                "refused"
            }
            Err(failure) => {
                self.failed.get_or_create(&Failed { failure: failure.name() }).inc();
                "failed"
            }
        };
        self.answered.get_or_create(&Answered { command, outcome }).inc();
    }
}
