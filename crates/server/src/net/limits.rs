//! The bounds of one listener.

use std::time::Duration;

/// What callers may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time.
    pub connections_max: u32,
    /// Connections at one time from one IPv4 address or one IPv6 /64, which is what one
    /// subscriber gets. Behind a reverse proxy every caller has the proxy's address: set it to
    /// `connections_max` there.
    pub connections_per_address_max: u32,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For the head of a request, and for the next request on an idle connection.
    pub header_timeout: Duration,
    /// The longest head of a request, and what a connection buffers beyond its body.
    pub header_bytes_max: usize,
    /// For a request from its head to the head of its answer, its body included. Then 504: the
    /// outcome is unknown.
    pub request_timeout: Duration,
    /// For a client that takes nothing of what is written to it.
    pub stall_timeout: Duration,
    /// For what runs when the process is asked to stop.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // An idle TLS connection costs about 30 KiB, one that sends as much as it may about
            // 100 KiB: 4,096 of them are 120 to 400 MiB.
            connections_max: 4_096,
            // Four addresses fill the server; a merchant's office or a bench stays far below.
            connections_per_address_max: 1_024,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            header_bytes_max: 64 * 1_024,
            // Shorter than the 60 s after which common HTTP clients give up by themselves.
            request_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
        }
    }
}
