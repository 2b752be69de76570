//! Who calls.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use hongbao_app::AppError;
use hongbao_domain::{Refusal, UserId};

use super::{
    PocketState,
    json::{Principal, Security},
    token::Holder,
};
use crate::problem::{Problem, rows};

/// Somebody whom the host app logged in; whether they are registered here is not said.
#[derive(Clone, Debug)]
pub(super) struct Guest(pub(super) Arc<Holder>);

/// A registered user.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// The wallet's owner.
    pub(super) user: UserId,
    /// By what name they called.
    pub(super) holder: Arc<Holder>,
}

impl Principal for Guest {
    const SECURITY: Security = Security::User;
}

impl Principal for Caller {
    const SECURITY: Security = Security::User;
}

impl FromRequestParts<PocketState> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &PocketState) -> Result<Self, Problem> {
        let refused = || Problem::new(rows::UNAUTHENTICATED);
        let token = bearer(&parts.headers).ok_or_else(refused)?;
        let holder = state.tokens.verify(token, state.app.clock().now());
        holder.map(Self).map_err(|_why| refused())
    }
}

impl FromRequestParts<PocketState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &PocketState) -> Result<Self, Problem> {
        let Guest(holder) = Guest::from_request_parts(parts, state).await?;
        let user = state.app.user_id(&holder.person).await.map_err(unregistered)?;
        Ok(Self { user, holder })
    }
}

/// The token of `Authorization: Bearer`, given once.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (given.next()?, given.next());
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let good = second.is_none() && scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    good.then_some(token)
}

/// Names nobody is registered under are answered as the domain answers them.
pub(super) fn unregistered(error: AppError) -> Problem {
    match error {
        AppError::NotFound { what: _ } => Refusal::UserUnknown.into(),
        error @ (AppError::Command(_)
        | AppError::Store(_)
        | AppError::Vault(_)
        | AppError::Invalid { .. }
        | AppError::RateExceeded) => error.into(),
    }
}
