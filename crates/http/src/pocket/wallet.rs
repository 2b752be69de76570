//! The wallet and its history.

use axum::{Json as Answer, extract::State};
use hongbao_app::ports::WalletEntry;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    PocketState,
    caller::Caller,
    json::{CursorScope, Money, PageQuery, Query, Route},
};
use crate::problem::Problem;

/// Above the number of every line: stores count in signed 64 bits.
const NEWEST: u64 = i64::MAX.cast_unsigned();

/// A wallet.
#[derive(Debug, Serialize, ToSchema)]
struct WalletBody {
    /// What is in it now.
    balance: Money,
    /// How many movements the history does not show yet.
    pending_entries: u64,
    /// Frozen by the platform: nothing comes in, nothing goes out.
    frozen: bool,
}

/// One movement of a wallet.
#[derive(Debug, Serialize, ToSchema)]
struct EntryLine {
    /// 1, 2, 3, … inside the wallet.
    seq: u64,
    /// Why: `claim`, `payment`, `wallet_transfer`, `wallet_withdrawal`, `withdrawal_return`.
    kind: &'static str,
    /// What it added; below zero for what it took.
    delta: Money,
    /// The wallet after it.
    balance_after: Money,
    /// The merchant it came from or went to.
    merchant: Option<String>,
    /// The number it was asked for with.
    out_no: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// Movements, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct EntryPage {
    /// The movements.
    items: Vec<EntryLine>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

pub(super) fn routes() -> [Route<PocketState>; 2] {
    [
        Route::get("/pocket/v1/wallet", "My money", show).answers::<WalletBody>(200),
        Route::get("/pocket/v1/wallet/entries", "What moved my money, newest first", list)
            .queried_by::<PageQuery>()
            .answers::<EntryPage>(200),
    ]
}

async fn show(
    caller: Caller,
    State(state): State<PocketState>,
) -> Result<Answer<WalletBody>, Problem> {
    // The history first: a movement between the two readings is pending, never missing.
    let newest = state.app.wallet_entries(caller.user, NEWEST, 1).await?;
    let wallet = state.app.wallet(caller.user).await?;
    let shown = newest.first().map_or(0, |entry| entry.seq);
    Ok(Answer(WalletBody {
        balance: Money::of(wallet.wallet.amount),
        pending_entries: wallet.wallet.seq.saturating_sub(shown),
        frozen: wallet.frozen,
    }))
}

async fn list(
    caller: Caller,
    State(state): State<PocketState>,
    Query(query): Query<PageQuery>,
) -> Result<Answer<EntryPage>, Problem> {
    let (scope, limit) = (CursorScope::new("entries", caller.user), query.limit()?);
    let before = query.position(&scope)?.map_or(NEWEST, |[seq]| seq);
    let mut entries =
        state.app.wallet_entries(caller.user, before, limit.saturating_add(1)).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > wanted;
    entries.truncate(wanted);
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| scope.write([entry.seq]));
    Ok(Answer(EntryPage { items: entries.into_iter().map(EntryLine::of).collect(), next }))
}

impl EntryLine {
    fn of(entry: WalletEntry) -> Self {
        Self {
            seq: entry.seq,
            kind: entry.kind.as_str(),
            delta: Money::of(entry.delta),
            balance_after: Money::of(entry.balance_after),
            merchant: entry.merchant.map(|merchant| merchant.to_string()),
            out_no: entry.reference.map(Into::into),
            at: entry.at.rfc3339(),
        }
    }
}
