//! Who gets through the handshake, and as whom.

use rustls::{
    HandshakeKind,
    version::{TLS12, TLS13},
};

use super::*;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// Asks with `credentials`, at both TLS versions, and expects a TLS alert and no request.
async fn assert_refused(world: &World, credentials: &Credentials) {
    let running = Running::start(Some(world.mutual()), Limits::default()).await;
    for version in VERSIONS {
        let client = world.client(&[version], Some(credentials));
        let error = running.ask(&client, "/").await.expect_err("let in");
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let alert = matches!(cause, Some(rustls::Error::AlertReceived(_)));
        assert!(alert, "{version:?}: {error:?}");
    }
    assert_eq!(running.stage.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_caller_without_certificate_reaches_http_as_nobody() {
    let world = World::new();
    let running = Running::start(Some(world.mutual()), Limits::default()).await;
    for version in VERSIONS {
        let answer = running.ask(&world.client(&[version], None), "/").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("nobody"), "{answer}");
    }
}

#[tokio::test]
async fn a_merchants_certificate_names_the_merchant_and_the_serial() {
    let world = World::new();
    let own = world.merchant(NOW);
    let running = Running::start(Some(world.mutual()), Limits::default()).await;
    for version in VERSIONS {
        let answer = running.ask(&world.client(&[version], Some(&own)), "/").await.unwrap();
        assert!(answer.ends_with(&format!("10000098 {}", own.serial)), "{answer}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    assert_refused(&World::new(), &World::new().merchant(NOW)).await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let world = World::new();
    let own = world.merchant(NOW.plus_seconds(-11 * 86_400));
    assert_refused(&world, &own).await;
}

#[tokio::test]
async fn a_certificate_not_yet_valid_is_refused() {
    let world = World::new();
    let own = world.merchant(NOW.plus_seconds(86_400));
    assert_refused(&world, &own).await;
}

#[tokio::test]
async fn a_certificate_for_servers_is_refused() {
    let world = World::new();
    let own = Credentials {
        cert_pem: world.server.cert_pem.clone(),
        key_pem: world.server.key_pem.to_string(),
        serial: world.server.serial_hex.clone(),
    };
    assert_refused(&world, &own).await;
}

#[tokio::test]
async fn a_certificate_that_expires_on_an_open_connection_no_longer_counts() {
    let world = World::new();
    let own = world.merchant(NOW);
    let running = Running::start(Some(world.mutual()), Limits::default()).await;
    let mut stream = running.tls(&world.client(&[&TLS13], Some(&own))).await.unwrap();
    let end = NOW.plus_seconds(10 * 86_400);
    world.clock.0.store(end.millis(), Ordering::SeqCst);
    ask_again(&mut stream, "/", &format!("10000098 {}", own.serial)).await;
    world.clock.0.store(end.plus_seconds(1).millis(), Ordering::SeqCst);
    ask_again(&mut stream, "/", "nobody").await;
}

/// The handshakes of two connections that share a client's session store.
async fn two_handshakes(running: &Running, client: &TlsConnector) -> Vec<HandshakeKind> {
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let mut stream = running.tls(client).await.unwrap();
        // Reading to the end takes in any ticket.
        ask(&mut stream, "/").await.unwrap();
        kinds.push(stream.get_ref().1.handshake_kind().unwrap());
    }
    kinds
}

#[tokio::test]
async fn the_mutual_port_resumes_no_session() {
    let world = World::new();
    let own = world.merchant(NOW);
    let mutual = Running::start(Some(world.mutual()), Limits::default()).await;
    let (cert, key) = (&world.server.cert_pem, &world.server.key_pem);
    let plain = Tls::server_only(cert, key, world.clock()).unwrap();
    let plain = Running::start(Some(plain), Limits::default()).await;
    for version in VERSIONS {
        for credentials in [None, Some(&own)] {
            let client = world.client(&[version], credentials);
            let kinds = two_handshakes(&mutual, &client).await;
            assert_eq!(kinds, [HandshakeKind::Full; 2], "{version:?}");
        }
        // The same client does resume where it may, so the assertion above means something.
        let client = world.client(&[version], None);
        let kinds = two_handshakes(&plain, &client).await;
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed], "{version:?}");
    }
}

/// A `ClientHello` that offers one version, an ECDHE-ECDSA suite of its time, P-256 and
/// `ecdsa_secp256r1_sha256`.
fn client_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let extensions = [
        &[0x00, 0x0a, 0, 4, 0, 2, 0x00, 0x17][..],
        &[0x00, 0x0b, 0, 2, 1, 0],
        &[0x00, 0x0d, 0, 4, 0, 2, 0x04, 0x03],
    ]
    .concat();
    let body = [
        &version[..],
        &[0x5a; 32],
        &[0, 0, 2],
        &suite,
        &[1, 0, 0, u8::try_from(extensions.len()).unwrap()],
        &extensions,
    ]
    .concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[tokio::test]
async fn tls_1_1_is_refused_and_the_same_hello_at_1_2_is_not() {
    let world = World::new();
    let running = Running::start(Some(world.mutual()), Limits::default()).await;
    let mut answers = Vec::new();
    for (version, suite) in [([3, 2], [0xc0, 0x09]), ([3, 3], [0xc0, 0x2b])] {
        let mut stream = running.tcp().await;
        stream.write_all(&client_hello(version, suite)).await.unwrap();
        let mut head = [0; 7];
        timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
        answers.push(head);
    }
    // A fatal alert "protocol version"; a handshake record.
    assert_eq!([answers[0][0], answers[0][5], answers[0][6]], [21, 2, 70]);
    assert_eq!(answers[1][0], 22);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_closed_without_an_http_answer() {
    let world = World::new();
    let running = Running::start(Some(world.mutual()), Limits::default()).await;
    let mut stream = running.tcp().await;
    let answer = ask(&mut stream, "/").await.unwrap_or_default();
    assert!(!answer.contains("HTTP"), "{answer}");
    assert_eq!(running.stage.requests.load(Ordering::SeqCst), 0);
}
