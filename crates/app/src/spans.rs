//! Spans: where the time of a call goes, for traces.
//!
//! They have a target of their own at the lowest level, so that nobody makes them unless a trace
//! is exported: an ordinary log filter switches them off where they are written, at the cost of
//! one comparison. What they may say is what the log may say: names and counts, never a key, a
//! token, an openid or a code.
//!
//! | span | from | to | child of |
//! | --- | --- | --- | --- |
//! | `request` | head read | answer made | the caller's trace, where it is believed |
//! | `command` | put into the queue | answered | its request; linked to its batch |
//! | `batch` | taken from the queue | committed | nothing: many requests share it |
//! | `decide` | facts loaded | all decided | its batch |

use tracing::{Span, field::Empty};

use crate::executor::Failure;

/// The target of all of them.
pub const TARGET: &str = "hongbao_spans";

/// A command called `name` waits.
pub(crate) fn command(name: &'static str) -> Span {
    tracing::trace_span!(
        target: TARGET,
        "command",
        otel.name = name,
        command = name,
        outcome = Empty,
        reason = Empty,
    )
}

/// A batch of `commands` is loaded, decided and committed.
pub(crate) fn batch(commands: usize) -> Span {
    tracing::trace_span!(target: TARGET, parent: None, "batch", commands)
}

/// The commands of `batch` decide.
pub(crate) fn decide(batch: &Span) -> Span {
    tracing::trace_span!(target: TARGET, parent: batch, "decide")
}

/// How a command ended. A refusal is an answer like another; a failure marks its span.
pub(crate) fn answered<T>(span: &Span, answer: &Result<T, Failure>) {
    match answer {
        Ok(_) => {
            span.record("outcome", "done");
        }
        Err(Failure::Refused(refusal)) => {
            span.record("outcome", "refused").record("reason", refusal.name());
        }
        Err(failure) => {
            span.record("outcome", "failed").record("reason", failure.name());
        }
    }
}
