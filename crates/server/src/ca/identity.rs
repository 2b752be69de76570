//! Whom a client certificate was issued to. The handshake has verified it before.

use hongbao_domain::{MerchantId, Timestamp};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::IdentityError;

/// What a merchant's certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// Whom it was issued to.
    pub merchant: MerchantId,
    /// The serial number, upper-case hex.
    pub serial_hex: String,
    /// The last second.
    pub not_after: Timestamp,
}

/// Reads a client certificate, DER. Checks no signature and no time: TLS does.
pub fn merchant_of(cert_der: &[u8]) -> Result<ClientIdentity, IdentityError> {
    let (_, cert) = X509Certificate::from_der(cert_der)?;
    if !for_clients(&cert) {
        return Err(IdentityError::Usage);
    }
    let mut names = cert.subject().iter_common_name();
    let (Some(name), None) = (names.next(), names.next()) else {
        return Err(IdentityError::CommonName);
    };
    let name = name.as_str().ok().ok_or(IdentityError::CommonName)?;
    Ok(ClientIdentity {
        merchant: name.parse()?,
        serial_hex: hex::encode_upper(cert.raw_serial()),
        not_after: Timestamp::EPOCH.plus_seconds(cert.validity().not_after.timestamp()),
    })
}

fn for_clients(cert: &X509Certificate<'_>) -> bool {
    cert.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.client_auth)
}
