//! Records of client certificates; issuing them is the server's own authority.
//!
//! A serial number is hex, which OpenSSL prints in upper case and others in lower: it is kept and
//! looked for in lower case.

use hongbao_domain::{
    MerchantId,
    change::{Actor, ChangeRecord},
};

use crate::{
    App, AppError,
    ports::{Certificate, NewCertificate},
};

impl App {
    /// Records a certificate that was issued.
    pub async fn record_certificate(
        &self,
        new: NewCertificate,
        actor: Actor,
    ) -> Result<(), AppError> {
        let new = NewCertificate { serial: new.serial.to_ascii_lowercase(), ..new };
        self.merchant(new.merchant).await?;
        let record = ChangeRecord {
            merchant: Some(new.merchant),
            action: "certificate.issue",
            actor,
            before: String::new(),
            after: serde_json::json!({ "serial": new.serial }).to_string(),
            at: self.store.now().await?,
        };
        self.store.add_certificate(new, record).await?;
        Ok(())
    }

    /// Whether a certificate was issued here and is not revoked.
    pub async fn certificate_stands(
        &self,
        merchant: MerchantId,
        serial: &str,
    ) -> Result<bool, AppError> {
        let serial = serial.to_ascii_lowercase();
        let certificate = self.store.certificate(merchant, &serial).await?;
        Ok(certificate.is_some_and(|certificate| certificate.revoked_at.is_none()))
    }

    /// Every certificate of a merchant.
    pub async fn certificates(&self, merchant: MerchantId) -> Result<Vec<Certificate>, AppError> {
        self.merchant(merchant).await?;
        Ok(self.store.certificates(merchant).await?)
    }

    /// Revokes a certificate: calls with it are refused from the next one on.
    pub async fn revoke_certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
        actor: Actor,
    ) -> Result<(), AppError> {
        let serial = serial.to_ascii_lowercase();
        let at = self.store.now().await?;
        let record = ChangeRecord {
            merchant: Some(merchant),
            action: "certificate.revoke",
            actor,
            before: serde_json::json!({ "serial": serial }).to_string(),
            after: String::new(),
            at,
        };
        if self.store.revoke_certificate(merchant, &serial, at, record).await? {
            Ok(())
        } else {
            Err(AppError::NotFound { what: "certificate in force" })
        }
    }
}
