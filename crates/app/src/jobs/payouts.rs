//! Payouts: withdrawals are carried out of the platform, or come back.

use std::sync::Arc;

use hongbao_domain::wallet::{PayoutKey, SettleWithdrawal};

use crate::{
    App, AppError,
    ports::{PayoutRail, PendingPayout, RailAnswer},
};

/// Payouts read at once.
const PAYOUTS_MAX: u32 = 256;

/// Asks the rail about every pending withdrawal and books what it says; answers how many were
/// booked. One that the rail cannot tell about holds up no other.
pub async fn pay_out_pending(app: &Arc<App>, rail: &dyn PayoutRail) -> Result<usize, AppError> {
    let (mut settled, mut last) = (0, None);
    loop {
        let page = app.store.pending_payouts(last.as_ref(), PAYOUTS_MAX).await?;
        let Some(end) = page.last() else { return Ok(settled) };
        last = Some(end.clone());
        for payout in page {
            settled += usize::from(pay_out(app, rail, payout).await);
        }
    }
}

/// True when the withdrawal was settled.
async fn pay_out(app: &App, rail: &dyn PayoutRail, payout: PendingPayout) -> bool {
    let delivered = match rail.pay_out(&payout).await {
        Ok(answer) => answer == RailAnswer::Delivered,
        Err(error) => {
            tracing::warn!(%error, reference = %payout.reference, "a payout stays pending");
            return false;
        }
    };
    let key = PayoutKey { user: payout.user, reference: payout.reference };
    match app.executor.submit(SettleWithdrawal { key, delivered }).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "a payout was not booked and will be asked again");
            false
        }
    }
}
