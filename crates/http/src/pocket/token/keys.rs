//! Keys that check tokens, each with the one algorithm it is for.

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};

use super::TokenKeyError;

/// A key, for one algorithm.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: Option<String>,
    pub(super) decoding: DecodingKey,
    /// What is checked with it: the signature, by the key's algorithm and no other.
    pub(super) validation: Validation,
}

impl Key {
    pub(super) fn new(id: Option<String>, algorithm: Algorithm, decoding: DecodingKey) -> Self {
        Self { id, decoding, validation: signature_only(algorithm) }
    }

    /// Whether a token that calls its key `id`, or does not call it, may mean this one.
    pub(super) fn is_named(&self, id: Option<&str>) -> bool {
        // A key without a name, such as a shared secret, may be called as one likes.
        match (self.id.as_deref(), id) {
            (Some(ours), Some(named)) => ours == named,
            (None, _) | (_, None) => true,
        }
    }
}

/// Time is ours to check, by our own clock; the library's is the machine's.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// The keys of a JWKS document.
pub(super) fn of_document(text: &str) -> Result<Vec<Key>, TokenKeyError> {
    let set: JwkSet =
        serde_json::from_str(text).map_err(|bad| TokenKeyError::NotAKeySet(bad.to_string()))?;
    let keys: Vec<Key> = set
        .keys
        .iter()
        .enumerate()
        .map(|(place, jwk)| of_jwk(jwk).ok_or(TokenKeyError::KeyNotAllowed(place)))
        .collect::<Result<_, _>>()?;
    let mut ids: Vec<Option<&str>> = keys.iter().map(|key| key.id.as_deref()).collect();
    ids.sort_unstable();
    ids.dedup();
    if keys.is_empty() {
        Err(TokenKeyError::NoKey)
    } else if keys.len() > 1 && (ids.len() < keys.len() || ids.contains(&None)) {
        Err(TokenKeyError::KeysNotTold)
    } else {
        Ok(keys)
    }
}

fn of_jwk(jwk: &Jwk) -> Option<Key> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(ok) if ok.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        // A secret in a document of public keys is a mistake, not a key.
        _ => return None,
    };
    let common = &jwk.common;
    let agrees = common.key_algorithm.is_none_or(|algorithm| algorithm == named);
    let signs =
        common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let decoding = DecodingKey::from_jwk(jwk).ok().filter(|_| agrees && signs)?;
    Some(Key::new(common.key_id.clone(), algorithm, decoding))
}
