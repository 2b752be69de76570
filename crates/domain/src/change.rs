//! Records of protected changes (I-26): who changed what, from what, to what.

use crate::{ids::MerchantId, time::Timestamp};

/// One protected change, kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The merchant it touches; `None` for the platform itself.
    pub merchant: Option<MerchantId>,
    /// What was done, for example `settings.update` or `clock.advance`.
    pub action: &'static str,
    /// Who did it.
    pub actor: Actor,
    /// The state before, as JSON; empty where there was none.
    pub before: String,
    /// The state after, as JSON. Never holds a secret.
    pub after: String,
    /// When.
    pub at: Timestamp,
}

/// Who asked for a change, and by which right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// A name a person recognises: `operator:ops`, `command-line`.
    pub name: String,
    /// The permission it was allowed by.
    pub permission: &'static str,
}

impl Actor {
    /// Somebody with the machine's own command line.
    pub fn command_line() -> Self {
        Self { name: "command-line".to_owned(), permission: "host" }
    }
}
