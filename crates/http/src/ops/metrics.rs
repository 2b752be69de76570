//! Metrics, for Prometheus and what reads its format.
//!
//! Anybody who reaches this port may ask, as for health: it is reached from inside only, and no
//! label names a merchant, a user or an order.

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use prometheus_client::encoding::prometheus_text;

use super::OpsState;
use crate::{
    pocket::json::{Anyone, Route},
    problem::{Problem, rows},
};

pub(super) fn routes() -> [Route<OpsState>; 1] {
    [Route::get("/metrics", "What the platform counts about itself", show)
        .answers_text("Metrics in the text format of Prometheus.")]
}

async fn show(_anyone: Anyone, State(state): State<OpsState>) -> Result<Response, Problem> {
    let mut text = String::new();
    // Fails when a metric cannot be written as text, which is a defect of that metric.
    prometheus_text::encode(&mut text, &state.metrics).map_err(|error| {
        tracing::error!(%error, "the metrics cannot be shown");
        Problem::new(rows::INTERNAL)
    })?;
    Ok(([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response())
}
