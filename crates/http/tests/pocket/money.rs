//! Spending, passing on, withdrawing, and the history of it.

use hongbao_testkit::builders::APP;
use serde_json::{Value, json};

use crate::{
    call::{Answer, call},
    town::{Town, token},
};

async fn with_money(fen: i64) -> Town {
    let town = Town::new().await;
    let code = town.gave("alice", fen, "M1").await;
    let path = format!("/pocket/v1/packets/{code}/open");
    assert_eq!(call("POST", path).by(&token("alice")).on(&town.pocket).await.status, 200);
    town
}

fn cny(fen: i64) -> Value {
    json!({ "amount": fen, "currency": "CNY" })
}

async fn post(town: &Town, who: &str, path: &str, body: Value) -> Answer {
    let path = format!("/pocket/v1/{path}");
    call("POST", path).by(&token(who)).json(&body).on(&town.pocket).await
}

#[tokio::test]
async fn money_leaves_three_ways_and_each_shows_in_the_history() {
    let town = with_money(1_000).await;
    let pay = json!({ "merchant": "10000098", "amount": cny(100), "out_no": "pay-1" });
    let to = json!({ "appid": APP, "openid": "bob" });
    let give = json!({ "to": to, "amount": cny(200), "out_no": "give-1" });
    let take = json!({ "amount": cny(300), "out_no": "take-1" });
    for (path, body, state) in
        [("payments", pay, "paid"), ("transfers", give, "paid"), ("withdrawals", take, "held")]
    {
        for replayed in [false, true] {
            let answer = post(&town, "alice", path, body.clone()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.body["replayed"], replayed, "{path}");
            assert_eq!(answer.body["money_state"], state, "{path}");
            assert_eq!(answer.body["amount"], body["amount"], "{path}");
        }
    }
    town.follow().await;
    let get = |path: &str| call("GET", format!("/pocket/v1/{path}")).by(&token("alice"));
    let wallet = get("wallet").on(&town.pocket).await.body;
    assert_eq!(wallet, json!({ "balance": cny(400), "pending_entries": 0, "frozen": false }));
    let first = get("wallet/entries?limit=3").on(&town.pocket).await.body;
    let cursor = first["next"].as_str().unwrap();
    let rest = get(&format!("wallet/entries?limit=3&cursor={cursor}")).on(&town.pocket).await.body;
    let lines: Vec<(u64, &str, i64, i64)> = [&first, &rest]
        .into_iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|line| {
            let (delta, after) = (&line["delta"]["amount"], &line["balance_after"]["amount"]);
            let kind = line["kind"].as_str().unwrap();
            (line["seq"].as_u64().unwrap(), kind, delta.as_i64().unwrap(), after.as_i64().unwrap())
        })
        .collect();
    assert_eq!(
        lines,
        [
            (4, "wallet_withdrawal", -300, 400),
            (3, "wallet_transfer", -200, 700),
            (2, "payment", -100, 900),
            (1, "claim", 1_000, 1_000),
        ]
    );
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn what_cannot_move_says_why_and_leaves_the_money_where_it_is() {
    let town = with_money(500).await;
    let bob = json!({ "appid": APP, "openid": "bob" });
    let pay = |merchant: &str, fen: i64| json!({ "merchant": merchant, "amount": cny(fen), "out_no": "n" });
    let give = |to: &Value, fen: i64| json!({ "to": to, "amount": cny(fen), "out_no": "n" });
    let (me, ghost) =
        (json!({ "appid": APP, "openid": "alice" }), json!({ "appid": APP, "openid": "x" }));
    let cases = [
        ("payments", pay("10000098", 501), 422, "balance_too_low"),
        ("payments", pay("10000098", 0), 422, "amount_not_allowed"),
        ("payments", pay("10000098", -5), 422, "amount_not_allowed"),
        ("payments", pay("10000098", i64::MAX), 422, "amount_not_allowed"),
        ("payments", pay("10000097", 5), 404, "merchant_unknown"),
        ("transfers", give(&me, 5), 422, "self_transfer"),
        ("transfers", give(&ghost, 5), 404, "user_unknown"),
        ("transfers", give(&bob, 501), 422, "balance_too_low"),
        ("withdrawals", json!({ "amount": cny(501), "out_no": "n" }), 422, "balance_too_low"),
    ];
    for (path, body, status, code) in cases {
        let answer = post(&town, "alice", path, body.clone()).await;
        assert_eq!(answer.problem(), (status, code), "{path} {body}: {answer:?}");
        assert_eq!(answer.body["money_state"], "not_moved");
    }
    assert_eq!(post(&town, "alice", "payments", pay("10000098", 5)).await.status, 200);
    let reused = post(&town, "alice", "payments", pay("10000098", 6)).await;
    assert_eq!(reused.problem(), (409, "reference_reused"));
    assert_eq!(reused.body["next_action"], "fix_request");
    let wallet = call("GET", "/pocket/v1/wallet").by(&token("alice")).on(&town.pocket).await;
    assert_eq!(wallet.body["balance"], cny(495));
}

#[tokio::test]
async fn the_same_number_of_two_users_is_two_numbers() {
    let town = with_money(500).await;
    let code = town.gave("bob", 500, "M2").await;
    let path = format!("/pocket/v1/packets/{code}/open");
    assert_eq!(call("POST", path).by(&token("bob")).on(&town.pocket).await.status, 200);
    for (who, fen) in [("alice", 1), ("bob", 2)] {
        let body = json!({ "amount": cny(fen), "out_no": "same" });
        let answer = post(&town, who, "withdrawals", body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["replayed"]), (200, &json!(false)));
    }
}

#[tokio::test]
async fn when_money_is_stopped_the_caller_is_sent_to_a_person() {
    let town = with_money(500).await;
    town.servers.halt("row 7 of merchant/1 at /var/lib/books.db");
    let body = json!({ "amount": cny(1), "out_no": "n" });
    let answer = post(&town, "alice", "withdrawals", body).await;
    assert_eq!(answer.problem(), (503, "halted"));
    assert_eq!(answer.body["next_action"], "contact");
    assert!(!answer.body.to_string().contains("books.db"));
}
