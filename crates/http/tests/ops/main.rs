//! The operators' face, and the document of both JSON faces.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a surprise in a test is a failed test"
)]

#[path = "../pocket/call.rs"]
mod call;
mod document;
mod health;
mod merchants;
mod metrics;
mod people;
mod permissions;
#[expect(dead_code, reason = "each face uses its own part")]
#[path = "../pocket/servers.rs"]
mod servers;
mod settings;
mod town;
