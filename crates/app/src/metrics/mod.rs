//! What the platform counts about itself, for those who watch it.
//!
//! Metrics are values that the parts own and count on, not globals; who serves them registers
//! them, see [`Metrics::register`]. Labels have few values, all known beforehand: names of
//! commands, outcomes, refusals, jobs. No merchant, user or order is ever one. `docs/OPERATIONS.md`
//! says of each metric what it means and what to do when it moves.

mod books;
mod commands;
mod jobs;
mod lanes;

use std::sync::Arc;

use prometheus_client::{
    metrics::histogram::{Histogram, exponential_buckets},
    registry::Registry,
};

pub use books::BookMetrics;
pub use commands::CommandMetrics;
pub use jobs::{Backlog, JobMetrics};
pub use lanes::LaneMetrics;

/// Everything that use cases, executor and jobs count. Clones count on the same values.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Commands: queue, batches, outcomes.
    pub commands: Arc<CommandMetrics>,
    /// What jobs did and what waits for them.
    pub jobs: Arc<JobMetrics>,
    /// What the checks of the books found.
    pub books: Arc<BookMetrics>,
}

impl Metrics {
    /// Makes all of them part of what `registry` shows.
    pub fn register(&self, registry: &mut Registry) {
        self.commands.register(registry);
        self.jobs.register(registry);
        self.books.register(registry);
    }
}

/// From half a millisecond to sixteen seconds, each bucket twice the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
}

/// A count as a gauge takes it.
fn level(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
