//! Query strings.

use axum::{
    extract::{FromRequestParts, Query as AxumQuery},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::CursorScope;
use crate::problem::{Problem, Text, rows};

/// Lines of a page when nothing else is asked for.
const LIMIT_DEFAULT: u32 = 50;
/// Most lines of a page: at under 300 bytes a line some 60 KiB.
const LIMIT_MAX: u32 = 200;

/// A query string with known parameters, each once.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match AxumQuery::<T>::from_request_parts(parts, state).await {
            Ok(AxumQuery(query)) => Ok(Self(query)),
            Err(_malformed) => Err(Problem::new(rows::BAD_QUERY)),
        }
    }
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Most lines to answer, 1 to 200; 50 if not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// How many lines, checked.
    pub fn limit(&self) -> Result<u32, Problem> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if (1..=LIMIT_MAX).contains(&limit) {
            return Ok(limit);
        }
        let rule = Text::new(format!("1 至 {LIMIT_MAX}"), format!("1 to {LIMIT_MAX}"));
        Err(Problem::new(rows::BAD_QUERY).field("limit", rule))
    }

    /// Where the page before ended, if the cursor is one of `scope`.
    pub fn position<const N: usize>(
        &self,
        scope: &CursorScope,
    ) -> Result<Option<[u64; N]>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let position = scope.read(cursor).ok_or_else(|| {
            let rule = Text::new("不是此列表的游标", "not a cursor of this list");
            Problem::new(rows::BAD_QUERY).field("cursor", rule)
        })?;
        Ok(Some(position))
    }
}
