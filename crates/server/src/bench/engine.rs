//! Executor and store without HTTP, and the same store with one transaction per claim.

use std::time::{Duration, Instant};

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
    BenchError, closed,
    dataset::{Dataset, IN_FLIGHT},
};

/// Claims packets through the executor; answers how long it took. Every claim must succeed.
pub(super) async fn claims(
    app: &App,
    data: &Dataset,
    packets: &[u64],
) -> Result<Duration, BenchError> {
    let commands = packets.iter().map(|&no| data.claim_command(no)).collect::<Result<_, _>>()?;
    claim(app, commands).await
}

/// The same for claims that are made already.
pub(super) async fn claim(app: &App, claims: Vec<ClaimShare>) -> Result<Duration, BenchError> {
    closed::load(app, claims.into_iter().map(Ok), IN_FLIGHT, |_, claimed| {
        if claimed.replayed {
            return Err(BenchError::Other("a packet was claimed twice".to_owned()));
        }
        Ok(())
    })
    .await
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
