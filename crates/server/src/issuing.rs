//! Issuing merchants' certificates and recording them.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hongbao_app::{
    App, AppError,
    ports::{Clock, NewCertificate, Rng, random_bytes},
};
use hongbao_domain::{MerchantId, change::Actor};
use hongbao_http::ops;
use zeroize::Zeroizing;

use crate::{
    ca::{Authority, CaError, IssuedCertificate, MerchantSubject, P12Profile, Terms},
    running::Platform,
};

/// Five years, as the original's certificates.
const VALIDITY: Duration = Duration::from_hours(5 * 365 * 24);

/// Issues and records.
pub struct Issuing {
    app: Arc<App>,
    authority: Arc<Authority>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The authority failed.
    #[error(transparent)]
    Authority(#[from] CaError),
    /// There is no such merchant, or the record could not be written.
    #[error(transparent)]
    App(#[from] AppError),
}

impl Issuing {
    /// Issues with the platform's authority.
    pub fn new(platform: &Platform) -> Self {
        Self {
            app: Arc::clone(&platform.app),
            authority: Arc::clone(&platform.authority),
            clock: Arc::clone(&platform.clock),
            rng: Arc::clone(&platform.rng),
        }
    }

    /// Issues a certificate and records it; a certificate without a record is never accepted.
    pub async fn issue(
        &self,
        merchant: MerchantId,
        profile: P12Profile,
        actor: Actor,
    ) -> Result<IssuedCertificate, IssueError> {
        let issued = self.sign(merchant, profile).await?;
        let (serial, not_after) = (issued.serial_hex.clone(), issued.not_after);
        self.app.record_certificate(NewCertificate { merchant, serial, not_after }, actor).await?;
        Ok(issued)
    }

    async fn sign(
        &self,
        merchant: MerchantId,
        profile: P12Profile,
    ) -> Result<IssuedCertificate, IssueError> {
        let record = self.app.merchant(merchant).await?;
        let name = &record.merchant.settings.name;
        let subject = MerchantSubject { merchant, name, password: None, profile };
        let terms = Terms {
            now: self.clock.now(),
            validity: VALIDITY,
            serial: random_bytes(self.rng.as_ref()),
        };
        Ok(self.authority.issue_merchant(&subject, &terms)?)
    }
}

/// The operators' face records what it was given.
#[async_trait]
impl ops::CertificateIssuer for Issuing {
    async fn issue(&self, merchant: MerchantId) -> Result<ops::IssuedCertificate, String> {
        let issued = self.sign(merchant, P12Profile::default()).await;
        let issued = issued.map_err(|error| error.to_string())?;
        Ok(ops::IssuedCertificate {
            cert_pem: issued.cert_pem.clone(),
            key_pem: issued.key_pem.clone(),
            p12_base64: Zeroizing::new(STANDARD.encode(issued.p12.as_slice())),
            serial: issued.serial_hex.clone(),
            not_after: issued.not_after,
        })
    }
}
