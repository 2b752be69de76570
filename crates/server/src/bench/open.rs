//! Loads whose commands come when they are due, whatever the engine answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hongbao_app::{App, executor::Failure};
use hongbao_domain::Command;
use hongbao_plan::random::Random;
use tokio::task::JoinSet;

use super::BenchError;

/// What an open load saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// For each command that was taken its place in the load, and how long it took from due to
    /// answered.
    pub(super) waits: Vec<(usize, Duration)>,
    /// From due to submitted, sorted: how late the generator was.
    pub(super) late: Vec<Duration>,
    /// The places of commands that were sent away.
    pub(super) sent_away: Vec<usize>,
}

impl Seen {
    /// The waits of the commands at the places that `wanted` names, sorted.
    pub(super) fn sorted(&self, wanted: impl Fn(usize) -> bool) -> Vec<Duration> {
        let mut waits: Vec<Duration> =
            self.waits.iter().filter(|(place, _)| wanted(*place)).map(|(_, wait)| *wait).collect();
        waits.sort_unstable();
        waits
    }
}

/// Instants at random, `rate` a second for `seconds`, as durations from the start.
pub(super) fn dues(rate: f64, seconds: f64, seed: u64) -> Vec<Duration> {
    let (mut random, mut at, mut dues) = (Random::new(seed), 0.0, Vec::new());
    loop {
        at += random.exponential() / rate;
        if at >= seconds {
            return dues;
        }
        dues.push(Duration::from_secs_f64(at));
    }
}

/// Submits each command when it is due. `heard` gets every outcome as it arrives, and ends the load
/// when it finds it wrong.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn load<C: Command>(
    app: &Arc<App>,
    commands: Vec<C>,
    dues: Vec<Duration>,
    heard: impl Fn(&C::Outcome) -> Result<(), BenchError> + Clone + Send + 'static,
) -> Result<Seen, BenchError> {
    let (mut answers, mut late) = (JoinSet::new(), Vec::with_capacity(dues.len()));
    let started = Instant::now();
    for (place, (command, due)) in commands.into_iter().zip(dues).enumerate() {
        let due = started + due;
        if due > Instant::now() {
            // Timers are good to a millisecond: commands come in small crowds.
            tokio::time::sleep_until(due.into()).await;
        }
        late.push(due.elapsed());
        let (app, heard) = (Arc::clone(app), heard.clone());
        answers.spawn(async move {
            let answer = app.executor().submit(command).await;
            let wait = due.elapsed();
            match answer {
                Ok(outcome) => heard(&outcome).map(|()| (place, Some(wait))),
                Err(Failure::Busy) => Ok((place, None)),
                Err(failure) => Err(failure.into()),
            }
        });
    }
    let mut seen = Seen::default();
    while let Some(answer) = answers.join_next().await {
        match answer.map_err(BenchError::other)?? {
            (place, Some(wait)) => seen.waits.push((place, wait)),
            (place, None) => seen.sent_away.push(place),
        }
    }
    late.sort_unstable();
    Ok(Seen { late, ..seen })
}
