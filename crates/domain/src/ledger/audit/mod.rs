//! Checking the books: the invariants I-01 to I-32 over everything that is stored.
//!
//! The auditor is fed rows in the order they are stored, page by page, and keeps a few numbers
//! per account. It recomputes; it trusts no stored total. One merchant's journal, packets, claims
//! and limits are checked together by [`MerchantAudit`]; what crosses merchants (wallets, the sum
//! of everything) by [`PlatformAudit`].

mod merchant;
mod platform;
mod report;

pub use merchant::MerchantAudit;
pub use platform::PlatformAudit;
pub use report::{Invariant, Line, Report};
