//! Issuing tokens: for the demo and for tests, where there is no host app.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::{Claims, TokenKeyError, long_enough};

/// Signs tokens with a shared secret.
#[derive(Clone)]
pub struct TokenIssuer {
    key: EncodingKey,
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenIssuer(..)")
    }
}

impl TokenIssuer {
    /// An issuer with this secret, at least 32 bytes.
    pub fn shared_secret(secret: &[u8]) -> Result<Self, TokenKeyError> {
        long_enough(secret)?;
        Ok(Self { key: EncodingKey::from_secret(secret) })
    }

    /// The token that says `claims`.
    pub fn issue(&self, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
        encode(&Header::new(Algorithm::HS256), claims, &self.key)
    }
}
