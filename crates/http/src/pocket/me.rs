//! The user: registering, and what is known of them.

use axum::{Json as Answer, extract::State};
use hongbao_app::{
    AppError,
    ports::{NewUser, UserRecord},
};
use hongbao_domain::message::Following;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    PocketState,
    caller::{Caller, Guest},
    json::{Json, Rfc3339, Route},
};
use crate::{pocket::caller::unregistered, problem::Problem};

/// What a user says of themselves. Names come from the token and nowhere else.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeRequest {
    /// What others may see, at most 32 characters.
    display_name: String,
    /// Since when they follow the app's official account; left out when they don't.
    #[schema(value_type = Option<String>, format = DateTime)]
    follows_since: Option<Rfc3339>,
    /// Whether they take its messages.
    accepts_messages: bool,
}

/// The user.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The app of the token.
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
}

pub(super) fn routes() -> [Route<PocketState>; 2] {
    [
        Route::get("/pocket/v1/me", "Who I am", show).answers::<Me>(200),
        Route::put("/pocket/v1/me", "Register, or bring what is known of me up to date", register)
            .takes::<MeRequest>()
            .answers::<Me>(200),
    ]
}

async fn show(caller: Caller, State(state): State<PocketState>) -> Result<Answer<Me>, Problem> {
    let record = state.app.user(&caller.holder.person).await.map_err(unregistered)?;
    Ok(Answer(Me::of(record)))
}

async fn register(
    Guest(holder): Guest,
    State(state): State<PocketState>,
    Json(request): Json<MeRequest>,
) -> Result<Answer<Me>, Problem> {
    // What the host thinks of an account is not the user's to say.
    let standing = match state.app.user(&holder.person).await {
        Ok(known) => known.standing,
        Err(AppError::NotFound { what: _ }) => hongbao_domain::risk::Standing::default(),
        Err(error) => return Err(error.into()),
    };
    let new = NewUser {
        person: holder.person.clone(),
        subject: holder.subject.clone(),
        display_name: request.display_name,
        following: Following {
            since: request.follows_since.map(|Rfc3339(since)| since),
            accepts_messages: request.accepts_messages,
        },
        standing,
    };
    Ok(Answer(Me::of(state.app.register_user(new).await?)))
}

impl Me {
    fn of(record: UserRecord) -> Self {
        Self {
            appid: record.person.app.into(),
            openid: record.person.openid.into(),
            display_name: record.display_name,
            follows_since: record.following.since.map(hongbao_domain::Timestamp::rfc3339),
            accepts_messages: record.following.accepts_messages,
        }
    }
}
