//! Refunds: what nobody claimed goes back, oldest first, in batches.

use std::sync::Arc;

use hongbao_domain::packet::RefundPacket;
use tokio::task::JoinSet;

use crate::{App, AppError, executor::Failure};

/// Refunds asked for at once. Few enough for the places that one merchant has on the slowest lane,
/// with as many left for its claims and sends.
const REFUNDS_MAX: u32 = 256;

/// Settles packets that have ended; answers how many were looked at.
///
/// Which packets are due is only a hint: each refund is decided again under locks, so a claim in
/// the last moment or another server's sweep cannot make it happen twice.
pub async fn sweep_expired(app: &Arc<App>) -> Result<usize, AppError> {
    let scan = app.store.due_packets(app.store.now().await?, REFUNDS_MAX).await?;
    if scan.packets.is_empty() {
        app.store.settled_through(&scan.times).await?;
        return Ok(0);
    }
    let mut refunds = JoinSet::new();
    for due in &scan.packets {
        let (executor, packet) = (app.executor.clone(), due.packet);
        refunds.spawn(async move { executor.submit(RefundPacket { packet }).await });
    }
    let mut failed = None;
    while let Some(refunded) = refunds.join_next().await {
        match refunded {
            Ok(Ok(_)) => {}
            // Refused: somebody else settled it or its clock says otherwise; the next scan knows.
            Ok(Err(Failure::Refused(refusal))) => {
                tracing::warn!(?refusal, "a due packet was not refunded");
            }
            Ok(Err(failure)) => failed = Some(failure),
            Err(_panicked) => failed = Some(Failure::Unknown),
        }
    }
    match failed {
        Some(failure) => Err(failure.into()),
        None => Ok(scan.packets.len()),
    }
}
