//! What tests are written with, and what every store has to pass. Never part of what ships.
//!
//! | module | what |
//! | --- | --- |
//! | [`clock`], [`rng`] | time and randomness that a test holds in its hand |
//! | [`builders`] | the vocabulary: `a_merchant().with_money(..)`, `normal_terms(..)`, `a_send(..)` |
//! | [`model`] | a store over plain maps of the domain's own types |
//! | [`suite`] | the conformance suite; [`store_suite!`] turns it into tests of one store: SQLite and the model today |
//! | [`tidy`] | the house rules, as functions that find violations |

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a surprise in a test kit is a failed test"
)]

pub mod builders;
pub mod clock;
pub mod model;
pub mod postgres;
pub mod rng;
#[expect(clippy::indexing_slicing, reason = "a case knows how many answers it asked for")]
pub mod suite;
pub mod tidy;

pub use clock::ManualClock;
pub use model::ModelStore;
pub use rng::SeededRng;
pub use suite::{Harness, run, run_all};
