//! The rules of cash red packets, and nothing else.
//!
//! No clock, no randomness, no SQL, no HTTP: time and random bytes come in as data, so every rule
//! can be run again from a number. The way of the data is always the same:
//!
//! 1. a [`Command`] says which rows it [`Needs`];
//! 2. a store loads them into [`Facts`], as they are when the changes will be written;
//! 3. [`Batch::run`] lets each command decide in turn: facts in, [`Effects`] or a [`Refusal`] out,
//!    and folds accepted effects into the facts, so that the next command sees them;
//! 4. the store writes the [`Changes`] in one transaction.
//!
//! Money lives in [`ledger`]; a packet's life is decided in [`packet`].

// In what ships; a test that leaves a range should stop.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::integer_division,
        clippy::wildcard_enum_match_arm
    )
)]

pub mod change;
pub mod facts;
pub mod ids;
pub mod ledger;
pub mod limit;
pub mod merchant;
pub mod message;
pub mod money;
pub mod packet;
pub mod refusal;
pub mod risk;
pub mod split;
pub mod time;
pub mod wallet;

pub use facts::{Accepted, Batch, Changes, Command, Effects, Facts, Needs, Refused, Slot, Verdict};
pub use ids::{
    AppId, BillNo, ListId, MerchantId, OpenId, PacketCode, PacketKey, PacketNo, PacketSecret,
    Reference, UserId,
};
pub use money::Fen;
pub use refusal::Refusal;
pub use time::{Day, Timestamp};
