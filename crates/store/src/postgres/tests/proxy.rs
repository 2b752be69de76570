//! A network between store and server that can be cut around a COMMIT (C-2).

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_postgres::{Config, config::Host};

use super::PostgresUrl;

/// Where the network is cut, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The server never sees the COMMIT.
    BeforeCommit = 1,
    /// It is on its way, and nobody waits for the answer.
    AfterCommit = 2,
    /// The server has answered, and the answer is lost.
    OfAnswer = 3,
}

/// The network.
pub(super) struct Proxy {
    /// The same database, reached through it.
    pub(super) url: PostgresUrl,
    next: Arc<AtomicU8>,
}

impl Proxy {
    pub(super) async fn before(url: &PostgresUrl) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let text = url.with_password();
        let config: Config = text.parse().unwrap();
        let (_, place) = text.split_once('@').unwrap();
        let (_, database) = place.split_once('/').unwrap();
        let user = config.get_user().unwrap();
        let sign = if database.contains('?') { '&' } else { '?' };
        // It reads what goes by.
        let through = format!("postgres://{user}@{address}/{database}{sign}sslmode=disable");
        let next = Arc::new(AtomicU8::new(0));
        let cut = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, config.clone(), Arc::clone(&cut)));
            }
        });
        Self { url: through.parse().unwrap(), next }
    }

    /// Cuts the connection of the next COMMIT.
    pub(super) fn cut(&self, cut: Cut) {
        self.next.store(cut as u8, Ordering::SeqCst);
    }

    /// Whether it was cut since.
    pub(super) fn was_cut(&self) -> bool {
        self.next.load(Ordering::SeqCst) == 0
    }
}

/// Passes everything on until one side ends or the connection is cut.
async fn pass(client: TcpStream, config: Config, next: Arc<AtomicU8>) {
    match (&config.get_hosts()[0], config.get_ports().first().copied().unwrap_or(5432)) {
        (Host::Unix(directory), port) => {
            let socket = directory.join(format!(".s.PGSQL.{port}"));
            between(client, UnixStream::connect(socket).await.unwrap(), &next).await;
        }
        (Host::Tcp(name), port) => {
            between(client, TcpStream::connect((name.as_str(), port)).await.unwrap(), &next).await;
        }
    }
}

async fn between<S: AsyncRead + AsyncWrite>(client: TcpStream, server: S, next: &AtomicU8) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    // The first message has no kind.
    let Ok(length) = from_client.read_u32().await else { return };
    let mut rest = vec![0; usize::try_from(length).unwrap() - 4];
    from_client.read_exact(&mut rest).await.unwrap();
    to_server.write_all(&[&length.to_be_bytes(), rest.as_slice()].concat()).await.unwrap();
    let ours = async {
        loop {
            let Ok(message) = message(&mut from_client).await else { return None };
            let cut = if is_commit(&message) { next.swap(0, Ordering::SeqCst) } else { 0 };
            if cut == Cut::BeforeCommit as u8 || to_server.write_all(&message).await.is_err() {
                return None;
            }
            if cut != 0 {
                return Some(cut);
            }
        }
    };
    let theirs = async {
        drop(tokio::io::copy(&mut from_server, &mut to_client).await);
    };
    let cut = tokio::select! {
        cut = ours => cut,
        () = theirs => None,
    };
    // The other direction is dropped by now: what the server says is not passed on.
    if cut == Some(Cut::OfAnswer as u8) {
        from_server.read_u8().await.unwrap();
    }
}

/// One message as it is: kind, length, what it says.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let (kind, length) = (from.read_u8().await?, from.read_u32().await?);
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.resize(usize::try_from(length).unwrap() + 1, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

fn is_commit(message: &[u8]) -> bool {
    message.first() == Some(&b'Q') && message[5..].starts_with(b"COMMIT\0")
}
