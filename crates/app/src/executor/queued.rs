//! A command in the queue, with the way back to its caller.

use hongbao_domain::{
    Command,
    facts::{Batch, BatchError, Needs},
};
use tokio::sync::oneshot;
use tracing::Span;

use super::Failure;
use crate::{metrics::CommandMetrics, spans};

/// A command whose type the queue need not know.
pub(super) trait Queued: Send {
    /// Names the rows it needs.
    fn needs(&self, needs: &mut Needs);
    /// Lets it decide, and keeps what came of it.
    fn decide(&mut self, batch: &mut Batch);
    /// Whether what it decided takes effect; false before.
    fn is_accepted(&self) -> bool;
    /// Notes in its trace which batch it is in.
    fn joins(&self, batch: &Span);
    /// Tells the caller, and counts: `failure` when the batch was lost, else what was decided.
    fn answer(self: Box<Self>, failure: Option<Failure>, metrics: &CommandMetrics);
}

pub(super) struct Waiting<C: Command> {
    command: C,
    decided: Option<Result<C::Outcome, Failure>>,
    caller: oneshot::Sender<Result<C::Outcome, Failure>>,
    /// From the queue to the answer.
    span: Span,
}

impl<C: Command> Waiting<C> {
    pub(super) const fn new(
        command: C,
        caller: oneshot::Sender<Result<C::Outcome, Failure>>,
        span: Span,
    ) -> Self {
        Self { command, decided: None, caller, span }
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

    fn is_accepted(&self) -> bool {
        matches!(self.decided, Some(Ok(_)))
    }

    fn joins(&self, batch: &Span) {
        self.span.follows_from(batch);
    }

    fn answer(self: Box<Self>, failure: Option<Failure>, metrics: &CommandMetrics) {
        let answer = match failure {
            Some(failure) => Err(failure),
            None => self.decided.unwrap_or(Err(Failure::Unknown)),
        };
        metrics.answered(C::NAME, &answer);
        spans::answered(&self.span, &answer);
        // A caller that went away asks again under its number.
        drop(self.caller.send(answer));
    }
}
