//! The users' face: inbox, packets and wallet, as JSON for the page on their phones.
//!
//! Who asks is said by a token of the host app, see [`token`]; a user reaches own things only,
//! and a packet that is not theirs looks like one that does not exist.

mod caller;
pub mod json;
mod me;
mod messages;
mod movements;
mod packets;
mod page;
pub mod token;
mod wallet;
pub(crate) mod words;

use std::sync::Arc;

use axum::Router;
use hongbao_app::App;

pub(crate) use caller::bearer;

use self::{json::Route, token::TokenVerifier};

/// What the face works with.
#[derive(Clone, Debug)]
pub struct PocketState {
    /// The use cases.
    pub app: Arc<App>,
    /// Who checks tokens.
    pub tokens: Arc<TokenVerifier>,
}

/// Every route of the face.
pub fn routes() -> Vec<Route<PocketState>> {
    let groups: [Vec<Route<PocketState>>; 5] = [
        me::routes().into(),
        messages::routes().into(),
        packets::routes().into(),
        wallet::routes().into(),
        movements::routes().into(),
    ];
    groups.into_iter().flatten().collect()
}

/// The face.
pub fn router(state: PocketState) -> Router {
    json::assemble(routes(), state)
}
