//! Settings of a merchant, changed as a whole and against the version that was read.

mod schema;

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};
use hongbao_app::{AppError, ports::StoreError};
use hongbao_domain::{MerchantId, merchant::Settings};

use self::schema::SettingsSchema;
use super::{
    Operator, OpsState,
    permission::{MerchantRead, MerchantWrite},
};
use crate::{
    pocket::json::{InPath, Json, Route},
    problem::{Problem, rows},
};

type Versioned = ([(HeaderName, HeaderValue); 1], Answer<Settings>);

pub(super) fn routes() -> [Route<OpsState>; 2] {
    const PATH: &str = "/ops/v1/merchants/{mch_id}/settings";
    [
        Route::get(PATH, "Settings, with their version as ETag", show)
            .answers::<SettingsSchema>(200),
        Route::put(PATH, "Replace the settings that were read", replace)
            .with_header("If-Match", "The ETag of the settings that were read")
            .takes::<SettingsSchema>()
            .answers::<SettingsSchema>(200),
    ]
}

async fn show(
    _operator: Operator<MerchantRead>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
) -> Result<Versioned, Problem> {
    current(&state, merchant).await
}

async fn replace(
    operator: Operator<MerchantWrite>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    headers: HeaderMap,
    Json(settings): Json<Settings>,
) -> Result<Versioned, Problem> {
    let expected = version_read(&headers)?;
    match state.app.update_settings(merchant, expected, settings, operator.actor()).await {
        Ok(()) => current(&state, merchant).await,
        Err(AppError::Store(StoreError::Conflict { what: _ })) => {
            Err(Problem::new(rows::VERSION_CHANGED))
        }
        Err(error) => Err(error.into()),
    }
}

async fn current(state: &OpsState, merchant: MerchantId) -> Result<Versioned, Problem> {
    let record = state.app.merchant(merchant).await?;
    let tag = HeaderValue::try_from(format!("\"{}\"", record.settings_version))
        .map_err(|_never| Problem::new(rows::INTERNAL))?;
    Ok(([(header::ETAG, tag)], Answer(Settings::clone(&record.merchant.settings))))
}

/// The version in `If-Match: "7"`. `*` is no version: it would overwrite what nobody read.
fn version_read(headers: &HeaderMap) -> Result<u64, Problem> {
    let given = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let given = given.ok_or_else(|| Problem::new(rows::VERSION_REQUIRED))?.trim();
    let number = given.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| Problem::new(rows::VERSION_CHANGED))
}
