//! Servers that are none, or that stand in another one's place: what they get to hear.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::*;

/// How a client asks for TLS.
const ASKED: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Takes one connection, does `what` with it, and answers what the client sent that it should not
/// have; another connection is not waited for.
fn one_caller(
    what: impl FnOnce(&mut TcpStream) + Send + 'static,
) -> (u16, thread::JoinHandle<(Vec<u8>, TcpListener)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(asked, ASKED, "it did not ask for TLS first");
        what(&mut stream);
        // Whoever waits for more waits in vain.
        drop(stream.shutdown(Shutdown::Write));
        let mut rest = Vec::new();
        // A connection that was cut has no more to say either.
        drop(stream.read_to_end(&mut rest));
        (rest, listener)
    });
    (port, heard)
}

fn at(port: u16, words: &str) -> PostgresUrl {
    format!("postgres://hongbao:secret@localhost:{port}/postgres?{words}").parse().unwrap()
}

/// Whether anybody else came.
fn came_again(listener: &TcpListener) -> bool {
    listener.set_nonblocking(true).unwrap();
    listener.accept().is_ok()
}

#[tokio::test]
async fn a_server_without_tls_hears_nothing_where_tls_is_asked_for() {
    let root = Authority::new();
    for words in [
        "sslmode=require".to_owned(),
        format!("sslmode=require&{}", root.root()),
        format!("sslmode=verify-ca&{}", root.root()),
        format!("sslmode=verify-full&{}", root.root()),
    ] {
        let (port, caller) = one_caller(|stream| stream.write_all(b"N").unwrap());
        let refused = encrypted(&at(port, &words)).await.unwrap_err();
        assert!(refused.contains("set `ssl = on` on the server"), "{refused}");
        let (heard, listener) = caller.join().unwrap();
        assert!(heard.is_empty(), "{words}: it heard {} bytes", heard.len());
        assert!(!came_again(&listener), "{words}");
    }
}

#[tokio::test]
async fn a_real_server_without_tls_is_taken_only_where_that_is_allowed() {
    let Some(server) = Cluster::start_on_a_port(|_| ()) else { return };
    let authority = Authority::new();
    for words in ["", "sslmode=prefer", "sslmode=disable"] {
        assert_eq!(encrypted(&url(&server, "localhost", words)).await, Ok(false), "{words}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let words = format!("sslmode={mode}&{}", authority.root());
        let refused = encrypted(&url(&server, "localhost", &words)).await.unwrap_err();
        assert!(refused.contains("server does not support TLS"), "{mode}: {refused}");
    }
}

/// libpq would go on in plain text under `prefer`: then whoever can break a handshake can read.
#[tokio::test]
async fn a_handshake_that_breaks_is_not_gone_on_with_in_plain_text() {
    for words in ["", "sslmode=prefer", "sslmode=require"] {
        let (port, caller) = one_caller(|stream| {
            stream.write_all(b"S\x15\x03\x03\x00\x02\x02\x28").unwrap();
        });
        let refused = encrypted(&at(port, words)).await.unwrap_err();
        assert!(refused.contains("TLS handshake"), "{refused}");
        let (heard, listener) = caller.join().unwrap();
        let said = String::from_utf8_lossy(&heard);
        assert!(!said.contains("hongbao") && !said.contains("secret"), "{words}: {said}");
        assert!(!came_again(&listener), "{words}");
    }
}

/// Shows a certificate, and signs with a key that is not its own.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl ResolvesServerCert for Impostor {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// With the true server's certificate channel binding would hold, so it must not be enough to
/// show it, even where nobody checks whose it is.
#[tokio::test]
async fn a_server_that_shows_what_it_has_no_key_for_is_refused() {
    let ours = Authority::new();
    let (shown, held) = (ours.server("localhost"), ours.server("localhost"));
    let root = ours.root();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for words in ["sslmode=prefer", "sslmode=require", &format!("sslmode=verify-ca&{root}")] {
            let cert = CertificateDer::from_pem_slice(shown.cert.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(held.key.as_bytes()).unwrap();
            let key = ring::sign::any_supported_type(&key).unwrap();
            let impostor = Impostor(Arc::new(CertifiedKey::new(vec![cert], key)));
            let provider = Arc::new(ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(impostor));
            let (port, caller) = one_caller(move |stream| {
                stream.write_all(b"S").unwrap();
                let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
                let shaken = connection.complete_io(stream);
                assert!(shaken.is_err(), "the client took the handshake");
            });
            let refused = encrypted(&at(port, words)).await.unwrap_err();
            assert!(refused.contains("does not hold the key"), "{words}: {refused}");
            caller.join().unwrap();
        }
    }
}
