//! Users, providers and certificates.

use hongbao_testkit::builders::APP;
use serde_json::{Value, json};

use crate::{
    call::{Answer, call},
    town::{ALL, Platform},
};

async fn on(platform: &Platform, method: &'static str, path: &str, body: &Value) -> Answer {
    call(method, format!("/ops/v1/{path}")).by(ALL).json(body).on(&platform.ops).await
}

#[tokio::test]
async fn users_are_registered_and_what_is_thought_of_them_is_set() {
    let platform = Platform::new().await;
    let user = |standing: &str| {
        json!({
            "appid": APP,
            "openid": "dora",
            "subject": "d-1",
            "display_name": "Dora",
            "accepts_messages": true,
            "standing": standing,
        })
    };
    for standing in ["normal", "bot"] {
        let put = on(&platform, "PUT", "users", &user(standing)).await;
        assert_eq!((put.status.as_u16(), &put.body["standing"]), (200, &json!(standing)));
    }
    assert_eq!(on(&platform, "PUT", "users", &user("saint")).await.problem(), (400, "bad_field"));
    assert!(!on(&platform, "PUT", "users", &user("bot")).await.body.to_string().contains("d-1"));
}

#[tokio::test]
async fn a_wallet_is_frozen_and_thawed_with_a_record() {
    let platform = Platform::new().await;
    let path = format!("users/{APP}/alice/wallet/frozen");
    for (frozen, action) in [(true, "wallet.freeze"), (false, "wallet.thaw")] {
        let put = on(&platform, "PUT", &path, &json!({ "frozen": frozen })).await;
        assert_eq!(put.status, 204);
        let Some(record) = platform.servers.newest_record() else { continue };
        assert_eq!((record.action, record.actor.permission), (action, "wallets.freeze"));
    }
}

#[tokio::test]
async fn an_authorization_goes_its_way_step_by_step() {
    let platform = Platform::new().await;
    let path = "authorizations/10000099/10000098";
    for (state, status) in
        [("active", 422), ("invited", 200), ("active", 200), ("declined", 422), ("revoked", 200)]
    {
        let put = on(&platform, "PUT", path, &json!({ "state": state })).await;
        assert_eq!(put.status.as_u16(), status, "{state}: {put:?}");
    }
    for pair in ["10000098/10000099", "10000099/10000099"] {
        let path = format!("authorizations/{pair}");
        let put = on(&platform, "PUT", &path, &json!({ "state": "invited" })).await;
        assert_eq!(put.problem(), (422, "invalid"), "{pair}");
    }
}

#[tokio::test]
async fn a_certificate_is_issued_recorded_and_revoked_once() {
    let platform = Platform::new().await;
    let path = "/ops/v1/merchants/10000098/certificates";
    let issued = call("POST", path).by(ALL).on(&platform.ops).await;
    assert_eq!((issued.status.as_u16(), &issued.body["serial"]), (201, &json!("0a1b")));
    assert_eq!(issued.body["key_pem"], "KEY");
    assert!(platform.app.certificate_stands(platform.merchant, "0a1b").await.unwrap());
    let list = call("GET", path).by(ALL).on(&platform.ops).await.body;
    assert_eq!(list["items"][0]["revoked_at"], Value::Null);
    assert!(!list.to_string().contains("KEY"));
    let one = format!("{path}/0A1B");
    assert_eq!(call("DELETE", &one).by(ALL).on(&platform.ops).await.status, 204);
    assert!(!platform.app.certificate_stands(platform.merchant, "0a1b").await.unwrap());
    let again = call("DELETE", &one).by(ALL).on(&platform.ops).await;
    assert_eq!(again.problem(), (404, "not_found"));
}

#[tokio::test]
async fn an_authority_that_fails_or_is_not_there_says_only_that() {
    let platform = Platform::new().await;
    let path = "/ops/v1/merchants/10000077/certificates";
    let failed = call("POST", path).by(ALL).english().on(&platform.ops).await;
    assert_eq!(failed.problem(), (502, "issuer_failed"));
    assert_eq!(failed.body["title"], "The certificate was not issued");
    assert!(!failed.body.to_string().contains("/etc"));
    let platform = Platform::with_issuer(None).await;
    let none = call("POST", path).by(ALL).on(&platform.ops).await;
    assert_eq!(none.problem(), (503, "no_issuer"));
}
