//! Loads that keep so many commands under way, as callers that wait for their answers do.

use std::{
    task::Poll,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, poll, stream::FuturesUnordered};
use hongbao_app::{App, executor::Failure};
use hongbao_domain::Command;

use super::BenchError;

/// Before a command that was sent away is submitted again, unless one is answered earlier.
const PAUSE: Duration = Duration::from_millis(1);

/// Submits `commands` in their order, as many at once as the engine takes and `in_flight` at most;
/// answers how long it took until the last was answered. One that is sent away is submitted again
/// before the next. `heard` gets every outcome with the place of its command; any other failure
/// ends the load.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn load<C: Command + Clone>(
    app: &App,
    commands: impl Iterator<Item = Result<C, BenchError>>,
    in_flight: usize,
    mut heard: impl FnMut(usize, C::Outcome) -> Result<(), BenchError>,
) -> Result<Duration, BenchError> {
    let mut under_way = FuturesUnordered::new();
    let started = Instant::now();
    for (place, command) in commands.enumerate() {
        let command = command?;
        while under_way.len() >= in_flight {
            hear_one(&mut under_way, &mut heard).await?;
        }
        loop {
            let mut answer = Box::pin(submitted(app, place, command.clone()));
            match poll!(&mut answer) {
                Poll::Ready((_, Err(Failure::Busy))) => tokio::select! {
                    biased;
                    heard_one = hear_one(&mut under_way, &mut heard), if !under_way.is_empty() => {
                        heard_one?;
                    }
                    () = tokio::time::sleep(PAUSE) => {}
                },
                Poll::Ready((place, answer)) => break heard(place, answer?)?,
                Poll::Pending => break under_way.push(answer),
            }
        }
    }
    while hear_one(&mut under_way, &mut heard).await? {}
    Ok(started.elapsed())
}

/// Waits for the next answer; false when none is under way.
async fn hear_one<O>(
    under_way: &mut FuturesUnordered<impl Future<Output = (usize, Result<O, Failure>)>>,
    heard: &mut impl FnMut(usize, O) -> Result<(), BenchError>,
) -> Result<bool, BenchError> {
    match under_way.next().await {
        Some((place, answer)) => heard(place, answer?).map(|()| true),
        None => Ok(false),
    }
}

async fn submitted<C: Command>(
    app: &App,
    place: usize,
    command: C,
) -> (usize, Result<C::Outcome, Failure>) {
    (place, app.executor().submit(command).await)
}
