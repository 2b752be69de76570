//! `hongbao health`, for what runs the process and has no other client at hand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;

use super::Done;
use crate::{
    client::JsonClient,
    config::{Config, ConfigFlags},
};

/// Ask a server on this machine whether it is alive.
#[derive(Debug, Args)]
pub(super) struct Health {
    #[command(flatten)]
    flags: ConfigFlags,
    /// Ask whether it takes calls, not only whether it is alive
    #[arg(long)]
    ready: bool,
}

impl Health {
    pub(super) async fn run(self) -> Done {
        let config = Config::load(&self.flags).map_err(Box::new)?;
        let path = if self.ready { "/readyz" } else { "/healthz" };
        let address = reached_at(config.ops_listen).to_string();
        JsonClient::new(address, "").call("GET", path, None).await?;
        Ok(())
    }
}

/// Who listens everywhere is reached on this machine.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
