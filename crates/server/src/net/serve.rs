//! The accept loop, and its end.

use std::{io, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};

use super::{
    Limits, Listener,
    connection::{self, Shared},
    doors::Doors,
};

/// After an accept error that does not pass by itself, such as too many open files: long enough
/// not to spin, short against the ten seconds after which idle connections free theirs.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections with a request still running when the drain time was over.
    pub cut: usize,
}

/// Bounds what a request can do to others: a panic in its handler is a 500 for it alone, one
/// that outlasts `limit` is answered 504. Both are plain texts: a face with a format of its own
/// answers earlier than these.
pub async fn bounded(answer: impl Future<Output = Response>, limit: Duration) -> Response {
    match timeout(limit, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(Ok(response)) => response,
        // The panic hook has logged what and where; the caller learns neither.
        Ok(Err(_panic)) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").into_response(),
        Err(_elapsed) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}

/// Serves `router` on `listener` until `shutdown`; then takes no more connections, lets requests
/// that run finish for `limits.drain_timeout`, and cuts what is left. Requests are [`bounded`].
pub async fn serve(
    listener: Listener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Stopped {
    let bound = move |request, next: Next| bounded(next.run(request), limits.request_timeout);
    serve_bounded(listener, router.layer(middleware::from_fn(bound)), limits, shutdown).await
}

/// As [`serve`], for a router whose answers are [`bounded`] already.
pub async fn serve_bounded(
    listener: Listener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Stopped {
    let Listener { socket, tls } = listener;
    let shared = Arc::new(Shared { router, limits, tls });
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::select! {
        biased;
        () = shutdown => {}
        never = accept_all(&socket, &shared, &stopping, &mut connections) => match never {},
    }
    drop(socket);
    stop.send_replace(true);
    drain(connections, limits.drain_timeout).await
}

enum Never {}

async fn accept_all(
    socket: &TcpListener,
    shared: &Arc<Shared>,
    stopping: &connection::Stop,
    connections: &mut JoinSet<()>,
) -> Never {
    let doors = Doors::new(&shared.limits);
    loop {
        while let Some(ended) = connections.try_join_next() {
            report(ended);
        }
        let permit = doors.free_place().await;
        let (stream, addr) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                refused(&error).await;
                continue;
            }
        };
        let Some(place) = doors.enter(permit, addr.ip()) else {
            tracing::debug!(peer = %addr, "too many connections from this address");
            continue;
        };
        let served = connection::run(Arc::clone(shared), stream, addr, stopping.clone());
        connections.spawn(async move {
            served.await;
            drop(place);
        });
    }
}

/// A caller that left while it waited is nothing; anything else is the machine's trouble.
async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!(%error, "cannot accept connections");
    sleep(ACCEPT_PAUSE).await;
}

async fn drain(mut connections: JoinSet<()>, drain_timeout: Duration) -> Stopped {
    let all = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if timeout(drain_timeout, all).await.is_ok() {
        return Stopped { cut: 0 };
    }
    let cut = connections.len();
    tracing::warn!(connections = cut, "requests still running were cut");
    connections.shutdown().await;
    Stopped { cut }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task panicked");
    }
}
