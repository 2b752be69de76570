//! The switch that stops money operations when the books do not add up.

use std::sync::{Arc, OnceLock};

/// Shared by the executor, the self-check that halts it, and `/readyz` that shows it. Once
/// halted it stays so until a person has looked and restarts.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<OnceLock<String>>);

impl Gate {
    /// Stops money operations for `reason`.
    pub fn halt(&self, reason: String) {
        tracing::error!(%reason, "money operations are stopped");
        // A second reason adds nothing: the first one stands.
        drop(self.0.set(reason));
    }

    /// Why money operations are stopped, if they are.
    pub fn halted(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}
