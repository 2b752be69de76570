//! Client certificates of merchants.

use async_trait::async_trait;
use axum::{Json as Answer, extract::State, http::StatusCode};
use hongbao_app::ports::{Certificate, NewCertificate};
use hongbao_domain::{MerchantId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{
    Operator, OpsState,
    permission::{CertificatesWrite, MerchantRead},
};
use crate::{
    pocket::json::{InPath, NoBody, Route, Secret},
    problem::{Problem, rows},
};

/// Issues client certificates.
#[async_trait]
pub trait CertificateIssuer: Send + Sync + 'static {
    /// A new certificate with a new key for `merchant`; else a sentence for the log.
    async fn issue(&self, merchant: MerchantId) -> Result<IssuedCertificate, String>;
}

/// A certificate with its private key, which is shown once and kept nowhere.
pub struct IssuedCertificate {
    /// `apiclient_cert.pem`.
    pub cert_pem: String,
    /// `apiclient_key.pem`.
    pub key_pem: Zeroizing<String>,
    /// `apiclient_cert.p12`, base64.
    pub p12_base64: Zeroizing<String>,
    /// Serial number, hex in either case.
    pub serial: String,
    /// Valid until.
    pub not_after: Timestamp,
}

impl std::fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedCertificate").field("serial", &self.serial).finish_non_exhaustive()
    }
}

/// A new certificate. The private key is not kept: this answer is the only one that has it.
#[derive(Serialize, ToSchema)]
struct IssuedBody {
    /// `apiclient_cert.pem`.
    cert_pem: String,
    /// `apiclient_key.pem`.
    #[schema(value_type = String)]
    key_pem: Secret,
    /// `apiclient_cert.p12`, base64; its password is the merchant number.
    #[schema(value_type = String)]
    p12_base64: Secret,
    /// Serial number, lower-case hex.
    serial: String,
    /// Valid until.
    #[schema(format = DateTime)]
    not_after: String,
}

/// A certificate that was issued.
#[derive(Debug, Serialize, ToSchema)]
struct CertificateBody {
    /// Serial number, lower-case hex.
    serial: String,
    /// Valid until.
    #[schema(format = DateTime)]
    not_after: String,
    /// Revoked since.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// The certificates of a merchant.
#[derive(Debug, Serialize, ToSchema)]
struct CertificateList {
    /// All of them: a merchant has a handful.
    items: Vec<CertificateBody>,
}

pub(super) fn routes() -> [Route<OpsState>; 3] {
    const ALL: &str = "/ops/v1/merchants/{mch_id}/certificates";
    const ONE: &str = "/ops/v1/merchants/{mch_id}/certificates/{serial}";
    [
        Route::get(ALL, "Certificates of a merchant", list).answers::<CertificateList>(200),
        Route::post(ALL, "Issue a certificate", issue).answers::<IssuedBody>(201),
        Route::delete(ONE, "Revoke a certificate", revoke).answers_nothing(),
    ]
}

async fn list(
    _operator: Operator<MerchantRead>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
) -> Result<Answer<CertificateList>, Problem> {
    let certificates = state.app.certificates(merchant).await?;
    Ok(Answer(CertificateList {
        items: certificates.into_iter().map(CertificateBody::of).collect(),
    }))
}

/// The certificate is good from the moment it is recorded: one that is not is nobody's.
async fn issue(
    operator: Operator<CertificatesWrite>,
    InPath(merchant): InPath<MerchantId>,
    State(state): State<OpsState>,
    NoBody: NoBody,
) -> Result<(StatusCode, Answer<IssuedBody>), Problem> {
    let authority = state.issuer.as_ref().ok_or_else(|| Problem::new(rows::NO_ISSUER))?;
    state.app.merchant(merchant).await?;
    let issued = authority.issue(merchant).await.map_err(|reason| {
        tracing::error!(mch_id = %merchant, reason, "a certificate was not issued");
        Problem::new(rows::ISSUER_FAILED)
    })?;
    let serial = issued.serial.to_ascii_lowercase();
    let not_after = issued.not_after;
    let new = NewCertificate { merchant, serial: serial.clone(), not_after };
    state.app.record_certificate(new, operator.actor()).await?;
    Ok((
        StatusCode::CREATED,
        Answer(IssuedBody {
            cert_pem: issued.cert_pem,
            key_pem: issued.key_pem.into(),
            p12_base64: issued.p12_base64.into(),
            serial,
            not_after: not_after.rfc3339(),
        }),
    ))
}

async fn revoke(
    operator: Operator<CertificatesWrite>,
    InPath((merchant, serial)): InPath<(MerchantId, String)>,
    State(state): State<OpsState>,
    NoBody: NoBody,
) -> Result<StatusCode, Problem> {
    let serial = serial.to_ascii_lowercase();
    state.app.revoke_certificate(merchant, &serial, operator.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl CertificateBody {
    fn of(certificate: Certificate) -> Self {
        Self {
            serial: certificate.serial,
            not_after: certificate.not_after.rfc3339(),
            revoked_at: certificate.revoked_at.map(Timestamp::rfc3339),
        }
    }
}
