//! Making merchants and looking at them.

use axum::{Json as Answer, extract::State, http::StatusCode};
use hongbao_app::ports::MerchantRecord;
use hongbao_domain::{MerchantId, merchant::Settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Operator, OpsState,
    permission::{MerchantRead, MerchantWrite},
};
use crate::{
    pocket::json::{CursorScope, InPath, Json, Money, PageQuery, Query, Route, Secret},
    problem::Problem,
};

/// A merchant to be made, with the original's limits and nothing opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMerchantRequest {
    /// Its number, 8 to 10 digits.
    #[schema(value_type = String, example = "10000098")]
    merchant: MerchantId,
    /// Its name, 1 to 32 characters.
    name: String,
    /// Whether its clock can be advanced. Never changes.
    #[serde(default)]
    sandbox: bool,
    /// Whether others may authorize it to send for them.
    #[serde(default)]
    provider: bool,
    /// Its V2 key, 32 letters and digits.
    #[schema(value_type = Option<String>)]
    v2_key: Option<Secret>,
}

/// A merchant.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own")]
struct MerchantBody {
    /// Its number.
    merchant: String,
    /// Its name.
    name: String,
    /// Whether its clock can be advanced.
    sandbox: bool,
    /// Whether others may authorize it to send for them.
    provider: bool,
    /// Frozen by the platform.
    frozen: bool,
    /// Whether cash red packets are opened.
    product_opened: bool,
    /// Whether a V2 key is set. The key itself is never shown.
    v2_key_set: bool,
    /// The version of its settings.
    settings_version: u64,
    /// Its money.
    balances: Balances,
}

/// The accounts of a merchant.
#[derive(Debug, Serialize, ToSchema)]
struct Balances {
    /// Basic account.
    basic: Money,
    /// Operation account; null until it is opened.
    operation: Option<Money>,
    /// Sent and not yet claimed.
    escrow: Money,
}

/// Merchants, by number.
#[derive(Debug, Serialize, ToSchema)]
struct MerchantPage {
    /// The merchants.
    items: Vec<MerchantBody>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

pub(super) fn routes() -> [Route<OpsState>; 3] {
    [
        Route::post("/ops/v1/merchants", "Make a merchant", create)
            .takes::<NewMerchantRequest>()
            .answers::<MerchantBody>(201),
        Route::get("/ops/v1/merchants", "Merchants, by number", list)
            .queried_by::<PageQuery>()
            .answers::<MerchantPage>(200),
        Route::get("/ops/v1/merchants/{mch_id}", "A merchant and its money", show)
            .answers::<MerchantBody>(200),
    ]
}

async fn create(
    operator: Operator<MerchantWrite>,
    State(state): State<OpsState>,
    Json(request): Json<NewMerchantRequest>,
) -> Result<(StatusCode, Answer<MerchantBody>), Problem> {
    let NewMerchantRequest { merchant, name, sandbox, provider, v2_key } = request;
    let settings = Settings { sandbox, provider, ..Settings::new(name) };
    let key = v2_key.as_ref().map(Secret::text);
    state.app.create_merchant(merchant, settings, key, operator.actor()).await?;
    let made = state.app.merchant(merchant).await?;
    Ok((StatusCode::CREATED, Answer(MerchantBody::of(&made))))
}

async fn list(
    _operator: Operator<MerchantRead>,
    State(state): State<OpsState>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<MerchantPage>, Problem> {
    let (scope, limit) = (CursorScope::new("merchants", "platform"), query.limit()?);
    let after = query.position(&scope)?.map_or(0, |[number]| number);
    let merchants = state.app.merchants().await?;
    let mut rest = merchants.iter().filter(|record| record.merchant.id.get() > after);
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let page: Vec<&MerchantRecord> = rest.by_ref().take(wanted).collect();
    let more = rest.next().is_some();
    let last = page.last().filter(|_| more);
    let next = last.map(|record| scope.write([record.merchant.id.get()]));
    Ok(Answer(MerchantPage { items: page.into_iter().map(MerchantBody::of).collect(), next }))
}

async fn show(
    _operator: Operator<MerchantRead>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
) -> Result<Answer<MerchantBody>, Problem> {
    Ok(Answer(MerchantBody::of(&state.app.merchant(merchant).await?)))
}

impl MerchantBody {
    fn of(record: &MerchantRecord) -> Self {
        let (settings, book) = (&record.merchant.settings, &record.merchant.book);
        let opened = settings.operation_account_opened;
        Self {
            merchant: record.merchant.id.to_string(),
            name: settings.name.clone(),
            sandbox: settings.sandbox,
            provider: settings.provider,
            frozen: settings.frozen,
            product_opened: settings.product.opened,
            v2_key_set: record.sealed_key.is_some(),
            settings_version: record.settings_version,
            balances: Balances {
                basic: Money::of(book.basic.amount),
                operation: opened.then(|| Money::of(book.operation.amount)),
                escrow: Money::of(book.escrow.amount),
            },
        }
    }
}
