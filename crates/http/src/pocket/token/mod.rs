//! Tokens of the host app: it logs people in, we only read who they are.
//!
//! A token is a JWT with `sub` (the host's own name for the human), `appid` and `openid` (the
//! name merchants send to) and `exp`; `nbf` and `iss` are checked where they stand. The algorithm
//! is the key's: what the token says about it only has to agree.

mod issue;
mod keys;
mod known;
mod verify;

use hongbao_app::ports::Person;
use hongbao_domain::{AppId, OpenId};
use serde::{Deserialize, Serialize};

pub use issue::TokenIssuer;
pub use verify::{TokenError, TokenVerifier};

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The host's name for the human: the same under two apps is one user with one wallet.
    pub sub: String,
    /// The app.
    pub appid: AppId,
    /// The human's name in that app.
    pub openid: OpenId,
    /// Good until, in seconds since 1970.
    pub exp: i64,
    /// Good from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// Whom a token is about.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// Their name inside the app.
    pub person: Person,
    /// The host's own name for them.
    pub subject: String,
}

/// Keys that cannot check tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenKeyError {
    /// HS256 wants a secret as long as its digest (RFC 7518, 3.2).
    #[error("the shared secret has fewer than 32 bytes")]
    SecretTooShort,
    /// Not a JWKS document.
    #[error("the keys are not a JWKS document: {0}")]
    NotAKeySet(String),
    /// A key that is not RSA, P-256 or Ed25519, is not for signatures, or names another algorithm.
    #[error("key {0} of the JWKS document is not a public RS256, ES256 or EdDSA key")]
    KeyNotAllowed(usize),
    /// Nothing to check with.
    #[error("the JWKS document has no key")]
    NoKey,
    /// Two keys with one name, or several of which one has no name.
    #[error("keys of a JWKS document with several need a kid each, and no two the same")]
    KeysNotTold,
}

/// The least length of a shared secret.
const SECRET_BYTES_MIN: usize = 32;

fn long_enough(secret: &[u8]) -> Result<(), TokenKeyError> {
    if secret.len() < SECRET_BYTES_MIN { Err(TokenKeyError::SecretTooShort) } else { Ok(()) }
}
