//! Who is at the other end of the connection, as the listener saw it.
//!
//! Put into every request's extensions by the server. It comes from the socket and the TLS
//! handshake only; headers such as `X-Forwarded-For` or `X-Client-Cert` have no part in it (J-6).

use std::{net::SocketAddr, sync::Arc};

use hongbao_domain::MerchantId;

/// The other end of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The socket's far address; an IPv4-mapped IPv6 address is given as IPv4 (J-7).
    pub addr: SocketAddr,
    /// The client certificate of the TLS handshake, if one was shown. It is of our authority and
    /// inside its validity now; whether it was revoked is for the reader to check, by `serial`.
    pub certificate: Option<PeerCertificate>,
}

/// What a client certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Whom it was issued to.
    pub merchant: MerchantId,
    /// Its serial number, upper-case hex as OpenSSL prints it.
    pub serial: Arc<str>,
}
