//! What people and machines see of a running platform: metrics and traces.
//!
//! Metrics are always there; traces are made only where a collector is named. Logs are in
//! [`crate::logging`].

mod process;
mod requests;
pub mod traces;

use std::sync::Arc;

use hongbao_app::metrics::Metrics;
use prometheus_client::registry::Registry;

use crate::logging::LostLines;

pub use requests::{Face, RequestMetrics, watched};

/// Everything that is shown at `/metrics`, and what requests are counted on.
pub fn registry(app: &Metrics, lost: Option<LostLines>) -> (Arc<Registry>, RequestMetrics) {
    let mut registry = Registry::default();
    app.register(&mut registry);
    let requests = RequestMetrics::default();
    requests.register(&mut registry);
    process::register(&mut registry, lost);
    (Arc::new(registry), requests)
}
