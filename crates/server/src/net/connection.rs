//! One connection: handshake, then requests until it ends.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{Router, http::Request};
use hongbao_app::ports::Clock;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::ServiceExt as _;

use super::{Limits, Peer, PeerCertificate, Tls, stall::StallGuard};
use crate::ca::{ClientIdentity, merchant_of};

/// What every connection of a listener shares.
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
}

/// Turns true when the process is asked to stop.
pub(super) type Stop = watch::Receiver<bool>;

/// Serves `stream` until either side ends it.
pub(super) async fn run(shared: Arc<Shared>, stream: TcpStream, addr: SocketAddr, mut stop: Stop) {
    let addr = SocketAddr::new(addr.ip().to_canonical(), addr.port());
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(peer = %addr, %error, "the connection ended before it began");
        return;
    }
    let stream = StallGuard::new(stream, shared.limits.stall_timeout);
    let Some(tls) = &shared.tls else {
        requests(&shared, stream, Caller { addr, shown: None }, stop).await;
        return;
    };
    let accepted = tokio::select! {
        () = stopped(&mut stop) => return,
        accepted = handshake(tls, stream, addr, &shared.limits) => accepted,
    };
    let Some(stream) = accepted else { return };
    match shown(&stream, tls) {
        Ok(shown) => requests(&shared, stream, Caller { addr, shown }, stop).await,
        Err(error) => tracing::warn!(peer = %addr, %error, "a certificate names no merchant"),
    }
}

async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    tls: &Tls,
    stream: S,
    addr: SocketAddr,
    limits: &Limits,
) -> Option<TlsStream<S>> {
    let accept = TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream);
    match timeout(limits.handshake_timeout, accept).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::info!(peer = %addr, %error, "TLS handshake refused");
            None
        }
        Err(_) => {
            tracing::debug!(peer = %addr, "TLS handshake took too long");
            None
        }
    }
}

/// The identity in the certificate shown, if one was.
fn shown<S>(stream: &TlsStream<S>, tls: &Tls) -> Result<Option<Shown>, crate::ca::IdentityError> {
    let (_, session) = stream.get_ref();
    let Some(cert) = session.peer_certificates().and_then(<[_]>::first) else {
        return Ok(None);
    };
    let identity = merchant_of(cert)?;
    let clock = Arc::clone(&tls.clock);
    Ok(Some(Shown::new(identity, clock)))
}

async fn requests<S>(shared: &Shared, stream: S, caller: Caller, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let addr = caller.addr;
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller.peer());
        let answer = shared.router.clone().oneshot(request);
        async { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_timeout)
        .max_header_size(shared.limits.header_bytes_max)
        .max_buf_size(shared.limits.header_bytes_max)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %addr, %error, "the connection broke");
    }
}

/// Returns when the process is asked to stop.
async fn stopped(stop: &mut Stop) {
    // An error means that `serve` is gone, which is a stop too.
    drop(stop.wait_for(|stopping| *stopping).await);
}

/// Who is at the other end.
struct Caller {
    addr: SocketAddr,
    shown: Option<Shown>,
}

impl Caller {
    /// As a request made now sees it.
    fn peer(&self) -> Peer {
        Peer { addr: self.addr, certificate: self.shown.as_ref().and_then(Shown::valid_now) }
    }
}

/// A certificate that the handshake accepted.
struct Shown {
    certificate: PeerCertificate,
    not_after: hongbao_domain::Timestamp,
    clock: Arc<dyn Clock>,
}

impl Shown {
    fn new(identity: ClientIdentity, clock: Arc<dyn Clock>) -> Self {
        let certificate =
            PeerCertificate { merchant: identity.merchant, serial: identity.serial_hex.into() };
        Self { certificate, not_after: identity.not_after, clock }
    }

    fn valid_now(&self) -> Option<PeerCertificate> {
        (self.clock.now() <= self.not_after).then(|| self.certificate.clone())
    }
}
