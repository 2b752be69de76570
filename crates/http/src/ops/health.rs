//! Health, for those who keep the process running and send it calls.

use axum::{Json as Answer, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::OpsState;
use crate::pocket::json::{Anyone, Route};

/// Whether calls should come here.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// True when calls should come here.
    ok: bool,
    /// Why not.
    reasons: Vec<&'static str>,
}

pub(super) fn routes() -> [Route<OpsState>; 2] {
    [
        Route::get("/healthz", "Whether the process is alive", alive).answers::<Health>(200),
        Route::get("/readyz", "Whether it can take calls", ready)
            .answers::<Health>(200)
            .answers::<Health>(503),
    ]
}

async fn alive(_anyone: Anyone) -> Answer<Health> {
    Answer(Health { ok: true, reasons: Vec::new() })
}

/// The reasons are words, not details: anybody may ask. Details are in the log.
async fn ready(_anyone: Anyone, State(state): State<OpsState>) -> (StatusCode, Answer<Health>) {
    let mut reasons = Vec::new();
    if *state.stopping.borrow() {
        reasons.push("stopping");
    }
    if let Err(error) = state.app.store().check().await {
        tracing::warn!(%error, "not ready: the store");
        reasons.push("store_unavailable");
    }
    if state.app.executor().gate().halted().is_some() {
        reasons.push("money_operations_stopped");
    }
    let ok = reasons.is_empty();
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Answer(Health { ok, reasons }))
}
