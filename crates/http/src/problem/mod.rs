//! Problems of the JSON faces, RFC 9457, that always say where the money is and what to do next.
//!
//! [`rows`] has every code; [`Problem::from`] maps every refusal and failure to one, without a
//! wildcard, so that a new reason does not compile until it has its row. What is only for the log
//! (store texts, paths, statements) never enters a problem.

mod body;
mod refusal;
pub mod rows;
mod stop;
mod text;

pub use body::{Figure, ProblemBody};
pub use refusal::refused;
pub use text::{Language, Text};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use hongbao_domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use self::rows::Row;

/// What this call did to money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MoneyState {
    /// This call moved nothing.
    NotMoved,
    /// It left its account and has not arrived.
    Held,
    /// It has arrived.
    Paid,
    /// It went back to where it came from.
    Returned,
    /// Not known: only the same number tells.
    Unknown,
}

/// What the caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextAction {
    /// Call again with the same number (and the same content): it cannot happen twice.
    RetrySameNumber,
    /// Change the request.
    FixRequest,
    /// Wait, until `wait_until` where it is given.
    Wait,
    /// Talk to a person.
    Contact,
    /// Nothing helps.
    None,
}

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer into the body; for a query parameter its name.
    pub pointer: String,
    /// What is wrong or allowed.
    pub detail: Text,
}

/// Why a call has no outcome. Rendered in Chinese, or in English for those who ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    row: Row,
    money_state: MoneyState,
    note: Option<Text>,
    wait_until: Option<Timestamp>,
    limit: Option<Figure>,
    used: Option<Figure>,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// The problem of this row; nothing moved.
    pub fn new(row: Row) -> Self {
        Self(Box::new(Parts {
            row,
            money_state: MoneyState::NotMoved,
            note: None,
            wait_until: None,
            limit: None,
            used: None,
            errors: Vec::new(),
            retry_after_seconds: None,
        }))
    }

    /// Its row.
    pub fn row(&self) -> &Row {
        &self.0.row
    }

    /// Where the money is.
    #[must_use]
    pub fn money(mut self, state: MoneyState) -> Self {
        self.0.money_state = state;
        self
    }

    /// A sentence of its own, shown before the general advice.
    #[must_use]
    pub fn note(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.0.note = Some(Text::new(zh, en));
        self
    }

    /// When waiting helps.
    #[must_use]
    pub fn wait_until(mut self, at: Timestamp) -> Self {
        self.0.wait_until = Some(at);
        self
    }

    /// The limit that was hit.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Figure>) -> Self {
        self.0.limit = Some(limit.into());
        self
    }

    /// How much of the limit is used.
    #[must_use]
    pub fn used(mut self, used: impl Into<Figure>) -> Self {
        self.0.used = Some(used.into());
        self
    }

    /// One wrong field.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, detail: Text) -> Self {
        self.0.errors.push(FieldError { pointer: pointer.into(), detail });
        self
    }

    /// After how many seconds another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// The response in `language`.
    pub fn response(self, language: Language) -> Response {
        let Parts { row, retry_after_seconds, .. } = &*self.0;
        let body = serde_json::to_vec(&ProblemBody::of(&self, language)).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = row.status;
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        if row.status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// In Chinese; the faces turn it into the caller's language, see [`Language`].
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.response(Language::Chinese)
    }
}
