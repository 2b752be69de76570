//! A platform with two merchants, a person, and operators of every kind.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use hongbao_app::{
    App,
    ports::{Store, SystemRng},
};
use hongbao_domain::MerchantId;
use hongbao_http::ops::{
    CertificateIssuer, IssuedCertificate, OperatorToken, OpsState, Permission, router,
};
use hongbao_testkit::{
    builders::{a_merchant, a_user},
    clock::MORNING,
};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::servers::Servers;

/// The token of an operator who may do everything.
pub(crate) const ALL: &str = "token-of-one-who-may-do-everything";
/// A merchant that does not exist.
pub(crate) const NOBODY: &str = "10000001";

pub(crate) struct Platform {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) servers: Servers,
    pub(crate) merchant: MerchantId,
    pub(crate) ops: Router,
    /// Set true, the process was asked to stop.
    pub(crate) stop: watch::Sender<bool>,
}

struct PaperIssuer;

#[async_trait]
impl CertificateIssuer for PaperIssuer {
    async fn issue(&self, merchant: MerchantId) -> Result<IssuedCertificate, String> {
        if merchant.to_string() == "10000077" {
            return Err("the key of the authority is at /etc/hongbao/ca.key".to_owned());
        }
        Ok(IssuedCertificate {
            cert_pem: "CERT".to_owned(),
            key_pem: "KEY".to_owned().into(),
            p12_base64: "UDEy".to_owned().into(),
            serial: "0A1B".to_owned(),
            not_after: MORNING.plus_seconds(86_400),
        })
    }
}

/// The token of somebody who has this permission alone.
pub(crate) fn only(permission: Permission) -> String {
    format!("only-{}", permission.as_str())
}

/// The token of somebody who has every permission but this one.
pub(crate) fn all_but(permission: Permission) -> String {
    format!("all-but-{}", permission.as_str())
}

fn operators() -> Vec<OperatorToken> {
    let every = Permission::ALL;
    let mut operators = vec![
        OperatorToken::new("chief", ALL, every.to_vec()),
        OperatorToken::new("guest", "token-of-one-who-may-do-nothing", Vec::new()),
    ];
    for &permission in every {
        let others = every.iter().copied().filter(|other| *other != permission).collect();
        operators.push(OperatorToken::new("one", &only(permission), vec![permission]));
        operators.push(OperatorToken::new("others", &all_but(permission), others));
    }
    operators
}

impl Platform {
    pub(crate) async fn new() -> Self {
        Self::with_issuer(Some(Arc::new(PaperIssuer))).await
    }

    /// For what each server tells of itself.
    pub(crate) async fn on_one_server() -> Self {
        let servers = Servers::start(Arc::new(SystemRng)).await.only_the_first();
        Self::over(servers, Some(Arc::new(PaperIssuer))).await
    }

    pub(crate) async fn with_issuer(issuer: Option<Arc<dyn CertificateIssuer>>) -> Self {
        Self::over(Servers::start(Arc::new(SystemRng)).await, issuer).await
    }

    async fn over(servers: Servers, issuer: Option<Arc<dyn CertificateIssuer>>) -> Self {
        let (app, store) = (servers.apps[0].clone(), servers.store());
        let merchant = a_merchant().sandbox().with_money(10_000).in_store(&*store).await;
        a_merchant().numbered(10_000_099).provider().in_store(&*store).await;
        a_merchant().numbered(10_000_077).in_store(&*store).await;
        a_user("alice").in_store(&*store).await;
        let (stop, stopping) = watch::channel(false);
        let operators: Arc<[OperatorToken]> = operators().into();
        let ops = servers.face(|app| {
            let mut registry = Registry::default();
            app.metrics().register(&mut registry);
            router(OpsState {
                app,
                operators: operators.clone(),
                issuer: issuer.clone(),
                metrics: Arc::new(registry),
                stopping: stopping.clone(),
            })
        });
        Self { app, store, servers, merchant, ops, stop }
    }
}
