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
mod tokens;
mod town;
