//! The built-in certificate authority: one root, which signs the merchants' client certificates
//! and, if the operator has none from elsewhere, the listener's own.
//!
//! | file | content | mode |
//! |---|---|---|
//! | `ca/` | directory | 0700 |
//! | `ca/ca.pem` | root certificate | 0644 |
//! | `ca/ca.key.sealed` | its private key, sealed by the [`KeySeal`] | 0600 |
//!
//! Every key is ECDSA P-256: rcgen over ring makes no RSA keys, and what calls a red packet API
//! (curl and OpenSSL since 1.0, Java since 7, Node, Go, .NET, PHP) takes P-256 client
//! certificates. The V2 signature does not use the certificate's key, so no client computes with
//! it outside TLS.
//!
//! Time and serial numbers are arguments. A merchant's private key leaves in the
//! [`IssuedCertificate`] and is not kept (J-9). Revocation is not the certificate's affair: who
//! reads a peer's serial number asks the store, on every request (J-4).

mod authority;
mod error;
mod files;
mod identity;
mod issue;
mod p12;
#[cfg(test)]
mod tests;

pub use authority::Authority;
pub use error::{CaError, IdentityError, SealError};
pub use identity::{ClientIdentity, merchant_of};
pub use issue::{IssuedCertificate, IssuedServer, MerchantSubject, Terms};
pub use p12::P12Profile;

/// Encrypts secrets at rest. `label` says what the secret is and is bound to it, so that one
/// sealed text cannot stand where another belongs.
pub trait KeySeal {
    /// `plain`, encrypted and authenticated together with `label`.
    fn seal(&self, label: &str, plain: &[u8]) -> Vec<u8>;

    /// What was sealed under `label`.
    fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}
