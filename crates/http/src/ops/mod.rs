//! The operators' face: health for machines, and what the platform's people do, as JSON.
//!
//! An operator's token carries permissions; every handler names the one it demands in its own
//! signature, see [`Operator`], so none can forget to ask.

mod accounts;
mod authorizations;
mod certificates;
mod clock;
mod health;
mod keys;
mod merchants;
mod metrics;
mod openapi;
mod operator;
mod orders;
mod permission;
mod settings;
mod users;

use std::sync::Arc;

use axum::Router;
use hongbao_app::App;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

pub use certificates::{CertificateIssuer, IssuedCertificate};
pub use openapi::document;
pub use operator::{Operator, OperatorToken};
pub use permission::{Demand, Permission};

use crate::pocket::json::{self, Route};

/// What the face works with.
#[derive(Clone)]
pub struct OpsState {
    /// The use cases.
    pub app: Arc<App>,
    /// Whose tokens are known.
    pub operators: Arc<[OperatorToken]>,
    /// Who issues certificates, where an authority is at hand.
    pub issuer: Option<Arc<dyn CertificateIssuer>>,
    /// What is shown at `/metrics`.
    pub metrics: Arc<Registry>,
    /// True from when the process was asked to stop.
    pub stopping: watch::Receiver<bool>,
}

impl std::fmt::Debug for OpsState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpsState").field("operators", &self.operators).finish_non_exhaustive()
    }
}

/// Every route of the face.
pub fn routes() -> Vec<Route<OpsState>> {
    let groups: [Vec<Route<OpsState>>; 11] = [
        health::routes().into(),
        metrics::routes().into(),
        merchants::routes().into(),
        settings::routes().into(),
        keys::routes().into(),
        accounts::routes().into(),
        clock::routes().into(),
        certificates::routes().into(),
        users::routes().into(),
        authorizations::routes().into(),
        orders::routes().into(),
    ];
    groups.into_iter().flatten().collect()
}

/// The face.
pub fn router(state: OpsState) -> Router {
    json::assemble(routes(), state)
}
