//! A bound port.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use super::Tls;

/// Where to listen and how.
#[derive(Clone, Debug)]
pub struct ListenerConfig {
    /// The address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// TLS; without it plain HTTP, for a port that only a proxy or the machine itself reaches.
    pub tls: Option<Tls>,
}

/// A port that is bound, so that a taken one is an error before anything starts.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: TcpListener,
    pub(super) tls: Option<Tls>,
}

impl Listener {
    /// Binds the port.
    pub async fn bind(config: ListenerConfig) -> io::Result<Self> {
        let socket = TcpListener::bind(config.address).await?;
        Ok(Self { socket, tls: config.tls })
    }

    /// The address bound.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}
