//! Requests: counted, timed, and begun as spans.

use std::time::Duration;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::{self, Next},
    response::Response,
};
use hongbao_app::spans;
use hongbao_http::watch::AnswerCode;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field::Empty};

use super::traces;
use crate::net::{self, Limits};

/// Which listener a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Merchants' servers.
    V2,
    /// Users' phones.
    Web,
    /// Operators and monitors.
    Ops,
}

impl Face {
    const fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::Web => "web",
            Self::Ops => "ops",
        }
    }
}

/// What is counted of requests. Clones count on the same values.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    answered: Family<Answered, Counter>,
    took: Family<Asked, Histogram, fn() -> Histogram>,
}

/// What was asked for: a route as it is written in the code, never a caller's path; so with methods.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    face: &'static str,
    method: &'static str,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    face: &'static str,
    method: &'static str,
    route: String,
    status: u16,
    code: &'static str,
}

impl Default for RequestMetrics {
    fn default() -> Self {
        // From a millisecond to sixteen seconds; a request is cut after thirty.
        let buckets = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        Self { answered: Family::default(), took: Family::new_with_constructor(buckets) }
    }
}

impl RequestMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "hongbao_http_requests",
            "Requests answered; code is the face's own word for how it ended",
            self.answered.clone(),
        );
        registry.register(
            "hongbao_http_request_seconds",
            "Time from a request's head to its answer's",
            self.took.clone(),
        );
    }
}

/// `router` with every request counted, and bounded: one that takes too long is counted, too. Goes
/// around everything that may answer in its stead. It is one layer for both, because a router boxes
/// request and answer once for each.
pub fn watched(router: Router, face: Face, metrics: &RequestMetrics, limits: &Limits) -> Router {
    let watch = Watch { face, metrics: metrics.clone(), request_timeout: limits.request_timeout };
    router.layer(middleware::from_fn_with_state(watch, watched_request))
}

#[derive(Clone)]
struct Watch {
    face: Face,
    metrics: RequestMetrics,
    request_timeout: Duration,
}

async fn watched_request(
    State(Watch { face, metrics, request_timeout }): State<Watch>,
    request: Request,
    next: Next,
) -> Response {
    let asked = Asked {
        face: face.as_str(),
        method: known(request.method()),
        route: matched(&request).to_owned(),
    };
    let span = begun(face, &asked, &request);
    let started = Instant::now();
    let answer = next.run(request).instrument(span.clone());
    let response = net::bounded(answer, request_timeout).await;
    metrics.took.get_or_create(&asked).observe(started.elapsed().as_secs_f64());
    let status = response.status().as_u16();
    let code = AnswerCode::of(&response).map_or("", |AnswerCode(code)| code);
    span.record("http.response.status_code", status).record("code", code);
    if response.status().is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let Asked { face, method, route } = asked;
    metrics.answered.get_or_create(&Answered { face, method, route, status, code }).inc();
    response
}

fn matched(request: &Request) -> &str {
    request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str)
}

/// A caller may write any method: those that are no route's are one.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn begun(face: Face, asked: &Asked, request: &Request) -> Span {
    let Asked { method, route, .. } = asked;
    let span = tracing::trace_span!(
        target: spans::TARGET,
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        face = face.as_str(),
        http.request.method = method,
        http.route = route.as_str(),
        http.response.status_code = Empty,
        code = Empty,
    );
    if !span.is_disabled() {
        traces::continue_trace(&span, face, request.headers());
    }
    span
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use axum::{Router, body::Body, extract::Request, routing::get};
    use prometheus_client::{encoding::text::encode, registry::Registry};
    use tower::ServiceExt as _;

    use super::{Face, Limits, RequestMetrics, watched};

    #[tokio::test]
    async fn requests_that_panic_or_never_end_are_answered_and_counted() {
        let metrics = RequestMetrics::default();
        let limits = Limits { request_timeout: Duration::from_millis(20), ..Limits::default() };
        let router = Router::new().route("/panic", get(panicking)).route("/never", get(never));
        let router = watched(router, Face::Web, &metrics, &limits);
        for (path, status) in [("/panic", 500), ("/never", 504)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path}");
        }
        let (mut registry, mut text) = (Registry::default(), String::new());
        metrics.register(&mut registry);
        encode(&mut text, &registry).unwrap();
        for counted in [r#"route="/panic",status="500""#, r#"route="/never",status="504""#] {
            let line = text.lines().find(|line| line.contains(counted));
            assert!(line.is_some_and(|line| line.ends_with(" 1")), "{counted} in {text}");
        }
    }

    async fn panicking() -> &'static str {
        panic!("planted")
    }

    async fn never() {
        pending::<()>().await;
    }
}
