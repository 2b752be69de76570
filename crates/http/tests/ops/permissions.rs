//! Deny by default: every route against every kind of token (K-9).

use hongbao_domain::change::Actor;
use hongbao_http::{ops, pocket::json::Security};
use serde_json::json;

use crate::{
    call::{Answer, call},
    town::{ALL, NOBODY, Platform, all_but, only},
};

fn word(method: &axum::http::Method) -> &'static str {
    ["GET", "POST", "PUT", "DELETE"].into_iter().find(|w| *w == method.as_str()).unwrap()
}

/// The path with names of things that exist.
fn filled(path: &str) -> String {
    path.replace("{mch_id}", "10000098")
        .replace("{provider}", "10000099")
        .replace("{sub_merchant}", "10000098")
        .replace("{appid}", "wx-app-one")
        .replace("{openid}", "alice")
        .replace("{serial}", "0a1b")
        .replace("{bill_no}", "A1")
}

async fn with(platform: &Platform, method: &'static str, path: &str, token: &str) -> Answer {
    call(method, path).by(token).on(&platform.ops).await
}

#[tokio::test]
async fn every_route_lets_in_its_own_permission_and_no_other() {
    let platform = Platform::new().await;
    let mut guarded = 0;
    for route in ops::routes() {
        let (method, path) = (word(&route.method()), filled(route.path()));
        let Security::Operator(permission) = route.security() else {
            assert_eq!(route.security(), Security::Open);
            assert!(["/healthz", "/readyz", "/metrics"].contains(&route.path()), "{path} is open");
            assert_eq!(call(method, &path).on(&platform.ops).await.status, 200, "{path}");
            continue;
        };
        guarded += 1;
        let none = call(method, &path).on(&platform.ops).await;
        assert_eq!(none.problem(), (401, "unauthenticated"), "{method} {path}");
        let wrong = with(&platform, method, &path, "guessed").await;
        assert_eq!((wrong.status, &wrong.body), (none.status, &none.body), "{method} {path}");
        for token in [all_but(permission), "token-of-one-who-may-do-nothing".to_owned()] {
            let without = with(&platform, method, &path, &token).await;
            assert_eq!(without.problem(), (403, "forbidden"), "{method} {path}");
        }
        for token in [only(permission), ALL.to_owned()] {
            let let_in = with(&platform, method, &path, &token).await;
            let status = let_in.status.as_u16();
            assert!(![401, 403, 405, 500].contains(&status), "{method} {path}: {let_in:?}");
        }
    }
    assert_eq!(guarded, 17);
}

#[tokio::test]
async fn nothing_but_the_routes_is_there() {
    let platform = Platform::new().await;
    let routes = ops::routes();
    for route in &routes {
        let path = filled(route.path());
        for near in [format!("{path}/"), path.to_uppercase(), format!("/{path}")] {
            if near == path {
                continue;
            }
            let answer = with(&platform, word(&route.method()), &near, ALL).await;
            assert_eq!(answer.status, 404, "{near}");
        }
        let known: Vec<_> = routes
            .iter()
            .filter(|r| r.path() == route.path())
            .map(hongbao_http::pocket::json::Route::method)
            .collect();
        for other in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            if known.iter().all(|method| method.as_str() != other) {
                let answer = with(&platform, other, &path, ALL).await;
                assert_eq!(answer.problem(), (405, "method_not_allowed"), "{other} {path}");
            }
        }
    }
}

#[tokio::test]
async fn names_that_are_nobodys_and_no_names_are_the_same_nothing() {
    let platform = Platform::new().await;
    let amount = json!({ "amount": 1, "currency": "CNY" });
    let bodies = [
        ("/recharges", json!({ "account": "basic", "amount": amount, "out_no": "n" })),
        ("/operation-transfers", json!({ "amount": amount, "out_no": "n" })),
        ("/withdrawals", json!({ "amount": amount, "out_no": "n" })),
        ("/clock", json!({ "seconds": 1 })),
        ("/v2-key", json!({ "key": "a".repeat(32) })),
        ("/authorizations", json!({ "state": "invited" })),
        ("/frozen", json!({ "frozen": true })),
    ];
    for route in ops::routes().iter().filter(|route| route.path().contains('{')) {
        if route.path().ends_with("/settings") && route.method() == "PUT" {
            continue;
        }
        let body = bodies.iter().find(|(part, _)| route.path().contains(part)).map(|(_, b)| b);
        for name in [NOBODY, "1000000", "1000000000x", "%00", "-1"] {
            let path = route.path().replace("{openid}", name).replace("{mch_id}", name);
            let path = filled(&path.replace("{provider}", name));
            let request = call(word(&route.method()), &path).by(ALL);
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            let answer = request.on(&platform.ops).await;
            let code = answer.problem();
            let missing = [(404, "not_found"), (404, "merchant_unknown")];
            assert!(missing.contains(&code), "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn changes_are_recorded_with_who_and_by_which_right() {
    let platform = Platform::new().await;
    let put = call("PUT", "/ops/v1/merchants/10000098/v2-key").by(ALL);
    let put = put.json(&json!({ "key": "a".repeat(32) })).on(&platform.ops).await;
    assert_eq!(put.status, 204);
    let Some(record) = platform.servers.newest_record() else { return };
    let chief = Actor { name: "operator:chief".to_owned(), permission: "keys.write" };
    assert_eq!((record.action, record.actor), ("v2_key.set", chief));
    assert!(!format!("{}{}", record.before, record.after).contains("aaaa"));
}

#[test]
fn tokens_and_secrets_do_not_print() {
    let token = ops::OperatorToken::new("chief", ALL, Vec::new());
    assert!(!format!("{token:?}").contains("sha256"));
}
