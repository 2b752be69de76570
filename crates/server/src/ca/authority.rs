//! The root certificate and its key.

use std::{fmt, path::Path, time::Duration};

use hongbao_domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use zeroize::Zeroizing;

use super::{CaError, KeySeal, files};

/// What the key is sealed under.
const KEY_LABEL: &str = "ca.key";
/// Twenty years: longer than any installation keeps its hardware, so that no merchant's
/// certificate is cut short by the root.
const ROOT_VALIDITY: Duration = Duration::from_hours(20 * 365 * 24);
/// Certificates are valid from an hour before they were made, for clients whose clock is late.
const BACKDATE_SECONDS: i64 = 3_600;

/// The certificate authority, its key in memory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
    root: CertificateDer<'static>,
    not_after: Timestamp,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new authority under `dir`, the data directory. Refuses if one is there.
    pub fn create(dir: &Path, now: Timestamp, seal: &dyn KeySeal) -> Result<Self, CaError> {
        let (ca, cert, key_file) = paths(dir);
        if cert.exists() {
            return Err(CaError::AlreadyExists(cert));
        }
        let key = KeyPair::generate()?;
        let root_pem = root_params(&key, now)?.self_signed(&key)?.pem();
        files::private_dir(&ca)?;
        // The certificate is last: a crash before it leaves a key that the next attempt replaces.
        let sealed = seal.seal(KEY_LABEL, key.serialized_der());
        files::write(&key_file, &sealed, files::PRIVATE)?;
        files::write(&cert, root_pem.as_bytes(), files::PUBLIC)?;
        Self::assemble(root_pem, key)
    }

    /// Loads the authority under `dir`. Refuses a key that others can read, that does not open or
    /// that is not the certificate's.
    pub fn load(dir: &Path, seal: &dyn KeySeal) -> Result<Self, CaError> {
        let (_, cert, key_file) = paths(dir);
        let root_pem = String::from_utf8_lossy(&files::read(&cert)?).into_owned();
        let sealed = files::read_private(&key_file)?;
        let der = Zeroizing::new(seal.open(KEY_LABEL, &sealed)?);
        Self::assemble(root_pem, KeyPair::try_from(der.as_slice())?)
    }

    /// The root certificate, PEM: what clients must trust to trust certificates from
    /// [`Authority::issue_server`], and what the mTLS listener trusts.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The last second of the root certificate.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    pub(super) fn root_der(&self) -> &[u8] {
        &self.root
    }

    pub(super) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    fn assemble(root_pem: String, key: KeyPair) -> Result<Self, CaError> {
        let root = CertificateDer::from_pem_slice(root_pem.as_bytes())
            .ok()
            .ok_or(CaError::NotAnAuthority)?;
        let not_after = checked_root(&root, &key)?;
        let issuer = Issuer::from_ca_cert_der(&root, key)?;
        Ok(Self { issuer, root_pem, root, not_after })
    }
}

fn paths(dir: &Path) -> (std::path::PathBuf, std::path::PathBuf, std::path::PathBuf) {
    let ca = dir.join("ca");
    let (cert, key) = (ca.join("ca.pem"), ca.join("ca.key.sealed"));
    (ca, cert, key)
}

fn root_params(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::default();
    set_validity(&mut params, now, plus(now, ROOT_VALIDITY))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Part of the key's id in the name, so that two installations' roots can be told apart in a
    // trust store and in the list of names a server sends to its clients.
    let id = hex::encode(params.key_identifier(key));
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Hongbao");
    name.push(DnType::CommonName, format!("Hongbao CA {}", id.get(..8).unwrap_or(&id)));
    params.distinguished_name = name;
    Ok(params)
}

/// The root's last second, if it is an authority's certificate for `key`.
fn checked_root(der: &[u8], key: &KeyPair) -> Result<Timestamp, CaError> {
    let (_, root) = X509Certificate::from_der(der)?;
    if !root.is_ca() {
        return Err(CaError::NotAnAuthority);
    }
    if root.public_key().raw != key.subject_public_key_info() {
        return Err(CaError::KeyMismatch);
    }
    Ok(Timestamp::EPOCH.plus_seconds(root.validity().not_after.timestamp()))
}

/// `now` moved by `validity`.
pub(super) fn plus(now: Timestamp, validity: Duration) -> Timestamp {
    now.plus_seconds(i64::try_from(validity.as_secs()).unwrap_or(i64::MAX))
}

/// Valid from a little before `now` until `not_after`.
pub(super) fn set_validity(
    params: &mut CertificateParams,
    now: Timestamp,
    not_after: Timestamp,
) -> Result<(), CaError> {
    params.not_before = calendar(now.plus_seconds(-BACKDATE_SECONDS))?;
    params.not_after = calendar(not_after)?;
    Ok(())
}

fn calendar(at: Timestamp) -> Result<time::OffsetDateTime, CaError> {
    let seconds = at.millis().div_euclid(1_000).max(0);
    Ok(time::OffsetDateTime::from_unix_timestamp(seconds)?)
}
