//! The conformance suite: what every store has to do, case by case.
//!
//! A case is a sentence and an async function over a [`Harness`]. [`crate::store_suite!`] makes one
//! test of each for one store; after every case the books are checked as a whole ([`check_books`]),
//! so that a case need only look at what it is about.

pub mod accounts;
pub mod batches;
mod books;
mod cases;
pub mod claims;
mod drive;
pub mod follow;
mod harness;
pub mod jobs;
pub mod limits;
pub mod merchants;
pub mod people;
pub mod providers;
pub mod races;
pub mod refunds;
pub mod refused;
pub mod sandbox;
pub mod sends;
mod town;
pub mod wallets;

pub use books::{check_books, follow_all};
pub use drive::{Step, run, run_all, run_steps, transact};
pub use harness::Harness;
