//! What a stranger can hold, and for how long.

use super::*;

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_closed() {
    let short = limits(|l| l.header_timeout = MOMENT);
    let running = Running::start(None, short).await;
    let mut slow = running.tcp().await;
    slow.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    rest(&mut slow).await.unwrap();
    assert_eq!(running.stage.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_idle_connection_is_closed_before_and_after_a_request() {
    let short = limits(|l| l.header_timeout = MOMENT);
    let running = Running::start(None, short).await;
    let mut silent = running.tcp().await;
    let mut used = running.tcp().await;
    ask_again(&mut used, "/", "nobody").await;
    rest(&mut silent).await.unwrap();
    rest(&mut used).await.unwrap();
}

#[tokio::test]
async fn a_half_handshake_is_closed() {
    let world = World::new();
    let short = limits(|l| l.handshake_timeout = MOMENT);
    let running = Running::start(Some(world.mutual()), short).await;
    let mut half = running.tcp().await;
    half.write_all(&[22, 3, 1, 1]).await.unwrap();
    assert_eq!(rest(&mut half).await.unwrap(), "");
}

#[tokio::test]
async fn beyond_the_total_a_caller_waits_until_a_place_is_free() {
    let running = Running::start(None, limits(|l| l.connections_max = 2)).await;
    let mut first = running.tcp().await;
    let mut second = running.tcp().await;
    ask_again(&mut first, "/", "nobody").await;
    ask_again(&mut second, "/", "nobody").await;
    let mut third = running.tcp().await;
    let mut answer = Box::pin(ask(&mut third, "/"));
    assert!(timeout(MOMENT, &mut answer).await.is_err(), "served beyond the cap");
    drop(first);
    assert!(answer.await.unwrap().ends_with("nobody"));
}

#[tokio::test]
async fn beyond_its_share_an_address_is_closed_at_once() {
    let running = Running::start(None, limits(|l| l.connections_per_address_max = 2)).await;
    let mut first = running.tcp().await;
    let mut second = running.tcp().await;
    ask_again(&mut first, "/", "nobody").await;
    ask_again(&mut second, "/", "nobody").await;
    let mut third = running.tcp().await;
    assert_eq!(ask(&mut third, "/").await.unwrap_or_default(), "");
    drop(first);
    // The place is free when the server has noticed.
    let served =
        async { while ask(&mut running.tcp().await, "/").await.unwrap_or_default().is_empty() {} };
    timeout(PATIENCE, served).await.unwrap();
}

#[tokio::test]
async fn a_client_that_never_reads_loses_its_place() {
    let one = limits(|l| {
        l.connections_max = 1;
        l.stall_timeout = MOMENT;
    });
    let running = Running::start(None, one).await;
    let mut deaf = running.tcp().await;
    deaf.write_all(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let answer = ask(&mut running.tcp().await, "/").await.unwrap();
    assert!(answer.ends_with("nobody"), "{answer}");
    let mut unread = Vec::new();
    let whole = timeout(PATIENCE, deaf.read_to_end(&mut unread)).await.unwrap();
    assert!(whole.is_err() || unread.len() < 64 << 20, "it was sent everything after all");
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let running = Running::start(None, Limits::default()).await;
    for (filler, status) in [(60_000, "200"), (70_000, "431")] {
        let long = "x".repeat(filler);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = running.tcp().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&head), format!("HTTP/1.1 {status}"));
    }
}
