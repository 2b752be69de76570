//! Health.

use serde_json::json;

use crate::{call::call, town::Platform};

#[tokio::test]
async fn a_healthy_process_is_alive_and_ready() {
    let platform = Platform::new().await;
    for path in ["/healthz", "/readyz"] {
        let answer = call("GET", path).on(&platform.ops).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, json!({ "ok": true, "reasons": [] }));
    }
}

#[tokio::test]
async fn broken_books_leave_it_alive_and_not_ready() {
    let platform = Platform::new().await;
    platform.servers.halt("merchant/10000098: escrow 7, packets 8");
    assert_eq!(call("GET", "/healthz").on(&platform.ops).await.status, 200);
    let answer = call("GET", "/readyz").on(&platform.ops).await;
    assert_eq!(answer.status, 503);
    let reasons = json!({ "ok": false, "reasons": ["money_operations_stopped"] });
    assert_eq!(answer.body, reasons, "why is for the log");
}

#[tokio::test]
async fn a_process_that_was_asked_to_stop_is_alive_and_not_ready() {
    let platform = Platform::new().await;
    platform.stop.send_replace(true);
    assert_eq!(call("GET", "/healthz").on(&platform.ops).await.status, 200);
    let answer = call("GET", "/readyz").on(&platform.ops).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body, json!({ "ok": false, "reasons": ["stopping"] }));
}
