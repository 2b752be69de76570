//! The users' face, driven as their phones drive it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a surprise in a test is a failed test"
)]

mod bodies;
mod call;
mod isolation;
mod keys;
mod me;
mod money;
mod packets;
mod problems;
#[expect(dead_code, reason = "each face uses its own part")]
mod servers;
mod tokens;
mod town;
