//! Executor and store without HTTP, and the same store with one transaction per claim.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use hongbao_app::{
    App,
    executor::Failure,
    ports::{Store, Work},
};
use hongbao_domain::{
    Command as _,
    facts::{Batch, BatchError, Changes, Facts, Needs},
    packet::ClaimShare,
};

use super::{
    BenchError,
    dataset::{Dataset, IN_FLIGHT},
};

/// Claims packets through the executor; answers how long it took. Every claim must succeed.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn claims(
    app: &App,
    data: &Dataset,
    packets: &[u64],
) -> Result<Duration, BenchError> {
    let commands: Vec<ClaimShare> =
        packets.iter().map(|&no| data.claim_command(no)).collect::<Result<_, _>>()?;
    let executor = app.executor();
    let started = Instant::now();
    let mut answers =
        stream::iter(commands).map(|command| executor.submit(command)).buffer_unordered(IN_FLIGHT);
    while let Some(answer) = answers.next().await {
        let claimed = answer.map_err(BenchError::other)?;
        if claimed.replayed {
            return Err(BenchError::Other("a packet was claimed twice".to_owned()));
        }
    }
    Ok(started.elapsed())
}

/// Claims packets with one durable transaction each, one after another: the same rows, the same
/// rules, the same store, only without batches.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures elapsed time")]
pub(super) async fn claims_one_by_one(
    store: &dyn Store,
    data: &Dataset,
    packets: &[u64],
) -> Result<Duration, BenchError> {
    let started = Instant::now();
    for &no in packets {
        let command = data.claim_command(no)?;
        let mut needs = Needs::default();
        command.needs(&mut needs);
        let (work, committed) = store.transact(needs, Box::new(Single { command })).await;
        committed?;
        drop(work);
    }
    Ok(started.elapsed())
}

struct Single {
    command: ClaimShare,
}

impl Work for Single {
    #[expect(clippy::panic, reason = "a benchmark that claims nothing measures nothing")]
    fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
        let mut batch = Batch::new(facts);
        match batch.run(&self.command) {
            Ok(claimed) if !claimed.replayed => {}
            Ok(_) => panic!("a packet was claimed twice"),
            Err(BatchError::Refused(refusal)) => panic!("a claim was refused: {refusal:?}"),
            Err(BatchError::Defect(what)) => panic!("{what}"),
        }
        batch.finish()
    }

    fn answer(self: Box<Self>, _failure: Option<Failure>) {}
}
