//! Work that nobody asks for: refunds at the end, messages, payouts, checking the books.
//!
//! Every job is a loop of small steps, each safe to repeat and to run on several servers at
//! once: what a step does is decided again under locks, or conditional on what it read. So that
//! servers do not do each other's work twice, all but the checks ask for a lease before each step;
//! every server checks the books for itself.

mod check;
mod expiry;
mod follow;
mod payouts;
mod tail;

use std::{future::Future, sync::Arc, time::Duration};

pub use check::{CheckReport, check_books};
pub use expiry::sweep_expired;
pub use follow::follow_journals;
pub use payouts::pay_out_pending;
pub use tail::TailCheck;
use tokio::sync::watch;

use crate::{
    App, AppError,
    ports::{Notifier, PayoutRail},
};

/// Packets end to the millisecond; a second more until the money is back is nothing to anybody.
const EXPIRY_PAUSE: Duration = Duration::from_secs(1);
/// How soon a message follows a send when nothing else is to do.
const FOLLOW_PAUSE: Duration = Duration::from_millis(50);
/// How soon a pending payout is asked for again.
const PAYOUT_PAUSE: Duration = Duration::from_millis(500);
/// X3: at least every 60 s incrementally, full once a day.
const CHECK_PAUSE: Duration = Duration::from_mins(1);
const FULL_CHECK_EVERY: u32 = 24 * 60;
/// I-18: heads of journals are told outside of the store at least once an hour.
const HEADS_EVERY: u32 = 60;
/// How soon a server asks again for a job that another one does.
const LEASE_PAUSE: Duration = Duration::from_secs(1);
/// After an error a job waits this long, so that a broken store is not hammered.
const ERROR_PAUSE: Duration = Duration::from_secs(2);

/// Runs every job until `stop` turns true. Returns when all have stopped.
pub async fn run(
    app: Arc<App>,
    notifier: Arc<dyn Notifier>,
    rail: Arc<dyn PayoutRail>,
    stop: watch::Receiver<bool>,
) {
    tokio::join!(
        every(&app, EXPIRY_PAUSE, "expiry", stop.clone(), || sweep_expired(&app)),
        every(&app, FOLLOW_PAUSE, "follow", stop.clone(), || {
            follow_journals(&app, notifier.as_ref())
        }),
        every(&app, PAYOUT_PAUSE, "payouts", stop.clone(), || pay_out_pending(&app, rail.as_ref())),
        check::run(&app, stop),
    );
}

/// Repeats `work` until told to stop, while this server holds the job's lease. A turn answers how
/// much it did: after some it runs again at once, after none it pauses.
async fn every<F>(
    app: &App,
    pause: Duration,
    job: &'static str,
    mut stop: watch::Receiver<bool>,
    mut work: impl FnMut() -> F,
) where
    F: Future<Output = Result<usize, AppError>>,
{
    while !*stop.borrow() {
        let done = match app.store.lease(job).await {
            Ok(true) => work().await.map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(error.into()),
        };
        let wait = match done {
            Ok(Some(0)) => pause,
            Ok(Some(_)) => continue,
            Ok(None) => LEASE_PAUSE,
            Err(error) => {
                tracing::warn!(job, %error, "a step of a job failed and will be tried again");
                // Perhaps by a server that fares better: this one's gate may be shut.
                drop(app.store.give_up_lease(job).await);
                ERROR_PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
    // A server that restarts, or another one, need not wait until the lease has run out.
    if let Err(error) = app.store.give_up_lease(job).await {
        tracing::warn!(job, %error, "a lease is not given up and runs out by itself");
    }
}
