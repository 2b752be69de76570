//! Calling a face as its clients do.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// A call in the making.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// `method` on `path`.
pub(crate) fn call(method: &'static str, path: impl Into<String>) -> Call {
    Call { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
}

impl Call {
    #[must_use]
    pub(crate) fn by(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw(body.to_string())
    }

    /// A body that says it is JSON.
    #[must_use]
    pub(crate) fn raw(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    #[must_use]
    pub(crate) fn english(self) -> Self {
        self.header("accept-language", "en-GB,en;q=0.9")
    }

    /// Calls; whatever comes back keeps what every answer keeps.
    pub(crate) async fn on(self, face: &Router) -> Answer {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(self.body.clone())).unwrap();
        let response = face.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/plain"));
        let body = if bytes.is_empty() {
            Value::Null
        } else if text {
            Value::String(String::from_utf8(bytes.to_vec()).unwrap())
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {bytes:?}"))
        };
        let answer = Answer { status, headers, body };
        answer.keeps_its_promises(&self);
        answer
    }
}

impl Answer {
    /// Status and code of a problem.
    pub(crate) fn problem(&self) -> (u16, &str) {
        (self.status.as_u16(), self.body["code"].as_str().unwrap_or_default())
    }

    fn keeps_its_promises(&self, call: &Call) {
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store", "{call:?}");
        assert_eq!(self.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{call:?}");
        let health = self.body["reasons"].is_array();
        if self.status.is_success() || health {
            return;
        }
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{call:?}");
        for field in ["type", "title", "detail", "code", "money_state", "next_action"] {
            assert!(self.body[field].is_string(), "{call:?} lacks {field}: {self:?}");
        }
        assert_eq!(self.body["status"], self.status.as_u16(), "{call:?}");
        let kind = format!("urn:hongbao:problem:{}", self.problem().1);
        assert_eq!(self.body["type"], kind, "{call:?}");
    }
}
