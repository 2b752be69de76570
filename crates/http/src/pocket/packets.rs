//! Looking at a packet, opening it, passing it on.

use axum::{Json as Answer, extract::State};
use hongbao_app::{
    App, AppError,
    executor::Failure,
    packets::{PacketView, Standing},
};
use hongbao_domain::{PacketCode, Refusal, Timestamp, UserId, packet::Claimed};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    PocketState,
    caller::Caller,
    json::{InPath, Money, NoBody, Route},
    page::{PacketPage, ShareLink},
};
use crate::problem::{MoneyState, Problem, rows};

const DAY_SECONDS: i64 = 86_400;
/// Days are days of Beijing (DEF2).
const BEIJING_SECONDS: i64 = 8 * 3_600;

/// What was in the packet.
#[derive(Debug, Serialize, ToSchema)]
struct Opened {
    /// How much is in the wallet now.
    amount: Money,
    /// The how manieth claim, from 1.
    share_no: u32,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// True when an earlier call had opened it.
    replayed: bool,
    /// Paid.
    money_state: MoneyState,
}

pub(super) fn routes() -> [Route<PocketState>; 3] {
    [
        Route::get("/pocket/v1/packets/{code}", "The page of a packet", show)
            .answers::<PacketPage>(200),
        Route::post("/pocket/v1/packets/{code}/open", "Open a packet; again tells the same", open)
            .answers::<Opened>(200),
        Route::post("/pocket/v1/packets/{code}/share", "Where to pass a group packet on", share)
            .answers::<ShareLink>(200),
    ]
}

async fn show(
    caller: Caller,
    InPath(code): InPath<String>,
    State(state): State<PocketState>,
) -> Result<Answer<PacketPage>, Problem> {
    let code = parse(&code)?;
    let view = view(&state.app, code, caller.user).await?;
    Ok(Answer(PacketPage::of(view, code, caller.user)))
}

async fn open(
    caller: Caller,
    InPath(code): InPath<String>,
    State(state): State<PocketState>,
    NoBody: NoBody,
) -> Result<Answer<Opened>, Problem> {
    let code = parse(&code)?;
    let Claimed { amount, share_no, at, replayed } =
        match state.app.open_packet(code, caller.user).await {
            Ok(claimed) => claimed,
            Err(error) => return Err(not_opened(&state.app, code, error).await),
        };
    Ok(Answer(Opened {
        amount: Money::of(amount),
        share_no,
        at: at.rfc3339(),
        replayed,
        money_state: MoneyState::Paid,
    }))
}

async fn share(
    caller: Caller,
    InPath(code): InPath<String>,
    State(state): State<PocketState>,
    NoBody: NoBody,
) -> Result<Answer<ShareLink>, Problem> {
    let view = view(&state.app, parse(&code)?, caller.user).await?;
    let code = view.share_code.ok_or_else(|| Problem::new(rows::NO_SHARE))?;
    Ok(Answer(ShareLink::of(code)))
}

/// A text that is no code is the code of no packet.
fn parse(code: &str) -> Result<PacketCode, Problem> {
    code.parse().map_err(|_not_a_code| Refusal::PacketUnknown.into())
}

/// The packet as `user` sees it; one that is somebody else's looks like none (L-1).
async fn view(app: &App, code: PacketCode, user: UserId) -> Result<PacketView, Problem> {
    match app.view_packet(code, user).await {
        Ok(view) if view.standing == Standing::NotTheReceiver => Err(Refusal::PacketUnknown.into()),
        Ok(view) => Ok(view),
        Err(AppError::NotFound { what: _ }) => Err(Refusal::PacketUnknown.into()),
        Err(error) => Err(error.into()),
    }
}

/// Why a packet was not opened: somebody else's looks like none, and a limit of the day says
/// when the next day begins.
async fn not_opened(app: &App, code: PacketCode, error: AppError) -> Problem {
    match error {
        AppError::Command(Failure::Refused(Refusal::NotTheReceiver)) => {
            Refusal::PacketUnknown.into()
        }
        AppError::Command(Failure::Refused(
            limit @ (Refusal::UserDayCount { .. } | Refusal::UserDayAmount { .. }),
        )) => {
            let problem = Problem::from(limit);
            match next_day(app, code).await {
                Some(at) => problem.wait_until(at),
                None => problem,
            }
        }
        error => error.into(),
    }
}

/// When the packet's merchant begins its next day. For a sandbox merchant that is by its own
/// clock, by which its limits count.
async fn next_day(app: &App, code: PacketCode) -> Option<Timestamp> {
    let merchant = app.merchant(code.key().merchant).await.ok()?.merchant;
    let today = merchant.time(app.store().now().await.ok()?).day().number();
    let midnight = today.saturating_add(1).saturating_mul(DAY_SECONDS);
    Some(Timestamp::EPOCH.plus_seconds(midnight.saturating_sub(BEIJING_SECONDS)))
}
