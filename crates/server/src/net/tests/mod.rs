//! Loopback: a real listener, a real client, a clock that the test moves.

mod bounds;
mod handshake;
mod requests;
mod stop;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router, body::Body, routing::get};
use hongbao_app::ports::Clock;
use hongbao_domain::{MerchantId, Timestamp};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{tls::ClockTime, *};
use crate::ca::{Authority, IssuedServer, KeySeal, MerchantSubject, P12Profile, SealError, Terms};

/// 2026-11-23T12:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_435_200_000);
const DAY: Duration = Duration::from_hours(24);
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough to tell "waits" from "answers".
const MOMENT: Duration = Duration::from_millis(300);

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct Open;

impl KeySeal for Open {
    fn seal(&self, _: &str, plain: &[u8]) -> Vec<u8> {
        plain.to_vec()
    }

    fn open(&self, _: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}

/// An authority, a server certificate, a clock.
struct World {
    authority: Authority,
    server: IssuedServer,
    clock: Arc<TestClock>,
    _dir: TempDir,
}

/// A client's certificate and key.
struct Credentials {
    cert_pem: String,
    key_pem: String,
    serial: String,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::create(dir.path(), NOW, &Open).unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let terms = Terms { now: NOW, validity: 3650 * DAY, serial: [1; 16] };
        let server = authority.issue_server(&names, &terms).unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(NOW.millis())));
        Self { authority, server, clock, _dir: dir }
    }

    /// A merchant's certificate, issued at `issued_at` for ten days.
    fn merchant(&self, issued_at: Timestamp) -> Credentials {
        let merchant: MerchantId = "10000098".parse().unwrap();
        let profile = P12Profile::Modern;
        let subject = MerchantSubject { merchant, name: "", password: None, profile };
        let terms = Terms { now: issued_at, validity: 10 * DAY, serial: [2; 16] };
        let issued = self.authority.issue_merchant(&subject, &terms).unwrap();
        Credentials {
            cert_pem: issued.cert_pem.clone(),
            key_pem: issued.key_pem.to_string(),
            serial: issued.serial_hex.clone(),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    fn mutual(&self) -> Tls {
        let root = self.authority.root_pem();
        Tls::mutual(&self.server.cert_pem, &self.server.key_pem, root, self.clock()).unwrap()
    }

    fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        credentials: Option<&Credentials>,
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let root = self.authority.root_pem().as_bytes();
        roots.add(CertificateDer::from_pem_slice(root).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let time = Arc::new(ClockTime(self.clock()));
        let builder = ClientConfig::builder_with_details(provider, time)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match credentials {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let chain = vec![CertificateDer::from_pem_slice(own.cert_pem.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        TlsConnector::from(Arc::new(config))
    }
}

/// What the test's handlers share with the test.
#[derive(Default)]
struct Stage {
    requests: AtomicUsize,
    /// `/slow` has begun.
    entered: Notify,
    /// `/slow` may end.
    release: Notify,
}

fn router(stage: &Arc<Stage>) -> Router {
    let (count, slow) = (Arc::clone(stage), Arc::clone(stage));
    Router::new()
        .route("/", get(|Extension(peer): Extension<Peer>| async move { describe(&peer) }))
        .route(
            "/addr",
            get(|Extension(peer): Extension<Peer>| async move { peer.addr.to_string() }),
        )
        .route(
            "/slow",
            get(|| async move {
                slow.entered.notify_one();
                slow.release.notified().await;
                "slow but whole"
            }),
        )
        .route("/panic", get(|| async { panicking() }))
        .route("/never", get(std::future::pending::<()>))
        .route("/big", get(|| async { Body::from(vec![b'x'; 64 << 20]) }))
        .route("/body", axum::routing::post(|body: String| async move { body }))
        .layer(axum::middleware::map_request(move |request: axum::extract::Request| {
            count.requests.fetch_add(1, Ordering::SeqCst);
            async { request }
        }))
}

fn panicking() -> &'static str {
    panic!("planted")
}

fn describe(peer: &Peer) -> String {
    peer.certificate.as_ref().map_or_else(
        || "nobody".to_owned(),
        |certificate| format!("{} {}", certificate.merchant, certificate.serial),
    )
}

/// A listener that serves.
struct Running {
    addr: SocketAddr,
    stage: Arc<Stage>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Stopped>,
}

impl Running {
    async fn start(tls: Option<Tls>, limits: Limits) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(ListenerConfig { address, tls }).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let stage = Arc::new(Stage::default());
        let (stop, stopping) = oneshot::channel();
        let router = router(&stage);
        let served = tokio::spawn(async move {
            serve(listener, router, limits, async {
                stopping.await.unwrap_or_default();
            })
            .await
        });
        Self { addr, stage, stop, served }
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    async fn tls(&self, client: &TlsConnector) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        client.connect(name, self.tcp().await).await
    }

    /// The answer to one request over TLS, on a connection of its own.
    async fn ask(&self, client: &TlsConnector, path: &str) -> io::Result<String> {
        ask(&mut self.tls(client).await?, path).await
    }
}

/// One request that ends the connection; the whole answer.
async fn ask<S>(stream: &mut S, path: &str) -> io::Result<String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    rest(stream).await
}

/// One request on a connection that stays; the answer up to the end of `expected`.
async fn ask_again<S>(stream: &mut S, path: &str, expected: &str)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(expected.as_bytes()) {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        let so_far = String::from_utf8_lossy(&answer).into_owned();
        answer.push(byte.expect(&so_far).expect(&so_far));
    }
}

/// Everything until the other side ends the connection.
async fn rest<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("still open")?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
