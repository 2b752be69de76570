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
mod sample;
mod tail;

use std::{future::Future, sync::Arc, time::Duration};

pub use check::{CheckReport, check_books};
pub use expiry::sweep_expired;
pub use follow::follow_journals;
pub use payouts::pay_out_pending;
pub use sample::sample_backlog;
pub use tail::TailCheck;
use tokio::sync::watch;

use crate::{
    App, AppError,
    ports::{Notifier, PayoutRail, StoreError},
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
/// How often what waits is counted: as often as it is usually asked for.
const SAMPLE_PAUSE: Duration = Duration::from_secs(15);
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
    let every = |pause, job| Rhythm { pause, job, app: &app, leased: false, stop: stop.clone() };
    tokio::join!(
        every(EXPIRY_PAUSE, "expiry").by_one_server().run(|| sweep_expired(&app)),
        every(FOLLOW_PAUSE, "follow")
            .by_one_server()
            .run(|| follow_journals(&app, notifier.as_ref())),
        every(PAYOUT_PAUSE, "payouts").by_one_server().run(|| pay_out_pending(&app, rail.as_ref())),
        every(SAMPLE_PAUSE, "sample").run(|| sample_backlog(&app)),
        check::run(&app, stop.clone()),
    );
}

/// How a job is repeated.
struct Rhythm<'a> {
    pause: Duration,
    job: &'static str,
    app: &'a App,
    /// Only while this server holds the job's lease.
    leased: bool,
    stop: watch::Receiver<bool>,
}

impl Rhythm<'_> {
    /// One server at a time is enough.
    fn by_one_server(self) -> Self {
        Self { leased: true, ..self }
    }

    /// Repeats `work` until told to stop. A turn answers how much it did: after some it runs
    /// again at once, after none it pauses.
    async fn run<F>(mut self, mut work: impl FnMut() -> F)
    where
        F: Future<Output = Result<usize, AppError>>,
    {
        let (job, metrics) = (self.job, &self.app.metrics().jobs);
        metrics.started(job);
        while !*self.stop.borrow() {
            let done = match self.may_run().await {
                Ok(true) => work().await.map(Some),
                Ok(false) => Ok(None),
                Err(error) => Err(error.into()),
            };
            let wait = match done {
                Ok(Some(0)) => self.pause,
                Ok(Some(_)) => continue,
                Ok(None) => LEASE_PAUSE,
                Err(error) => {
                    metrics.failed(job);
                    tracing::warn!(job, %error, "a step of a job failed and will be tried again");
                    // Perhaps by a server that fares better: this one's gate may be shut.
                    self.give_up_lease().await;
                    ERROR_PAUSE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = self.stop.changed() => if changed.is_err() { break },
            }
        }
        // A server that restarts, or another one, need not wait until the lease has run out.
        self.give_up_lease().await;
    }

    async fn may_run(&self) -> Result<bool, StoreError> {
        if self.leased { self.app.store.lease(self.job).await } else { Ok(true) }
    }

    async fn give_up_lease(&self) {
        if self.leased
            && let Err(error) = self.app.store.give_up_lease(self.job).await
        {
            let job = self.job;
            tracing::warn!(job, %error, "a lease is not given up and runs out by itself");
        }
    }
}
