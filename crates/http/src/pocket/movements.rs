//! Money out of the wallet: to a merchant, to another user, out of the platform.

use axum::{Json as Answer, extract::State};
use hongbao_app::ports::Person;
use hongbao_domain::{
    AppId, MerchantId, OpenId, Reference,
    wallet::{PayMerchant, TransferToUser, WalletMoved, WithdrawFromWallet},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    PocketState,
    caller::{Caller, unregistered},
    json::{Json, Money, Route, object},
};
use crate::problem::{MoneyState, Problem};

/// Pay a merchant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PaymentRequest {
    /// Who gets it.
    #[schema(value_type = String, example = "10000098")]
    merchant: MerchantId,
    /// How much.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// The caller's number: a second use has no second effect.
    #[schema(value_type = String, max_length = 64)]
    out_no: Reference,
}

/// Pass money on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TransferRequest {
    /// Who gets it.
    #[serde(deserialize_with = "object")]
    to: Payee,
    /// How much.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// The caller's number: a second use has no second effect.
    #[schema(value_type = String, max_length = 64)]
    out_no: Reference,
}

/// A user, by name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Payee {
    /// The app.
    #[schema(value_type = String)]
    appid: AppId,
    /// The name in that app.
    #[schema(value_type = String)]
    openid: OpenId,
}

/// Take money out of the platform.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithdrawalRequest {
    /// How much.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// The caller's number: a second use has no second effect.
    #[schema(value_type = String, max_length = 64)]
    out_no: Reference,
}

/// What left the wallet.
#[derive(Debug, Serialize, ToSchema)]
struct Moved {
    /// The number it was asked for with.
    out_no: String,
    /// How much.
    amount: Money,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// True when an earlier call with the same number moved it.
    replayed: bool,
    /// Paid. A withdrawal is held: it has left the wallet, and what cannot be paid out comes
    /// back as a line of the history.
    money_state: MoneyState,
}

pub(super) fn routes() -> [Route<PocketState>; 3] {
    [
        Route::post("/pocket/v1/payments", "Pay a merchant", pay)
            .takes::<PaymentRequest>()
            .answers::<Moved>(200),
        Route::post("/pocket/v1/transfers", "Pass money on to another user", transfer)
            .takes::<TransferRequest>()
            .answers::<Moved>(200),
        Route::post("/pocket/v1/withdrawals", "Take money out of the platform", withdraw)
            .takes::<WithdrawalRequest>()
            .answers::<Moved>(200),
    ]
}

async fn pay(
    caller: Caller,
    State(state): State<PocketState>,
    Json(request): Json<PaymentRequest>,
) -> Result<Answer<Moved>, Problem> {
    let PaymentRequest { merchant, amount, out_no } = request;
    let reference = out_no.clone();
    let command = PayMerchant { user: caller.user, merchant, amount: amount.fen(), reference };
    let moved = state.app.pay_merchant(command).await?;
    Ok(Answer(Moved::of(&out_no, &moved, MoneyState::Paid)))
}

async fn transfer(
    caller: Caller,
    State(state): State<PocketState>,
    Json(request): Json<TransferRequest>,
) -> Result<Answer<Moved>, Problem> {
    let TransferRequest { to: Payee { appid, openid }, amount, out_no } = request;
    let payee = Person { app: appid, openid };
    let to = state.app.user_id(&payee).await.map_err(unregistered)?;
    let reference = out_no.clone();
    let command = TransferToUser { from: caller.user, to, amount: amount.fen(), reference };
    let moved = state.app.transfer_to_user(command).await?;
    Ok(Answer(Moved::of(&out_no, &moved, MoneyState::Paid)))
}

async fn withdraw(
    caller: Caller,
    State(state): State<PocketState>,
    Json(request): Json<WithdrawalRequest>,
) -> Result<Answer<Moved>, Problem> {
    let WithdrawalRequest { amount, out_no } = request;
    let reference = out_no.clone();
    let command = WithdrawFromWallet { user: caller.user, amount: amount.fen(), reference };
    let moved = state.app.withdraw(command).await?;
    Ok(Answer(Moved::of(&out_no, &moved, MoneyState::Held)))
}

impl Moved {
    fn of(out_no: &Reference, moved: &WalletMoved, money_state: MoneyState) -> Self {
        Self {
            out_no: out_no.to_string(),
            amount: Money::of(moved.posted.amount),
            at: moved.posted.at.rfc3339(),
            replayed: moved.replayed,
            money_state,
        }
    }
}
