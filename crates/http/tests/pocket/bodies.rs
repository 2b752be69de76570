//! Bodies that are not what they should be (H-1 to H-4).

use serde_json::json;

use crate::{
    call::call,
    town::{Town, token},
};

const GOOD: &str = r#"{"amount":{"amount":1,"currency":"CNY"},"out_no":"n"}"#;

/// A withdrawal of `amount`, as text.
fn of(amount: &str) -> String {
    format!(r#"{{"amount":{{"amount":{amount},"currency":"CNY"}},"out_no":"n"}}"#)
}

#[tokio::test]
async fn only_whole_numbers_of_fen_are_amounts() {
    let town = Town::new().await;
    let amounts = [
        "1.0",
        "1.005",
        "0.1e1",
        "1e2",
        "1e400",
        "-0.0",
        "\"1\"",
        "true",
        "null",
        "[1]",
        "{}",
        "9223372036854775808",
        "18446744073709551616",
        "01",
        "+1",
        "0x1",
        "1_000",
        "NaN",
        "١",
    ];
    for amount in amounts {
        let post = call("POST", "/pocket/v1/withdrawals").by(&token("alice")).raw(of(amount));
        let answer = post.on(&town.pocket).await;
        assert_eq!(answer.status, 400, "{amount}: {answer:?}");
        assert_eq!(answer.body["money_state"], "not_moved");
        if answer.problem().1 == "bad_field" {
            assert_eq!(answer.body["errors"][0]["pointer"], "/amount/amount", "{amount}");
        }
    }
    let post = call("POST", "/pocket/v1/withdrawals").by(&token("alice")).raw(GOOD);
    assert_eq!(post.on(&town.pocket).await.problem(), (422, "balance_too_low"));
}

#[tokio::test]
async fn fields_stand_once_with_their_own_names_in_objects() {
    let town = Town::new().await;
    let money = r#"{"amount":1,"currency":"CNY"}"#;
    let cases = [
        (r#"{"out_no":"n"}"#.to_owned(), "bad_field", "/amount"),
        (format!(r#"{{"amount":{money},"out_no":"n","out_no":"m"}}"#), "bad_field", "/out_no"),
        (format!(r#"{{"amount":{money},"amount":{money},"out_no":"n"}}"#), "bad_field", "/amount"),
        (
            r#"{"amount":{"amount":1,"amount":2,"currency":"CNY"},"out_no":"n"}"#.to_owned(),
            "bad_field",
            "/amount/amount",
        ),
        (r#"{"amount":{"amount":1},"out_no":"n"}"#.to_owned(), "bad_field", "/amount/currency"),
        (
            r#"{"amount":{"amount":1,"currency":"USD"},"out_no":"n"}"#.to_owned(),
            "bad_field",
            "/amount/currency",
        ),
        (r#"{"amount":[1,"CNY"],"out_no":"n"}"#.to_owned(), "bad_field", "/amount"),
        (r#"{"amount":1,"out_no":"n"}"#.to_owned(), "bad_field", "/amount"),
        (format!(r#"{{"amount":{money},"out_no":"a b"}}"#), "bad_field", "/out_no"),
        (format!(r#"{{"Amount":{money},"out_no":"n"}}"#), "unknown_field", "/Amount"),
        (
            format!(r#"{{"amount":{money},"out_no":"n","__proto__":{{}}}}"#),
            "unknown_field",
            "/__proto__",
        ),
        (format!(r#"{{"amount":{money},"out_no":"n","a/b~c":1}}"#), "unknown_field", "/a~1b~0c"),
        (
            r#"{"amount":{"amount":1,"currency":"CNY","x":1},"out_no":"n"}"#.to_owned(),
            "unknown_field",
            "/amount/x",
        ),
        (format!(r#"[{money},"n"]"#), "bad_field", ""),
        ("\"n\"".to_owned(), "bad_field", ""),
        ("null".to_owned(), "bad_field", ""),
    ];
    for (body, code, pointer) in cases {
        let post = call("POST", "/pocket/v1/withdrawals").by(&token("alice")).raw(body.clone());
        let answer = post.on(&town.pocket).await;
        assert_eq!(answer.problem(), (400, code), "{body}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
        assert!(!answer.body.to_string().contains("struct"), "no names of our types: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_json_or_too_much_of_it_is_refused() {
    let town = Town::new().await;
    let deep = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
    let deep_inside = format!(r#"{{"amount":{}}}"#, "{\"a\":".repeat(1_500));
    let big = format!(r#"{{"out_no":"{}"}}"#, "n".repeat(10 * 1024 * 1024));
    let cases: [(Vec<u8>, u16, &str); 10] = [
        (Vec::new(), 400, "bad_json"),
        (b"{".to_vec(), 400, "bad_json"),
        (format!("{GOOD} {GOOD}").into_bytes(), 400, "bad_json"),
        (format!("{GOOD},").into_bytes(), 400, "bad_json"),
        (b"{'out_no':'n'}".to_vec(), 400, "bad_json"),
        (b"{\"out_no\":\"\xff\xfe\"}".to_vec(), 400, "bad_json"),
        (format!("\u{feff}{GOOD}").into_bytes(), 400, "bad_json"),
        (deep.into_bytes(), 400, "bad_field"),
        (deep_inside.into_bytes(), 400, "unknown_field"),
        (big.into_bytes(), 413, "too_large"),
    ];
    for (body, status, code) in cases {
        let start = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
        let post = call("POST", "/pocket/v1/withdrawals").by(&token("alice")).raw(body);
        let answer = post.on(&town.pocket).await;
        assert_eq!(answer.problem(), (status, code), "{start}");
    }
}

#[tokio::test]
async fn the_cap_is_exactly_sixteen_kibibytes() {
    let town = Town::new().await;
    for (size, status) in [(16 * 1024, 422), (16 * 1024 + 1, 413)] {
        let body = format!("{GOOD}{}", " ".repeat(size - GOOD.len()));
        let post = call("POST", "/pocket/v1/withdrawals").by(&token("alice")).raw(body);
        assert_eq!(post.on(&town.pocket).await.status.as_u16(), status, "{size}");
    }
}

#[tokio::test]
async fn a_body_says_that_it_is_json() {
    let town = Town::new().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"] {
        let post = call("POST", "/pocket/v1/withdrawals").by(&token("alice"));
        let answer = post.header("content-type", kind).on(&town.pocket).await;
        assert_eq!(answer.problem(), (415, "not_json"), "{kind}");
    }
    let none = call("POST", "/pocket/v1/withdrawals").by(&token("alice")).on(&town.pocket).await;
    assert_eq!(none.problem(), (415, "not_json"));
}

#[tokio::test]
async fn where_no_body_belongs_fields_mean_nothing_and_are_refused() {
    let town = Town::new().await;
    let code = town.gave("alice", 100, "B1").await;
    let path = format!("/pocket/v1/packets/{code}/open");
    for body in [json!({ "amount": 99_999 }), json!({ "user": 7 }), json!({ "status": "sent" })] {
        let answer = call("POST", &path).by(&token("alice")).json(&body).on(&town.pocket).await;
        assert_eq!(answer.problem(), (400, "unknown_field"), "{body}");
    }
    let empty = call("POST", &path).by(&token("alice")).json(&json!({})).on(&town.pocket).await;
    assert_eq!((empty.status.as_u16(), &empty.body["amount"]["amount"]), (200, &json!(100)));
}

#[tokio::test]
async fn query_parameters_are_known_single_and_in_range() {
    let town = Town::new().await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1.5",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "offset=5",
        "user=7",
        "cursor=x",
        "cursor=AAAA",
        "limit=4294967297",
    ] {
        for list in ["messages", "wallet/entries"] {
            let get = call("GET", format!("/pocket/v1/{list}?{query}")).by(&token("alice"));
            let answer = get.on(&town.pocket).await;
            assert_eq!(answer.problem(), (400, "bad_query"), "{list}?{query}");
        }
    }
    for query in ["", "limit=1", "limit=200"] {
        let get = call("GET", format!("/pocket/v1/messages?{query}")).by(&token("alice"));
        assert_eq!(get.on(&town.pocket).await.status, 200, "{query}");
    }
}
