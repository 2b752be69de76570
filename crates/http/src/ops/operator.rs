//! Who operates.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};
use hongbao_domain::change::Actor;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Demand, OpsState, Permission};
use crate::{
    pocket::{
        bearer,
        json::{Principal, Security},
    },
    problem::{Problem, rows},
};

/// A token of an operator. Only its hash is kept: a token is long and random, so a plain hash
/// cannot be turned back.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorToken {
    /// A name that people recognise in records of changes.
    pub name: String,
    /// SHA-256 of the token.
    pub sha256_of_token: [u8; 32],
    /// What it allows.
    pub permissions: Vec<Permission>,
}

impl std::fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperatorToken")
            .field("name", &self.name)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

impl OperatorToken {
    /// The token `token` of `name`.
    pub fn new(name: impl Into<String>, token: &str, permissions: Vec<Permission>) -> Self {
        Self { name: name.into(), sha256_of_token: Sha256::digest(token).into(), permissions }
    }

    /// Whose token this is. Looks at all of them, and at whole hashes, so that time tells nothing.
    fn owner<'t>(tokens: &'t [Self], token: &str) -> Option<&'t Self> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        tokens.iter().fold(None, |found, known| {
            if bool::from(known.sha256_of_token.ct_eq(&hash)) { Some(known) } else { found }
        })
    }
}

/// An operator who has the permission `P`.
#[derive(Clone, Debug)]
pub struct Operator<P> {
    name: String,
    permission: PhantomData<P>,
}

impl<P: Demand> Operator<P> {
    /// As they stand in records of changes.
    pub fn actor(&self) -> Actor {
        Actor { name: format!("operator:{}", self.name), permission: P::PERMISSION.as_str() }
    }
}

impl<P: Demand> Principal for Operator<P> {
    const SECURITY: Security = Security::Operator(P::PERMISSION);
}

impl<P: Demand> FromRequestParts<OpsState> for Operator<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &OpsState) -> Result<Self, Problem> {
        let token = bearer(&parts.headers).ok_or_else(|| Problem::new(rows::UNAUTHENTICATED))?;
        let operator = OperatorToken::owner(&state.operators, token)
            .ok_or_else(|| Problem::new(rows::UNAUTHENTICATED))?;
        if !operator.permissions.contains(&P::PERMISSION) {
            return Err(Problem::new(rows::FORBIDDEN));
        }
        Ok(Self { name: operator.name.clone(), permission: PhantomData })
    }
}
