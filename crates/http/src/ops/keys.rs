//! V2 keys.

use axum::{extract::State, http::StatusCode};
use hongbao_domain::MerchantId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Operator, OpsState, permission::KeysWrite};
use crate::{
    pocket::json::{InPath, Json, Route, Secret},
    problem::Problem,
};

/// A new V2 key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRequest {
    /// 32 letters and digits.
    #[schema(value_type = String, min_length = 32, max_length = 32)]
    key: Secret,
}

pub(super) fn routes() -> [Route<OpsState>; 1] {
    [Route::put("/ops/v1/merchants/{mch_id}/v2-key", "Replace the V2 key", replace)
        .takes::<KeyRequest>()
        .answers_nothing()]
}

async fn replace(
    operator: Operator<KeysWrite>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    Json(KeyRequest { key }): Json<KeyRequest>,
) -> Result<StatusCode, Problem> {
    state.app.set_v2_key(merchant, key.text(), operator.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}
