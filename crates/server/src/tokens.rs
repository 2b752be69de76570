//! Tokens of operators and users, kept in the data directory.

use hongbao_app::ports::{Rng, random_bytes};
use hongbao_http::{
    ops::{OperatorToken, Permission},
    pocket::token::{TokenIssuer, TokenKeyError, TokenVerifier},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{
    config::Config,
    home::{Home, HomeError},
    running::StartError,
};

/// Hashes and permissions of operator tokens; an operator edits it to add or take away tokens.
const OPERATORS: &str = "operators.json";
/// The demo's own operator token, in the clear: a demo has no secrets worth more.
const DEMO_TOKEN: &str = "demo-operator.token";

/// A line of [`OPERATORS`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorLine {
    name: String,
    /// SHA-256 of the token, hex.
    sha256: String,
    permissions: Vec<Permission>,
}

/// The operators of an installation.
pub fn operators(home: &Home) -> Result<Vec<OperatorToken>, StartError> {
    let path = home.path(OPERATORS);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = home.secret(OPERATORS, || Zeroizing::new(String::new()))?;
    let failed =
        |why: &dyn std::fmt::Display| StartError::Tokens(format!("{}: {why}", path.display()));
    let lines: Vec<OperatorLine> = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    lines
        .into_iter()
        .map(|OperatorLine { name, sha256, permissions }| {
            let mut sha256_of_token = [0; 32];
            hex::decode_to_slice(&sha256, &mut sha256_of_token).map_err(|error| failed(&error))?;
            Ok(OperatorToken { name, sha256_of_token, permissions })
        })
        .collect()
}

/// Makes the first operator's token when there is none; answers it, for it is nowhere else.
pub fn first_operator(home: &Home, rng: &dyn Rng) -> Result<Option<Zeroizing<String>>, HomeError> {
    if home.path(OPERATORS).exists() {
        return Ok(None);
    }
    let token = new_token(rng);
    write_operator(home, &token)?;
    Ok(Some(token))
}

/// The demo's operator token, the same at every start.
///
/// # Errors
/// A directory that `hongbao serve` has started in is no demo's: its operators stay.
pub fn demo_operator(home: &Home, rng: &dyn Rng) -> Result<Zeroizing<String>, HomeError> {
    if home.path(OPERATORS).exists() && !home.path(DEMO_TOKEN).exists() {
        return Err(HomeError::NotADemo { path: home.directory().to_owned() });
    }
    let token = home.secret(DEMO_TOKEN, || new_token(rng))?;
    write_operator(home, &token)?;
    Ok(token)
}

/// How user tokens are checked: by the host app's key set, else by the shared secret.
pub fn user_tokens(
    home: &Home,
    config: &Config,
    rng: &dyn Rng,
) -> Result<TokenVerifier, StartError> {
    let Some(path) = &config.user_jwks else {
        let secret = home.user_token_secret(rng)?;
        return TokenVerifier::shared_secret(secret.as_bytes())
            .map_err(|error| StartError::Tokens(format!("user-token.secret: {error}")));
    };
    let failed =
        |error: &dyn std::fmt::Display| StartError::Tokens(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    TokenVerifier::jwks(&text).map_err(|error| failed(&error))
}

/// Signs user tokens with the shared secret, for the demo.
pub fn user_token_issuer(secret: &str) -> Result<TokenIssuer, TokenKeyError> {
    TokenIssuer::shared_secret(secret.as_bytes())
}

fn new_token(rng: &dyn Rng) -> Zeroizing<String> {
    Zeroizing::new(format!("hb_ops_{}", hex::encode(random_bytes::<24>(rng))))
}

fn write_operator(home: &Home, token: &str) -> Result<(), HomeError> {
    let operator = OperatorLine {
        name: "operator".to_owned(),
        sha256: hex::encode(Sha256::digest(token)),
        permissions: Permission::ALL.to_vec(),
    };
    let text = serde_json::to_string_pretty(&[operator]).unwrap_or_default();
    home.write_private(OPERATORS, text.as_bytes())?;
    Ok(())
}
