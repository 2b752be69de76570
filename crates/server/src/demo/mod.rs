//! The demo: a seeded platform, what to try on it, and a story that tries it.

mod invitation;
mod manifest;
mod seed;
mod story;

pub use invitation::invitation;
pub use manifest::{Manifest, ManifestMerchant, ManifestUser};
pub use seed::{DemoError, seed};
pub use story::tell;
