//! Paying withdrawals out of the platform.

use async_trait::async_trait;

use super::PendingPayout;

/// What a rail says about a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RailAnswer {
    /// Delivered, for good.
    Delivered,
    /// Cannot be delivered, for good: the money goes back to the wallet.
    Undeliverable,
}

/// The rail's answer is not known; the payout stays pending and is asked again.
#[derive(Debug, thiserror::Error)]
#[error("the payout rail did not answer: {0}")]
pub struct RailError(pub String);

/// Carries money out of the platform, to a bank for example.
#[async_trait]
pub trait PayoutRail: Send + Sync + 'static {
    /// Pays out, or tells what became of it. Called again with the same user and reference until
    /// it answers, so the pair must be the rail's own key against paying twice.
    async fn pay_out(&self, payout: &PendingPayout) -> Result<RailAnswer, RailError>;
}

/// Delivers everything at once: for trying the platform, and for those whose wallet *is* the
/// place the money should be.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstantPayout;

#[async_trait]
impl PayoutRail for InstantPayout {
    async fn pay_out(&self, _payout: &PendingPayout) -> Result<RailAnswer, RailError> {
        Ok(RailAnswer::Delivered)
    }
}
