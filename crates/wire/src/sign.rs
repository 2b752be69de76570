//! Keys and signatures.
//!
//! The merchant's stored [`SignPolicy`] decides; what the request says can only be refused by it:
//!
//! | policy | `sign_type` absent or empty | `MD5` | `HMAC-SHA256` | anything else |
//! |---|---|---|---|---|
//! | [`SignPolicy::HmacSha256Only`] | HMAC | refused | HMAC | refused |
//! | [`SignPolicy::Md5Allowed`] | MD5 | MD5 | HMAC | refused |
//!
//! `sign` is upper-case hex of exactly the algorithm's length. `sign_type` was never a field of
//! these calls, so some clients sign it and some add it after signing: where it is present, a
//! signature over either base is right. Comparison is on decoded bytes and in constant time.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::{
    canonical::{AmbiguousField, base_without, canonical_string, check_unambiguous},
    names::{KNOWN_NAMES, SIGN, SIGN_TYPE},
    xml::{Answer, Fields},
};

/// Length of an API key in bytes, set by the platform.
const KEY_BYTES: usize = 32;

/// Block of SHA-256 in bytes, to which HMAC pads its key with zeros.
const SHA256_BLOCK_BYTES: usize = 64;

/// Algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignType {
    /// MD5 over string and key; only for clients that cannot do better.
    Md5,
    /// HMAC-SHA256 over string and key, keyed with the key.
    HmacSha256,
}

impl SignType {
    /// The text of `sign_type` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// Length of the signature in bytes; its hex text has twice as many digits.
    const fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::HmacSha256 => 32,
        }
    }
}

/// What a merchant may sign with. Stored with the merchant, never taken from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignPolicy {
    /// HMAC-SHA256 and nothing else; the default for new merchants.
    HmacSha256Only,
    /// MD5 too, and MD5 where the request names no algorithm.
    Md5Allowed,
}

/// A merchant's API key: 32 ASCII letters and digits. Wiped from memory on drop, never printed.
pub struct ApiKey([u8; KEY_BYTES]);

impl ApiKey {
    /// A key from its text.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`] unless the text has exactly 32 ASCII letters and digits.
    pub fn try_new(text: &str) -> Result<Self, ApiKeyError> {
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ApiKeyError);
        }
        text.as_bytes().try_into().ok().map(Self).ok_or(ApiKeyError)
    }
}

impl Drop for ApiKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(redacted)")
    }
}

/// A text that is no API key. Does not carry the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an API key has exactly 32 ASCII letters and digits")]
pub struct ApiKeyError;

/// A refused signature. Outwardly there is this one error, `SIGN_ERROR`, with one text; why is
/// for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("签名错误")]
pub struct SignError {
    reason: SignErrorReason,
}

impl SignError {
    /// The cause, for the log. It holds no key, no signature and no value of the request.
    pub fn reason(&self) -> &SignErrorReason {
        &self.reason
    }

    /// The field whose value makes the string ambiguous, if that is the cause. It follows from the
    /// request alone, whatever the key, so it may be told to the caller.
    pub fn ambiguous_field(&self) -> Option<&AmbiguousField> {
        match &self.reason {
            SignErrorReason::Ambiguous(field) => Some(field),
            SignErrorReason::SignTypeUnknown
            | SignErrorReason::PolicyForbidsMd5
            | SignErrorReason::Missing
            | SignErrorReason::Length { .. }
            | SignErrorReason::NotUpperCaseHex
            | SignErrorReason::Mismatch => None,
        }
    }
}

/// Why a signature was refused; for logs only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignErrorReason {
    /// A value could be read as another field.
    #[error(transparent)]
    Ambiguous(#[from] AmbiguousField),
    /// `sign_type` is neither `MD5` nor `HMAC-SHA256`, in exactly this spelling.
    #[error("sign_type is unknown")]
    SignTypeUnknown,
    /// The request asks for MD5 and the merchant's policy does not allow it.
    #[error("the merchant's policy forbids MD5")]
    PolicyForbidsMd5,
    /// `sign` is absent or empty.
    #[error("sign is missing")]
    Missing,
    /// `sign` has the wrong length for the algorithm.
    #[error("sign has {found} bytes instead of {expected}")]
    Length {
        /// Hex digits the algorithm has.
        expected: usize,
        /// Bytes the request has.
        found: usize,
    },
    /// `sign` is not upper-case hex.
    #[error("sign is not upper-case hex")]
    NotUpperCaseHex,
    /// `sign` belongs to another message or another key.
    #[error("sign does not match")]
    Mismatch,
}

