//! What people do about merchants: make them, fund them, set them up.

mod accounts;
mod authorize;
mod certificates;
mod clock;
mod create;
mod keys;
mod rate;
mod settings;

pub use keys::{KEY_LEN, V2Access};
pub use rate::{CallKind, RateLimiter};
