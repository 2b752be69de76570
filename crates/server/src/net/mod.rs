//! Listeners: TCP, TLS and HTTP/1.1 up to the router, with a bound on everything a stranger can
//! hold.
//!
//! The way of a connection, and what bounds each step:
//!
//! | step | bound |
//! |---|---|
//! | wait for a free place | total number of connections; beyond it the kernel's queue holds callers |
//! | accept | connections of one address; beyond it the connection is closed at once |
//! | TLS handshake | `handshake_timeout`; TLS 1.2 and 1.3 only |
//! | request head, and idling between requests | `header_timeout`, `header_bytes_max` |
//! | request body and handler | `request_timeout` |
//! | writing to a client that does not read | `stall_timeout` |
//! | end of the process | `drain_timeout` for what runs |
//!
//! HTTP/1.1 only, on every port: no SDK of the V2 interface speaks HTTP/2, a reverse proxy that
//! does speaks HTTP/1.1 to its origins, and the whole class of HTTP/2 floods (N-2) stays out.
//!
//! The client's certificate is asked for, not demanded: a caller without one gets as far as HTTP,
//! where it can be told `CA_ERROR`. One of another authority, for servers, expired or not yet
//! valid ends the handshake. A handler finds the caller as a [`Peer`] in the request's
//! extensions; it is made of the socket and the handshake, never of headers. A certificate that
//! expires while its connection stays open counts as absent from that second on.
//!
//! Identity belongs to one full handshake: the mutual port gives no session tickets and keeps no
//! sessions (J-3).

mod connection;
mod doors;
mod limits;
mod listener;
mod serve;
mod stall;
#[cfg(test)]
mod tests;
mod tls;

pub use hongbao_http::peer::{Peer, PeerCertificate};
pub use limits::Limits;
pub use listener::{Listener, ListenerConfig};
pub use serve::{Stopped, bounded, serve, serve_bounded};
pub use tls::{Tls, TlsError};
