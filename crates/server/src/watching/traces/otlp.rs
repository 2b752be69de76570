//! The exporter: spans in batches, by HTTP and protobuf.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use axum::http::{HeaderMap, Uri, header::HOST};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry::{
    KeyValue,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio::{net::TcpStream, runtime::Handle, time::timeout};
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer as _, filter::Targets};

use super::{SpanLayer, TraceError};

/// For one export. A collector beside the server answers in milliseconds.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// For the last one.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// Collects spans and sends them from a thread of its own. What the collector does not take is
/// lost: traces never hold up money.
#[derive(Debug)]
pub(super) struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    pub(super) fn start(endpoint: &str) -> Result<Self, TraceError> {
        let plain = endpoint.parse::<Uri>().is_ok_and(|uri| {
            uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !plain {
            return Err(TraceError::Endpoint(endpoint.to_owned()));
        }
        let sender = Sender { runtime: Handle::current(), failing: AtomicBool::new(false) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .with_http_client(sender)
            .build()
            .map_err(|error| TraceError::Exporter(error.to_string()))?;
        // Sampling, queue and attributes of the resource follow the variables OTEL_*.
        let mut resource = Resource::builder()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("hongbao");
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { provider })
    }

    pub(super) fn layer(&self) -> SpanLayer {
        let only_ours = Targets::new().with_target(hongbao_app::spans::TARGET, Level::TRACE);
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("hongbao"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(only_ours)
            .boxed()
    }

    pub(super) async fn finish(self) {
        let finished = tokio::task::spawn_blocking(move || {
            self.provider.shutdown_with_timeout(FINISH_TIMEOUT)
        });
        match finished.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last spans were not exported"),
            Err(error) => tracing::error!(%error, "the exporter of traces ended badly"),
        }
    }
}

/// Posts over plain HTTP, a connection each: some bytes every five seconds.
#[derive(Debug)]
struct Sender {
    /// The exporter's thread is outside of it.
    runtime: Handle,
    /// So that a collector that is away costs one line, not one every five seconds.
    failing: AtomicBool,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let posted = self.runtime.spawn(async { timeout(EXPORT_TIMEOUT, post(request)).await });
        let posted = async { posted.await?? }.await;
        let failed = match &posted {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(response.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        let failing = self.failing.swap(failed.is_some(), Ordering::Relaxed);
        match failed {
            Some(error) if !failing => {
                tracing::warn!(error, "spans were not exported and are lost until they are again");
            }
            None if failing => tracing::info!("spans are exported again"),
            Some(_) | None => {}
        }
        posted
    }
}

async fn post(mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or("no host to send to")?;
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let socket = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    let connection = tokio::spawn(connection);
    request.headers_mut().insert(HOST, authority.as_str().parse()?);
    *request.uri_mut() = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let (head, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}

/// Makes `span` part of the trace in `headers`, or only links it where the caller is not believed.
pub(super) fn continue_trace(span: &Span, believed: bool, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    let theirs = context.span().span_context().clone();
    if !theirs.is_valid() {
        return;
    }
    if believed {
        // Fails where no exporter is in force, and then there is nothing to continue.
        drop(span.set_parent(context));
    } else {
        span.add_link(theirs);
    }
}

struct Headers<'h>(&'h HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceId;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    /// The trace that a request with `header` is in.
    fn trace_of(believed: bool, header: &str) -> TraceId {
        let exporter = Exporter { provider: SdkTracerProvider::builder().build() };
        let subscriber = tracing_subscriber::registry().with(exporter.layer());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::trace_span!(target: hongbao_app::spans::TARGET, "request");
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", header.parse().unwrap());
            continue_trace(&span, believed, &headers);
            span.context().span().span_context().trace_id()
        })
    }

    #[test]
    fn a_believed_callers_trace_is_continued_and_anothers_is_not() {
        let header = format!("00-{TRACE}-b7ad6b7169203331-01");
        let theirs = TraceId::from_hex(TRACE).unwrap();
        assert_eq!(trace_of(true, &header), theirs);
        let own = trace_of(false, &header);
        assert_ne!(own, theirs);
        assert_ne!(own, TraceId::INVALID);
    }

    #[test]
    fn a_header_that_is_no_trace_begins_one() {
        for header in ["", "00-zz-b7ad6b7169203331-01", "00-0-0-01"] {
            assert_ne!(trace_of(true, header), TraceId::INVALID, "{header}");
        }
    }

    #[test]
    fn spans_of_others_are_not_made() {
        let exporter = Exporter { provider: SdkTracerProvider::builder().build() };
        let subscriber = tracing_subscriber::registry().with(exporter.layer());
        tracing::subscriber::with_default(subscriber, || {
            assert!(tracing::error_span!(target: "hyper", "connection").is_disabled());
        });
    }
}
