//! What one request can do to itself and not to others.

use super::*;

#[tokio::test]
async fn a_panic_is_a_500_for_its_request_alone() {
    let running = Running::start(None, Limits::default()).await;
    let mut stream = running.tcp().await;
    ask_again(&mut stream, "/panic", "internal error\n").await;
    ask_again(&mut stream, "/", "nobody").await;
    let answer = ask(&mut running.tcp().await, "/panic").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    assert!(!answer.contains("planted"), "{answer}");
}

#[tokio::test]
async fn a_request_that_never_ends_is_answered_504() {
    let limits = Limits { request_timeout: MOMENT, ..Limits::default() };
    let running = Running::start(None, limits).await;
    let answer = ask(&mut running.tcp().await, "/never").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_504() {
    let limits = Limits { request_timeout: MOMENT, ..Limits::default() };
    let running = Running::start(None, limits).await;
    let mut stream = running.tcp().await;
    let head = b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf";
    stream.write_all(head).await.unwrap();
    let answer = rest(&mut stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
}

#[tokio::test]
async fn the_peers_address_is_the_sockets_whatever_the_headers_say() {
    let running = Running::start(None, Limits::default()).await;
    let mut stream = running.tcp().await;
    let own = stream.local_addr().unwrap();
    let request = b"GET /addr HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7\r\nX-Client-Cert: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let answer = rest(&mut stream).await.unwrap();
    assert!(answer.ends_with(&own.to_string()), "{answer}");
}

#[tokio::test]
async fn two_ways_to_say_the_length_are_the_last_thing_said_on_a_connection() {
    let running = Running::start(None, Limits::default()).await;
    for lengths in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
    ] {
        let mut stream = running.tcp().await;
        let request = format!(
            "POST /body HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n\r\n0\r\n\r\n\
             GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await.unwrap_or_default();
        assert!(!answer.contains("nobody"), "the second request was served: {answer}");
    }
    assert!(running.stage.requests.load(Ordering::SeqCst) <= 2);
}
