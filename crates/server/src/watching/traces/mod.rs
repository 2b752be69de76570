//! Traces: spans exported by OTLP to a collector, where one is named.
//!
//! Off, nothing is made: the spans in the code have a target that no ordinary log filter lets
//! through, and what is left of each is one comparison. On, only spans of that target are made, so
//! that what is exported is what [`hongbao_app::spans`] lists and nothing else.
//!
//! The exporter is behind the cargo feature `otel`, which is on by default.

#[cfg(feature = "otel")]
mod otlp;

use axum::http::HeaderMap;
use tracing::Span;
use tracing_subscriber::{Layer, Registry};

use super::Face;
use crate::config::Config;

/// A layer as [`crate::logging`] puts it beside its own.
pub type SpanLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Why traces were not started.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The endpoint is not one that spans can be sent to.
    #[error(
        "`{0}` is no OTLP endpoint for traces: give http://HOST:PORT of a collector beside the \
         server; TLS and gRPC are the collector's part"
    )]
    Endpoint(String),
    /// The exporter did not start.
    #[error("the exporter of traces: {0}")]
    Exporter(String),
    /// This binary has none.
    #[error("traces are asked for, and this binary was built without the feature `otel`")]
    NotBuilt,
}

/// Where to send spans: the configuration, or the variables that OpenTelemetry names. `None` when
/// nobody asked.
pub fn endpoint(config: &Config) -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return None;
    }
    let of_traces = |base: String| format!("{}/v1/traces", base.trim_end_matches('/'));
    let named = config.otlp_endpoint.clone().map(of_traces);
    named
        .or_else(|| variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
        .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(of_traces))
}

/// A running exporter.
#[derive(Debug)]
pub struct Traces {
    #[cfg(feature = "otel")]
    exporter: otlp::Exporter,
}

impl Traces {
    /// Starts exporting if an endpoint is named. Runs inside a tokio runtime.
    #[cfg(feature = "otel")]
    pub fn start(config: &Config) -> Result<Option<Self>, TraceError> {
        let start = |endpoint: String| otlp::Exporter::start(&endpoint);
        Ok(endpoint(config).map(start).transpose()?.map(|exporter| Self { exporter }))
    }

    /// Starts nothing.
    #[cfg(not(feature = "otel"))]
    pub fn start(config: &Config) -> Result<Option<Self>, TraceError> {
        endpoint(config).map_or(Ok(None), |_| Err(TraceError::NotBuilt))
    }

    /// What makes spans of the program into spans of a trace.
    pub fn layer(&self) -> SpanLayer {
        #[cfg(feature = "otel")]
        {
            self.exporter.layer()
        }
        #[cfg(not(feature = "otel"))]
        {
            Box::new(tracing_subscriber::layer::Identity::new())
        }
    }

    /// Sends what waits, for two seconds at most.
    #[cfg_attr(not(feature = "otel"), expect(clippy::unused_async, reason = "as with the feature"))]
    pub async fn finish(self) {
        #[cfg(feature = "otel")]
        self.exporter.finish().await;
    }
}

/// Continues the trace that `headers` name: as its child where callers are believed, as a trace of
/// its own that is linked to theirs where they are not. A merchant's server is somebody else's.
#[cfg(feature = "otel")]
pub(super) fn continue_trace(span: &Span, face: Face, headers: &HeaderMap) {
    otlp::continue_trace(span, face != Face::V2, headers);
}

/// There is no trace to continue.
#[cfg(not(feature = "otel"))]
pub(super) fn continue_trace(_span: &Span, _face: Face, _headers: &HeaderMap) {}
