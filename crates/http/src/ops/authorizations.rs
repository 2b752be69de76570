//! Authorizations of providers.

use axum::{Json as Answer, extract::State};
use hongbao_app::ports::AuthorizationState;
use hongbao_domain::MerchantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Operator, OpsState, permission::AuthorizationsWrite};
use crate::{
    pocket::json::{InPath, Json, Route},
    problem::Problem,
};

/// How far it gets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuthorizationRequest {
    /// `invited`, `active`, `declined` or `revoked`.
    #[schema(value_type = String)]
    state: AuthorizationState,
}

/// A merchant lets a provider send for it, or not.
#[derive(Debug, Serialize, ToSchema)]
struct AuthorizationBody {
    /// Who sends.
    provider: String,
    /// Whose money it is.
    sub_merchant: String,
    /// `invited`, `active`, `declined` or `revoked`.
    #[schema(value_type = String)]
    state: AuthorizationState,
}

pub(super) fn routes() -> [Route<OpsState>; 1] {
    const PATH: &str = "/ops/v1/authorizations/{provider}/{sub_merchant}";
    [Route::put(PATH, "Set an authorization", set)
        .takes::<AuthorizationRequest>()
        .answers::<AuthorizationBody>(200)]
}

async fn set(
    operator: Operator<AuthorizationsWrite>,
    InPath((provider, sub_merchant)): InPath<(MerchantId, MerchantId)>,
    State(state): State<OpsState>,
    Json(request): Json<AuthorizationRequest>,
) -> Result<Answer<AuthorizationBody>, Problem> {
    let actor = operator.actor();
    let set = state.app.set_authorization(provider, sub_merchant, request.state, actor).await?;
    Ok(Answer(AuthorizationBody {
        provider: set.provider.to_string(),
        sub_merchant: set.sub_merchant.to_string(),
        state: set.state,
    }))
}
