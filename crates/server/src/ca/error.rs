//! What can go wrong with keys and certificates. No text here holds key material.

use std::{io, path::PathBuf};

use hongbao_domain::ids::IdError;

/// A sealed text that does not open: damaged, sealed under another key or under another label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed text does not open: damaged, or another master key")]
pub struct SealError;

/// Why the authority could not be made, loaded or used.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// There is an authority already; making another would orphan every certificate issued.
    #[error("{0} exists already; it is never overwritten")]
    AlreadyExists(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others can read what only the owner may.
    #[error("{path} has mode {mode:03o}; others must have no access (chmod go= {path})")]
    Permissions {
        /// Which file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The private key does not open.
    #[error("private key of the authority: {0}")]
    Seal(#[from] SealError),
    /// `ca.pem` and `ca.key.sealed` are not of one pair.
    #[error("the sealed key does not belong to ca.pem")]
    KeyMismatch,
    /// `ca.pem` is not the certificate of an authority.
    #[error("ca.pem is not an authority's certificate")]
    NotAnAuthority,
    /// A certificate or key could not be made or read.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    /// A certificate could not be read back.
    #[error("certificate: {0}")]
    Parse(#[from] x509_parser::nom::Err<x509_parser::error::X509Error>),
    /// The p12 file could not be made.
    #[error("p12: {0}")]
    P12(#[from] p12_keystore::error::Error),
    /// The wanted time is before 1970 or after 9999.
    #[error("time not representable in a certificate: {0}")]
    Time(#[from] time::error::ComponentRange),
}

/// Why a client certificate names no merchant.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not a certificate.
    #[error("not a certificate: {0}")]
    Parse(#[from] x509_parser::nom::Err<x509_parser::error::X509Error>),
    /// Not meant for clients.
    #[error("the certificate is not for client authentication")]
    Usage,
    /// No common name, or more than one.
    #[error("the certificate must have one common name")]
    CommonName,
    /// The common name is not a merchant number.
    #[error("common name: {0}")]
    Merchant(#[from] IdError),
}
