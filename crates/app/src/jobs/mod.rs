//! Work that nobody asks for: refunds at the end, messages, payouts, checking the books.
//!
//! Every job is a loop of small steps, each safe to repeat and to run on several servers at
//! once: what a step does is decided again under locks, or conditional on what it read.

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
    metrics::JobMetrics,
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
/// How often what waits is counted: as often as it is usually asked for.
const SAMPLE_PAUSE: Duration = Duration::from_secs(15);
/// After an error a job waits this long, so that a broken store is not hammered.
const ERROR_PAUSE: Duration = Duration::from_secs(2);

/// Runs every job until `stop` turns true. Returns when all have stopped.
pub async fn run(
    app: Arc<App>,
    notifier: Arc<dyn Notifier>,
    rail: Arc<dyn PayoutRail>,
    stop: watch::Receiver<bool>,
) {
    let metrics = app.metrics().jobs.as_ref();
    let every = |pause, job| Rhythm { pause, job, metrics, stop: stop.clone() };
    tokio::join!(
        every(EXPIRY_PAUSE, "expiry").run(|| sweep_expired(&app)),
        every(FOLLOW_PAUSE, "follow").run(|| follow_journals(&app, notifier.as_ref())),
        every(PAYOUT_PAUSE, "payouts").run(|| pay_out_pending(&app, rail.as_ref())),
        every(SAMPLE_PAUSE, "sample").run(|| sample_backlog(&app)),
        check::run(&app, stop.clone()),
    );
}

/// How a job is repeated.
struct Rhythm<'m> {
    pause: Duration,
    job: &'static str,
    metrics: &'m JobMetrics,
    stop: watch::Receiver<bool>,
}

impl Rhythm<'_> {
    /// Repeats `work` until told to stop. A turn answers how much it did: after some it runs
    /// again at once, after none it pauses.
    async fn run<F>(mut self, mut work: impl FnMut() -> F)
    where
        F: Future<Output = Result<usize, AppError>>,
    {
        let job = self.job;
        self.metrics.started(job);
        while !*self.stop.borrow() {
            let wait = match work().await {
                Ok(0) => self.pause,
                Ok(_) => continue,
                Err(error) => {
                    self.metrics.failed(job);
                    tracing::warn!(job, %error, "a step of a job failed and will be tried again");
                    ERROR_PAUSE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = self.stop.changed() => if changed.is_err() { return },
            }
        }
    }
}