/// Signs fields (any `sign` among them is ignored) and returns upper-case hex: 32 digits for MD5,
/// 64 for HMAC-SHA256.
pub fn sign(fields: &Fields, key: &ApiKey, sign_type: SignType) -> String {
    hex::encode_upper(digest(&canonical_string(fields), key, sign_type))
}

/// Checks a request's signature and returns the algorithm it was made with, which the answer then
/// uses too. The rules are in the module's head; ambiguous messages are refused first.
///
/// # Errors
///
/// [`SignError`], one variant outwardly.
pub fn verify(fields: &Fields, key: &ApiKey, policy: SignPolicy) -> Result<SignType, SignError> {
    check(fields, key, policy).map_err(|reason| SignError { reason })
}

fn check(fields: &Fields, key: &ApiKey, policy: SignPolicy) -> Result<SignType, SignErrorReason> {
    check_unambiguous(fields, KNOWN_NAMES)?;
    let sign_type = decide_sign_type(fields.non_empty(SIGN_TYPE), policy)?;
    let claimed = decode_sign(fields.non_empty(SIGN), sign_type)?;
    let matches = |base: &str| claimed.ct_eq(&digest(base, key, sign_type));
    let mut right = matches(&canonical_string(fields));
    if fields.non_empty(SIGN_TYPE).is_some() {
        right |= matches(&base_without(fields, &[SIGN, SIGN_TYPE]));
    }
    if bool::from(right) { Ok(sign_type) } else { Err(SignErrorReason::Mismatch) }
}

fn decide_sign_type(asked: Option<&str>, policy: SignPolicy) -> Result<SignType, SignErrorReason> {
    match (policy, asked) {
        (SignPolicy::HmacSha256Only, None) | (_, Some("HMAC-SHA256")) => Ok(SignType::HmacSha256),
        (SignPolicy::Md5Allowed, None | Some("MD5")) => Ok(SignType::Md5),
        (SignPolicy::HmacSha256Only, Some("MD5")) => Err(SignErrorReason::PolicyForbidsMd5),
        (SignPolicy::HmacSha256Only | SignPolicy::Md5Allowed, Some(_)) => {
            Err(SignErrorReason::SignTypeUnknown)
        }
    }
}

/// The bytes of `sign`, if its form is right for the algorithm.
fn decode_sign(text: Option<&str>, sign_type: SignType) -> Result<Vec<u8>, SignErrorReason> {
    let text = text.ok_or(SignErrorReason::Missing)?;
    let expected = sign_type.bytes().saturating_mul(2);
    if text.len() != expected {
        return Err(SignErrorReason::Length { expected, found: text.len() });
    }
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')) {
        return Err(SignErrorReason::NotUpperCaseHex);
    }
    hex::decode(text).ok().ok_or(SignErrorReason::NotUpperCaseHex)
}

/// Signs an answer: texts are trimmed, a former signature is replaced, `sign` comes last.
///
/// Only answer with a signature what was itself verified. An answer that echoes an unverified
/// request would lend the merchant's signature to texts of a stranger.
///
/// # Errors
///
/// [`AmbiguousField`] if a text could be read as another field; the answer is then unsigned, and
/// still good to send.
pub fn sign_answer(
    answer: &mut Answer,
    key: &ApiKey,
    sign_type: SignType,
) -> Result<(), AmbiguousField> {
    answer.remove_sign();
    answer.trim_texts();
    let fields = answer.to_fields();
    check_unambiguous(&fields, KNOWN_NAMES)?;
    answer.push_text(SIGN, &sign(&fields, key, sign_type));
    Ok(())
}

/// The raw signature over `base` followed by `&key=` and the key.
fn digest(base: &str, key: &ApiKey, sign_type: SignType) -> Vec<u8> {
    const KEY_PART: &[u8] = b"&key=";
    match sign_type {
        SignType::Md5 => {
            let md5 =
                Md5::new().chain_update(base).chain_update(KEY_PART).chain_update(key.0.as_slice());
            md5.finalize().to_vec()
        }
        SignType::HmacSha256 => {
            let mut block = [0; SHA256_BLOCK_BYTES];
            block.iter_mut().zip(&key.0).for_each(|(to, from)| *to = *from);
            let hmac = Hmac::<Sha256>::new(&block.into())
                .chain_update(base)
                .chain_update(KEY_PART)
                .chain_update(key.0.as_slice());
            block.zeroize();
            hmac.finalize().into_bytes().to_vec()
        }
    }
}
