//! The end of a process.

use super::*;

#[tokio::test]
async fn a_stop_lets_the_running_request_finish_and_takes_no_new_one() {
    let running = Running::start(None, Limits::default()).await;
    let mut stream = running.tcp().await;
    let mut idle = running.tcp().await;
    ask_again(&mut idle, "/", "nobody").await;
    let asked = tokio::spawn(async move { ask(&mut stream, "/slow").await });
    running.stage.entered.notified().await;
    running.stop.send(()).unwrap();

    // The idle connection ends, the port closes, the request goes on.
    rest(&mut idle).await.unwrap();
    assert!(TcpStream::connect(running.addr).await.is_err(), "still listening");
    assert!(!running.served.is_finished() && !asked.is_finished());
    running.stage.release.notify_one();
    let answer = asked.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("slow but whole"), "{answer}");
    let stopped = timeout(PATIENCE, running.served).await.unwrap().unwrap();
    assert_eq!(stopped, Stopped { cut: 0 });
}

#[tokio::test]
async fn a_stop_cuts_what_outlasts_the_drain_time() {
    let limits = Limits { drain_timeout: MOMENT, ..Limits::default() };
    let running = Running::start(None, limits).await;
    let mut stream = running.tcp().await;
    let asked = tokio::spawn(async move { ask(&mut stream, "/slow").await });
    running.stage.entered.notified().await;
    running.stop.send(()).unwrap();
    let stopped = timeout(PATIENCE, running.served).await.unwrap().unwrap();
    assert_eq!(stopped, Stopped { cut: 1 });
    assert!(!asked.await.unwrap().unwrap_or_default().contains("slow but whole"));
}

#[tokio::test]
async fn silent_connections_and_half_handshakes_do_not_delay_a_stop() {
    let world = World::new();
    // Longer than this test's patience.
    let limits = Limits { drain_timeout: PATIENCE * 2, ..Limits::default() };
    for tls in [None, Some(world.mutual())] {
        let running = Running::start(tls, limits).await;
        let mut silent = running.tcp().await;
        tokio::time::sleep(MOMENT).await;
        running.stop.send(()).unwrap();
        let stopped = timeout(Duration::from_secs(5), running.served).await.unwrap().unwrap();
        assert_eq!(stopped, Stopped { cut: 0 });
        rest(&mut silent).await.unwrap_or_default();
    }
}
