//! Whether the store still writes.

use std::sync::{Arc, OnceLock};

/// Set once, by whoever finds that what is on disk is not known any more: after a commit whose
/// outcome is lost, or a copy of the log that failed. From then on nothing is written until the
/// store is opened again, which reads the log and so learns the truth.
#[derive(Clone, Debug, Default)]
pub(super) struct Broken(Arc<OnceLock<String>>);

impl Broken {
    /// Why nothing is written any more.
    pub(super) fn why(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Stops all writing. The first reason stays.
    pub(super) fn break_off(&self, why: &str) {
        tracing::error!(why, "the SQLite store stops writing until it is opened again");
        self.0.get_or_init(|| format!("{why}; open the store again"));
    }
}
