//! What people and programs do with packets: send, query, look, open, share.

mod open;
mod query;
mod send;
mod view;

pub use query::PacketReport;
pub use send::SendRequest;
pub use view::{PacketView, Standing, Viewer};
