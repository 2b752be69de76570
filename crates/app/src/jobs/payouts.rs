//! Payouts: withdrawals are carried out of the platform, or come back.

use std::sync::Arc;

use hongbao_domain::wallet::{PayoutKey, SettleWithdrawal};

use crate::{
    App, AppError,
    ports::{PayoutRail, RailAnswer},
};

/// Payouts asked for in one step.
const PAYOUTS_MAX: u32 = 256;

/// Asks the rail about pending withdrawals and books what it says; answers how many were booked.
pub async fn pay_out_pending(app: &Arc<App>, rail: &dyn PayoutRail) -> Result<usize, AppError> {
    let mut settled = 0;
    for payout in app.store.pending_payouts(PAYOUTS_MAX).await? {
        let delivered = match rail.pay_out(&payout).await {
            Ok(answer) => answer == RailAnswer::Delivered,
            Err(error) => {
                tracing::warn!(%error, reference = %payout.reference, "a payout stays pending");
                continue;
            }
        };
        let key = PayoutKey { user: payout.user, reference: payout.reference };
        match app.executor.submit(SettleWithdrawal { key, delivered }).await {
            Ok(_) => settled += 1,
            Err(error) => tracing::warn!(%error, "a payout was not booked and will be asked again"),
        }
    }
    Ok(settled)
}
