//! Registering.

use hongbao_domain::risk::Standing;
use hongbao_testkit::builders::{APP, a_user, app, openid};
use serde_json::json;

use crate::{
    call::call,
    town::{Town, claims, issued, token},
};

#[tokio::test]
async fn a_guest_registers_and_is_known_from_then_on() {
    let town = Town::new().await;
    let dora = token("dora");
    let said = json!({
        "display_name": "多拉",
        "follows_since": "2026-02-27T02:00:00Z",
        "accepts_messages": true,
    });
    let put = call("PUT", "/pocket/v1/me").by(&dora).json(&said).on(&town.pocket).await;
    assert_eq!(put.status, 200, "{put:?}");
    let me = call("GET", "/pocket/v1/me").by(&dora).on(&town.pocket).await;
    let known = json!({
        "appid": APP,
        "openid": "dora",
        "display_name": "多拉",
        "follows_since": "2026-02-27T10:00:00.000+08:00",
        "accepts_messages": true,
    });
    assert_eq!((put.body, me.body), (known.clone(), known));
}

#[tokio::test]
async fn nobody_says_what_the_host_thinks_of_them() {
    let town = Town::new().await;
    a_user("bot").with_standing(Standing::Bot).in_store(&*town.store).await;
    let body = json!({ "display_name": "Nice", "accepts_messages": false });
    let put = call("PUT", "/pocket/v1/me").by(&token("bot")).json(&body).on(&town.pocket).await;
    assert_eq!(put.status, 200);
    let person = hongbao_app::ports::Person { app: app(APP), openid: openid("bot") };
    let record = town.app.user(&person).await.unwrap();
    assert_eq!((record.standing, record.display_name.as_str()), (Standing::Bot, "Nice"));
    for field in ["standing", "openid", "appid", "subject", "user", "balance", "role"] {
        let mut body = body.clone();
        body[field] = json!("normal");
        let put = call("PUT", "/pocket/v1/me").by(&token("bot")).json(&body);
        let answer = put.on(&town.pocket).await;
        assert_eq!(answer.problem(), (400, "unknown_field"), "{field}");
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/{field}"));
    }
}

#[tokio::test]
async fn fields_that_break_their_rule_are_named() {
    let town = Town::new().await;
    let cases = [
        (json!({ "display_name": "x".repeat(33), "accepts_messages": true }), 422, "/display_name"),
        (json!({ "display_name": "x" }), 400, "/accepts_messages"),
        (json!({ "display_name": 7, "accepts_messages": true }), 400, "/display_name"),
        (
            json!({ "display_name": "x", "accepts_messages": true, "follows_since": "yesterday" }),
            400,
            "/follows_since",
        ),
    ];
    for (body, status, pointer) in cases {
        let put = call("PUT", "/pocket/v1/me").by(&token("dora")).json(&body);
        let answer = put.on(&town.pocket).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn a_name_does_not_pass_to_another_human() {
    let town = Town::new().await;
    let body = json!({ "display_name": "Mallory", "accepts_messages": true });
    let mut said = claims("alice");
    said.sub = "mallory".to_owned();
    let put = call("PUT", "/pocket/v1/me").by(&issued(&said)).json(&body).on(&town.pocket).await;
    assert_eq!(put.problem(), (409, "changed_meanwhile"));
}
