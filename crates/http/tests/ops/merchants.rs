//! Merchants: made, funded, looked at, and their orders.

use hongbao_testkit::{
    builders::{a_send, a_user, group_terms, normal_terms},
    run,
};
use serde_json::{Value, json};

use crate::{
    call::{Answer, call},
    town::{ALL, Platform},
};

async fn get(platform: &Platform, path: &str) -> Answer {
    call("GET", format!("/ops/v1/{path}")).by(ALL).on(&platform.ops).await
}

async fn post(platform: &Platform, path: &str, body: Value) -> Answer {
    call("POST", format!("/ops/v1/{path}")).by(ALL).json(&body).on(&platform.ops).await
}

fn cny(fen: i64) -> Value {
    json!({ "amount": fen, "currency": "CNY" })
}

#[tokio::test]
async fn a_merchant_is_made_once_and_shown_without_its_key() {
    let platform = Platform::new().await;
    let key = "k".repeat(32);
    let body =
        json!({ "merchant": "10000055", "name": "Moon Cakes", "sandbox": true, "v2_key": key });
    let made = post(&platform, "merchants", body.clone()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let shown = get(&platform, "merchants/10000055").await;
    assert_eq!(shown.body, made.body);
    assert_eq!((&shown.body["v2_key_set"], &shown.body["sandbox"]), (&json!(true), &json!(true)));
    let empty = json!({ "basic": cny(0), "operation": null, "escrow": cny(0) });
    assert_eq!(shown.body["balances"], empty);
    assert!(!shown.body.to_string().contains("kkkk"));
    assert_eq!(post(&platform, "merchants", body).await.problem(), (409, "changed_meanwhile"));
    let bad = json!({ "merchant": "10000056", "name": "x", "v2_key": "short" });
    assert_eq!(post(&platform, "merchants", bad).await.problem(), (422, "invalid"));
    let bad = json!({ "merchant": 10_000_056, "name": "x" });
    assert_eq!(post(&platform, "merchants", bad).await.problem(), (400, "bad_field"));
}

#[tokio::test]
async fn merchants_are_listed_page_by_page() {
    let platform = Platform::new().await;
    let (mut seen, mut path) = (Vec::new(), "merchants?limit=2".to_owned());
    loop {
        let page = get(&platform, &path).await.body;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["merchant"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("merchants?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["10000077", "10000098", "10000099"]);
}

#[tokio::test]
async fn money_comes_in_once_under_its_number_and_goes_out_again() {
    let platform = Platform::new().await;
    let into = json!({ "account": "basic", "amount": cny(500), "out_no": "bank-1" });
    for replayed in [false, true] {
        let moved = post(&platform, "merchants/10000098/recharges", into.clone()).await;
        assert_eq!((moved.status.as_u16(), &moved.body["replayed"]), (200, &json!(replayed)));
        assert_eq!((&moved.body["from"], &moved.body["to"]), (&json!("external"), &json!("basic")));
    }
    let other = json!({ "account": "basic", "amount": cny(501), "out_no": "bank-1" });
    let reused = post(&platform, "merchants/10000098/recharges", other).await;
    assert_eq!(reused.problem(), (409, "reference_reused"));
    let out = json!({ "amount": cny(10_501), "out_no": "out-1" });
    let low = post(&platform, "merchants/10000098/withdrawals", out).await;
    assert_eq!(low.problem(), (422, "balance_too_low"));
    assert_eq!(low.body["limit"], cny(10_500));
    let out = json!({ "amount": cny(10_500), "out_no": "out-1" });
    assert_eq!(post(&platform, "merchants/10000098/withdrawals", out).await.status, 200);
    let shown = get(&platform, "merchants/10000098").await;
    assert_eq!(shown.body["balances"]["basic"], cny(0));
    let closed = json!({ "amount": cny(1), "out_no": "op-1" });
    let closed = post(&platform, "merchants/10000098/operation-transfers", closed).await;
    assert_eq!(closed.problem(), (422, "operation_account_not_opened"));
}

#[tokio::test]
async fn no_account_but_basic_and_operation_can_be_recharged() {
    let platform = Platform::new().await;
    for account in ["escrow", "external", "wallet", "Basic", ""] {
        let body = json!({ "account": account, "amount": cny(500), "out_no": "bank-2" });
        let answer = post(&platform, "merchants/10000098/recharges", body).await;
        assert_eq!(answer.problem(), (400, "bad_field"), "{account}");
        assert_eq!(answer.body["errors"][0]["pointer"], "/account");
    }
}

#[tokio::test]
async fn clocks_go_forward_for_sandbox_merchants_only() {
    let platform = Platform::new().await;
    let hour = json!({ "seconds": 3_600 });
    let moved = post(&platform, "merchants/10000098/clock", hour.clone()).await;
    assert_eq!(moved.body["before"], "2026-03-02T10:00:00.000+08:00");
    assert_eq!(moved.body["after"], "2026-03-02T11:00:00.000+08:00");
    let live = post(&platform, "merchants/10000099/clock", hour).await;
    assert_eq!(live.problem(), (403, "not_a_sandbox"));
    for seconds in [0, -1, 34_560_001] {
        let body = json!({ "seconds": seconds });
        let answer = post(&platform, "merchants/10000098/clock", body).await;
        assert_eq!(answer.problem(), (422, "clock_step_not_allowed"), "{seconds}");
    }
}

#[tokio::test]
async fn an_order_is_reported_with_its_packet_or_its_refusal() {
    let platform = Platform::new().await;
    let send = a_send(platform.merchant, "O1", group_terms("alice", 600, 3));
    run(&*platform.store, send).await.unwrap();
    let report = get(&platform, "orders/10000098/O1").await.body;
    assert_eq!((&report["status"], &report["money_state"]), (&json!("sent"), &json!("held")));
    assert_eq!((&report["kind"], &report["total"]), (&json!("group"), &cny(600)));
    assert_eq!(report["packet"]["claimed_count"], 0);
    assert_eq!(report["list_id"].as_str().unwrap().len(), 31);

    a_user("rich").in_store(&*platform.store).await;
    let send = a_send(platform.merchant, "O2", normal_terms("rich", 10_000));
    assert!(run(&*platform.store, send).await.is_err());
    let report = get(&platform, "orders/10000098/O2").await.body;
    assert_eq!(
        (&report["status"], &report["money_state"]),
        (&json!("sending"), &json!("not_moved"))
    );
    assert_eq!(report["refused"]["code"], "balance_too_low");
    assert_eq!(report["packet"], Value::Null);
    assert_eq!(get(&platform, "orders/10000099/O1").await.problem(), (404, "not_found"));
}
