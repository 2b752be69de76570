//! Users and their wallets.

use axum::{Json as Answer, extract::State, http::StatusCode};
use hongbao_app::ports::{NewUser, Person};
use hongbao_domain::{AppId, OpenId, message::Following, risk::Standing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Operator, OpsState,
    permission::{UsersWrite, WalletsFreeze},
};
use crate::{
    pocket::json::{InPath, Json, Rfc3339, Route},
    problem::Problem,
};

/// A person to be registered or brought up to date.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserRequest {
    /// The app.
    #[schema(value_type = String)]
    appid: AppId,
    /// The name in that app.
    #[schema(value_type = String)]
    openid: OpenId,
    /// The host app's own name for the human: the same under two apps is one user.
    subject: String,
    /// What others may see, at most 32 characters.
    display_name: String,
    /// Since when they follow the app's official account; left out when they don't.
    #[schema(value_type = Option<String>, format = DateTime)]
    follows_since: Option<Rfc3339>,
    /// Whether they take its messages.
    accepts_messages: bool,
    /// `normal`, `throw_away`, `zombie` or `bot`.
    #[schema(value_type = String)]
    standing: Standing,
}

/// A registered person.
#[derive(Debug, Serialize, ToSchema)]
struct UserBody {
    /// The app.
    appid: String,
    /// The name in that app.
    openid: String,
    /// What others may see.
    display_name: String,
    /// Since when they follow the app's official account.
    #[schema(format = DateTime)]
    follows_since: Option<String>,
    /// Whether they take its messages.
    accepts_messages: bool,
    /// `normal`, `throw_away`, `zombie` or `bot`.
    #[schema(value_type = String)]
    standing: Standing,
}

/// Whether a wallet is frozen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FreezeRequest {
    /// True: nothing comes in, nothing goes out.
    frozen: bool,
}

pub(super) fn routes() -> [Route<OpsState>; 2] {
    [
        Route::put("/ops/v1/users", "Register a person, or bring one up to date", register)
            .takes::<UserRequest>()
            .answers::<UserBody>(200),
        Route::put("/ops/v1/users/{appid}/{openid}/wallet/frozen", "Freeze or thaw", freeze)
            .takes::<FreezeRequest>()
            .answers_nothing(),
    ]
}

async fn register(
    _operator: Operator<UsersWrite>,
    State(state): State<OpsState>,
    Json(request): Json<UserRequest>,
) -> Result<Answer<UserBody>, Problem> {
    let following = Following {
        since: request.follows_since.map(|Rfc3339(since)| since),
        accepts_messages: request.accepts_messages,
    };
    let new = NewUser {
        person: Person { app: request.appid, openid: request.openid },
        subject: request.subject,
        display_name: request.display_name,
        following,
        standing: request.standing,
    };
    let record = state.app.register_user(new).await?;
    Ok(Answer(UserBody {
        appid: record.person.app.into(),
        openid: record.person.openid.into(),
        display_name: record.display_name,
        follows_since: record.following.since.map(hongbao_domain::Timestamp::rfc3339),
        accepts_messages: record.following.accepts_messages,
        standing: record.standing,
    }))
}

async fn freeze(
    operator: Operator<WalletsFreeze>,
    InPath((app, openid)): InPath<(AppId, OpenId)>,
    State(state): State<OpsState>,
    Json(FreezeRequest { frozen }): Json<FreezeRequest>,
) -> Result<StatusCode, Problem> {
    let user = state.app.user_id(&Person { app, openid }).await?;
    state.app.set_wallet_frozen(user, frozen, operator.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}
