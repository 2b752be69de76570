//! Names in addresses.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::{Problem, rows};

/// Names out of the path. What is not even a name is answered like a name of nothing (L-1).
#[derive(Clone, Copy, Debug)]
pub struct InPath<T>(pub T);

impl<S, T> FromRequestParts<S> for InPath<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(names)) => Ok(Self(names)),
            Err(_not_a_name) => Err(Problem::new(rows::NOT_FOUND)),
        }
    }
}
