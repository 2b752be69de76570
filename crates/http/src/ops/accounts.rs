//! Money into, inside and out of a merchant's accounts.

use axum::{Json as Answer, extract::State};
use hongbao_domain::{
    MerchantId, Reference,
    merchant::{AccountMoved, FundingAccount, MoveToOperation, Recharge, WithdrawFromMerchant},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Operator, OpsState, permission::FundsWrite};
use crate::{
    pocket::json::{InPath, Json, Money, Route, object},
    problem::{MoneyState, Problem},
};

/// Money that came from outside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RechargeRequest {
    /// Which account gets it.
    account: AccountWord,
    /// How much.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// The number in the system that took the money: a second use has no second effect.
    #[schema(value_type = String, max_length = 64)]
    out_no: Reference,
}

/// The accounts money can come into.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Account)]
enum AccountWord {
    /// Basic account.
    Basic,
    /// Operation account.
    Operation,
}

/// Money that leaves the basic account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoveRequest {
    /// How much.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// The caller's number: a second use has no second effect.
    #[schema(value_type = String, max_length = 64)]
    out_no: Reference,
}

/// What moved.
#[derive(Debug, Serialize, ToSchema)]
struct AccountMovedBody {
    /// The number it was asked for with.
    out_no: String,
    /// The account that gave.
    from: &'static str,
    /// The account that took.
    to: &'static str,
    /// How much.
    amount: Money,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// True when an earlier call with the same number moved it.
    replayed: bool,
    /// Paid.
    money_state: MoneyState,
}

pub(super) fn routes() -> [Route<OpsState>; 3] {
    const RECHARGES: &str = "/ops/v1/merchants/{mch_id}/recharges";
    const TRANSFERS: &str = "/ops/v1/merchants/{mch_id}/operation-transfers";
    const WITHDRAWALS: &str = "/ops/v1/merchants/{mch_id}/withdrawals";
    [
        Route::post(RECHARGES, "Book money that came from outside", recharge)
            .takes::<RechargeRequest>()
            .answers::<AccountMovedBody>(200),
        Route::post(TRANSFERS, "Basic to operation account", to_operation)
            .takes::<MoveRequest>()
            .answers::<AccountMovedBody>(200),
        Route::post(WITHDRAWALS, "Basic account to outside", withdraw)
            .takes::<MoveRequest>()
            .answers::<AccountMovedBody>(200),
    ]
}

async fn recharge(
    _operator: Operator<FundsWrite>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    Json(request): Json<RechargeRequest>,
) -> Result<Answer<AccountMovedBody>, Problem> {
    let RechargeRequest { account, amount, out_no } = request;
    let account = match account {
        AccountWord::Basic => FundingAccount::Basic,
        AccountWord::Operation => FundingAccount::Operation,
    };
    let reference = out_no.clone();
    let command = Recharge { merchant, account, amount: amount.fen(), reference };
    let moved = state.app.recharge(command).await?;
    Ok(Answer(AccountMovedBody::of(&out_no, &moved)))
}

async fn to_operation(
    _operator: Operator<FundsWrite>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    Json(MoveRequest { amount, out_no }): Json<MoveRequest>,
) -> Result<Answer<AccountMovedBody>, Problem> {
    let command = MoveToOperation { merchant, amount: amount.fen(), reference: out_no.clone() };
    let moved = state.app.move_to_operation(command).await?;
    Ok(Answer(AccountMovedBody::of(&out_no, &moved)))
}

async fn withdraw(
    _operator: Operator<FundsWrite>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    Json(MoveRequest { amount, out_no }): Json<MoveRequest>,
) -> Result<Answer<AccountMovedBody>, Problem> {
    let reference = out_no.clone();
    let command = WithdrawFromMerchant { merchant, amount: amount.fen(), reference };
    let moved = state.app.withdraw_from_merchant(command).await?;
    Ok(Answer(AccountMovedBody::of(&out_no, &moved)))
}

impl AccountMovedBody {
    fn of(out_no: &Reference, moved: &AccountMoved) -> Self {
        Self {
            out_no: out_no.to_string(),
            from: moved.posted.from.kind.as_str(),
            to: moved.posted.to.kind.as_str(),
            amount: Money::of(moved.posted.amount),
            at: moved.posted.at.rfc3339(),
            replayed: moved.replayed,
            money_state: MoneyState::Paid,
        }
    }
}
