//! Time travel of sandbox merchants.

use axum::{Json as Answer, extract::State};
use hongbao_domain::{MerchantId, merchant::AdvanceClock};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Operator, OpsState, permission::ClockAdvance};
use crate::{
    pocket::json::{InPath, Json, Route},
    problem::Problem,
};

/// How far.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    /// Seconds, forward only.
    #[schema(minimum = 1, maximum = 34_560_000)]
    seconds: i64,
}

/// Where the clock stands.
#[derive(Debug, Serialize, ToSchema)]
struct ClockBody {
    /// The merchant's time before.
    #[schema(format = DateTime)]
    before: String,
    /// The merchant's time after.
    #[schema(format = DateTime)]
    after: String,
}

pub(super) fn routes() -> [Route<OpsState>; 1] {
    const PATH: &str = "/ops/v1/merchants/{mch_id}/clock";
    [Route::post(PATH, "Set a sandbox merchant's clock forward", advance)
        .takes::<ClockRequest>()
        .answers::<ClockBody>(200)]
}

async fn advance(
    operator: Operator<ClockAdvance>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    Json(ClockRequest { seconds }): Json<ClockRequest>,
) -> Result<Answer<ClockBody>, Problem> {
    let command = AdvanceClock { merchant, seconds, actor: operator.actor() };
    let moved = state.app.advance_clock(command).await?;
    Ok(Answer(ClockBody { before: moved.before.rfc3339(), after: moved.after.rfc3339() }))
}
