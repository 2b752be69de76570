//! Checking tokens.

use std::sync::Arc;

use hongbao_app::{ports::Person, users::SUBJECT_BYTES_MAX};
use hongbao_domain::{AppId, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, decode, decode_header};

use super::{
    Claims, Holder, TokenKeyError,
    keys::{self, Key},
    known::{Good, KnownTokens, TokenDigest},
    long_enough,
};

/// How far the host's clock may be off: machines on one clock service differ by far less.
const LEEWAY_SECONDS: i64 = 5;
/// The longest token: claims of the longest names under an RSA-4096 signature take 2 KiB.
const TOKEN_BYTES_MAX: usize = 4 * 1024;

/// A token that says nothing. Callers are not told which of these it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token, signed by nobody we know, or with claims missing.
    #[error("the token is not one of ours")]
    Invalid,
    /// Past its end, or before its beginning.
    #[error("the token is not good at this time")]
    NotNow,
    /// Of another issuer, or for an app that is not served here.
    #[error("the token is of another issuer or app")]
    NotForUs,
}

/// Checks tokens of one host app.
pub struct TokenVerifier {
    keys: Vec<Key>,
    issuer: Option<String>,
    apps: Vec<AppId>,
    known: KnownTokens,
}

/// When a token is good, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) from: Option<i64>,
    pub(super) until: i64,
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl TokenVerifier {
    /// Tokens signed with HS256 under this secret, at least 32 bytes.
    pub fn shared_secret(secret: &[u8]) -> Result<Self, TokenKeyError> {
        long_enough(secret)?;
        let decoding = DecodingKey::from_secret(secret);
        Ok(Self::of(vec![Key::new(None, Algorithm::HS256, decoding)]))
    }

    /// Tokens signed by a key of this JWKS document: RS256, ES256 or `EdDSA`.
    pub fn jwks(text: &str) -> Result<Self, TokenKeyError> {
        Ok(Self::of(keys::of_document(text)?))
    }

    fn of(keys: Vec<Key>) -> Self {
        Self { keys, issuer: None, apps: Vec::new(), known: KnownTokens::default() }
    }

    /// Only tokens of this issuer.
    #[must_use]
    pub fn from_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self.known = KnownTokens::default();
        self
    }

    /// Only tokens for these apps.
    #[must_use]
    pub fn for_apps(mut self, apps: Vec<AppId>) -> Self {
        self.apps = apps;
        self.known = KnownTokens::default();
        self
    }

    /// Whom the token is about, if it is good at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Holder>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let digest = TokenDigest::of(token);
        let (good, is_new) = match self.known.get(digest) {
            Some(good) => (good, false),
            None => (self.check(token)?, true),
        };
        good.validity.check(now)?;
        let holder = Arc::clone(&good.holder);
        // Nobody is registered under a longer one; such are not worth their place.
        if is_new && holder.subject.len() <= SUBJECT_BYTES_MAX {
            self.known.put(digest, good);
        }
        Ok(holder)
    }

    /// All that holds at any time: signature, issuer, app.
    fn check(&self, token: &str) -> Result<Good, TokenError> {
        let key = self.key_for(token)?;
        let TokenData { header, claims } = decode::<Claims>(token, &key.decoding, &key.validation)
            .map_err(|_refused| TokenError::Invalid)?;
        // An extension that must be understood is not.
        if !key.is_named(header.kid.as_deref()) || header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        let issuer = self.issuer.as_ref().is_none_or(|ours| claims.iss.as_ref() == Some(ours));
        let app = self.apps.is_empty() || self.apps.contains(&claims.appid);
        if !issuer || !app {
            return Err(TokenError::NotForUs);
        }
        let validity = Validity { from: claims.nbf, until: claims.exp };
        let person = Person { app: claims.appid, openid: claims.openid };
        Ok(Good { holder: Arc::new(Holder { person, subject: claims.sub }), validity })
    }

    /// The key that may have signed the token. The only one there is, is tried on every token: to
    /// read whom a token names first would be to parse its header twice.
    fn key_for(&self, token: &str) -> Result<&Key, TokenError> {
        if let [key] = self.keys.as_slice() {
            return Ok(key);
        }
        let header = decode_header(token).map_err(|_malformed| TokenError::Invalid)?;
        let named = |key: &&Key| header.kid.is_some() && key.is_named(header.kid.as_deref());
        self.keys.iter().find(named).ok_or(TokenError::Invalid)
    }
}

impl Validity {
    fn check(self, now: Timestamp) -> Result<(), TokenError> {
        let instant = |seconds: i64| Timestamp::EPOCH.plus_seconds(seconds);
        let over = now >= instant(self.until.saturating_add(LEEWAY_SECONDS));
        let early =
            self.from.is_some_and(|from| now < instant(from.saturating_sub(LEEWAY_SECONDS)));
        if over || early { Err(TokenError::NotNow) } else { Ok(()) }
    }
}
