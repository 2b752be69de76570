//! What waits, counted for those who watch: by a job, so that asking for metrics costs the store
//! nothing however often it is done.

use std::sync::Arc;

use hongbao_domain::Timestamp;

use crate::{
    App, AppError,
    metrics::Backlog,
    ports::{Store, StoreError},
};

/// "Soon" is an hour: long enough for a person to do something.
const SOON_SECONDS: i64 = 3_600;
/// Packets looked at to count those: some fifty milliseconds of one reader.
const LOOK_AT_MAX: u32 = 50_000;
/// Cursors or payouts read at once.
const PAGE: u32 = 256;
/// Payouts counted at most.
const PAYOUTS_MAX: usize = 10_000;

/// Counts what waits; answers nothing done, for the next time is a pause away.
pub async fn sample_backlog(app: &Arc<App>) -> Result<usize, AppError> {
    let store = app.store.as_ref();
    // First: a machine that is away fails the rest, and leaves what others have prepared for it.
    app.metrics.jobs.prepared(store.prepared().await?);
    let now = store.now().await?;
    let (payouts_pending, oldest_payout_seconds) = payouts(store, now).await?;
    let backlog = Backlog {
        expiring_soon: store.expiring(now, SOON_SECONDS, LOOK_AT_MAX).await?,
        overdue_seconds: overdue(store, now).await?,
        rows_unfollowed: unfollowed(store).await?,
        payouts_pending,
        oldest_payout_seconds,
    };
    app.metrics.jobs.sampled(backlog, now);
    app.metrics.books.stopped(app.executor.gate().halted().is_some());
    Ok(0)
}

/// How long the packet that ended first has waited, by its merchant's time.
async fn overdue(store: &dyn Store, now: Timestamp) -> Result<u64, StoreError> {
    let scan = store.due_packets(now, 1).await?;
    let Some(oldest) = scan.packets.first() else {
        return Ok(0);
    };
    let time = scan.times.iter().find(|(merchant, _)| *merchant == oldest.packet.merchant);
    Ok(time.map_or(0, |(_, time)| seconds_between(oldest.expire_at, *time)))
}

async fn unfollowed(store: &dyn Store) -> Result<u64, StoreError> {
    let (mut rows, mut last) = (0_u64, None);
    loop {
        let cursors = store.unfollowed(last, PAGE).await?;
        let Some(end) = cursors.last() else {
            return Ok(rows);
        };
        last = Some(end.merchant);
        for cursor in cursors {
            rows = rows.saturating_add(cursor.head.saturating_sub(cursor.followed));
        }
    }
}

/// How many there are, and for how many seconds the oldest has waited.
async fn payouts(store: &dyn Store, now: Timestamp) -> Result<(usize, u64), StoreError> {
    let (mut count, mut oldest_seconds, mut last) = (0_usize, 0, None);
    while count < PAYOUTS_MAX {
        let page = store.pending_payouts(last.as_ref(), PAGE).await?;
        let (Some(first), Some(end)) = (page.first(), page.last()) else {
            break;
        };
        if last.is_none() {
            oldest_seconds = seconds_between(first.at, now);
        }
        last = Some(end.clone());
        count = count.saturating_add(page.len());
    }
    Ok((count, oldest_seconds))
}

/// Zero where `from` is later, as after a clock was set back.
fn seconds_between(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.millis().saturating_sub(from.millis())).unwrap_or(0) / 1_000
}
