//! A command in the queue, with the way back to its caller.

use hongbao_domain::{
    Command,
    facts::{Batch, BatchError, Needs},
};
use tokio::sync::oneshot;

use super::Failure;

/// A command whose type the queue need not know.
pub(super) trait Queued: Send {
    /// Names the rows it needs.
    fn needs(&self, needs: &mut Needs);
    /// Lets it decide, and keeps what came of it.
    fn decide(&mut self, batch: &mut Batch);
    /// Tells the caller: `failure` when the batch was lost, else what was decided.
    fn answer(self: Box<Self>, failure: Option<Failure>);
}

pub(super) struct Waiting<C: Command> {
    command: C,
    decided: Option<Result<C::Outcome, Failure>>,
    caller: oneshot::Sender<Result<C::Outcome, Failure>>,
}

impl<C: Command> Waiting<C> {
    pub(super) const fn new(
        command: C,
        caller: oneshot::Sender<Result<C::Outcome, Failure>>,
    ) -> Self {
        Self { command, decided: None, caller }
    }
}

impl<C: Command> Queued for Waiting<C> {
    fn needs(&self, needs: &mut Needs) {
        self.command.needs(needs);
    }

    fn decide(&mut self, batch: &mut Batch) {
        self.decided = Some(batch.run(&self.command).map_err(|error| match error {
            BatchError::Refused(refusal) => Failure::Refused(refusal),
            BatchError::Defect(what) => {
                tracing::error!(what, "a decision could not be booked");
                Failure::Defect
            }
        }));
    }

    fn answer(self: Box<Self>, failure: Option<Failure>) {
        let answer = match failure {
            Some(failure) => Err(failure),
            None => self.decided.unwrap_or(Err(Failure::Unknown)),
        };
        // A caller that went away asks again under its number.
        drop(self.caller.send(answer));
    }
}
