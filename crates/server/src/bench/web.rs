//! The product's HTTP face and a bare echo, on the same stack, under the same load.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{Router, body::Bytes, routing::post};
use hongbao_app::App;
use hongbao_domain::Timestamp;
use hongbao_http::pocket::{
    self, PocketState,
    token::{Claims, TokenIssuer, TokenVerifier},
};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    BenchError,
    dataset::Dataset,
    load::{self, LoadPlan, LoadResult},
};
use crate::{
    net::{self, Limits, Listener, ListenerConfig, Stopped},
    watching::{self, Face, RequestMetrics},
};

/// Tokens outlive any run.
const TOKEN_SECONDS: i64 = 86_400;
const SECRET: &[u8] = b"a secret of a benchmark, 32 bytes";

/// Two listeners of one process.
pub(super) struct WebBench {
    product: SocketAddr,
    echo: SocketAddr,
    tokens: TokenIssuer,
    verifier: Arc<TokenVerifier>,
    now: Timestamp,
    _stop: watch::Sender<bool>,
    _tasks: Vec<JoinHandle<Stopped>>,
}

impl WebBench {
    /// Serves `app` and an echo on loopback.
    pub(super) async fn start(app: &Arc<App>) -> Result<Self, BenchError> {
        let verifier = TokenVerifier::shared_secret(SECRET).map_err(BenchError::other)?;
        let verifier = Arc::new(verifier);
        let state = PocketState { app: Arc::clone(app), tokens: Arc::clone(&verifier) };
        let (stop, stopping) = watch::channel(false);
        let product = bind().await?;
        let echo = bind().await?;
        let addresses = (product.local_addr()?, echo.local_addr()?);
        // Counted as in a platform, for that costs something, too.
        let counted = RequestMetrics::default();
        // The generator is one address, as a reverse proxy is.
        let limits = Limits::default();
        let limits = Limits { connections_per_address_max: limits.connections_max, ..limits };
        let router = watching::watched(pocket::router(state), Face::Web, &counted, &limits);
        let echoing = Router::new().route("/", post(|body: Bytes| async { body }));
        let tasks = vec![
            tokio::spawn(net::serve_bounded(product, router, limits, told(stopping.clone()))),
            tokio::spawn(net::serve(echo, echoing, limits, told(stopping))),
        ];
        Ok(Self {
            product: addresses.0,
            echo: addresses.1,
            tokens: TokenIssuer::shared_secret(SECRET).map_err(BenchError::other)?,
            verifier,
            now: app.clock().now(),
            _stop: stop,
            _tasks: tasks,
        })
    }

    /// Opens packets over HTTP, each by its receiver, who called with the same token before.
    pub(super) async fn claims(
        &self,
        data: &Dataset,
        packets: &[u64],
        connections: usize,
        rate: Option<f64>,
    ) -> Result<LoadResult, BenchError> {
        let requests =
            packets.iter().map(|&no| self.open_request(data, no)).collect::<Result<Vec<_>, _>>()?;
        let plan = LoadPlan { target: self.product, connections, rate };
        Ok(load::run(plan, Arc::new(requests)).await?)
    }

    /// Sends as many bytes as an opening has to the echo.
    pub(super) async fn echo(
        &self,
        count: usize,
        connections: usize,
    ) -> Result<LoadResult, BenchError> {
        let body = "x".repeat(96);
        let request = format!(
            "POST / HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
            "x".repeat(180),
            body.len()
        );
        let plan = LoadPlan { target: self.echo, connections, rate: None };
        Ok(load::run(plan, Arc::new(vec![request.into_bytes(); count])).await?)
    }

    fn open_request(&self, data: &Dataset, no: u64) -> Result<Vec<u8>, BenchError> {
        let person = data.person(no)?;
        let claims = Claims {
            sub: person.openid.as_str().to_owned(),
            appid: person.app,
            openid: person.openid,
            exp: self.now.millis() / 1_000 + TOKEN_SECONDS,
            nbf: None,
            iss: None,
        };
        let token = self.tokens.issue(&claims).map_err(BenchError::other)?;
        self.verifier.verify(&token, self.now).map_err(BenchError::other)?;
        let code = data.code(no)?;
        Ok(format!(
            "POST /pocket/v1/packets/{code}/open HTTP/1.1\r\nhost: bench\r\n\
             authorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n"
        )
        .into_bytes())
    }
}

async fn bind() -> io::Result<Listener> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Listener::bind(ListenerConfig { address, tls: None }).await
}

async fn told(mut stop: watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
