//! What users do: register, read messages, spend, pass on and withdraw.

mod directory;
mod inbox;
mod money;
mod register;

pub use directory::Directory;
pub use inbox::{Inbox, InboxLine};
pub use register::SUBJECT_BYTES_MAX;
