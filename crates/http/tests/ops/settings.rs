//! Settings, against the version that was read.

use serde_json::{Value, json};

use crate::{
    call::{Answer, call},
    town::{ALL, Platform},
};

const PATH: &str = "/ops/v1/merchants/10000098/settings";

async fn read(platform: &Platform) -> (String, Value) {
    let answer = call("GET", PATH).by(ALL).on(&platform.ops).await;
    assert_eq!(answer.status, 200);
    (answer.headers["etag"].to_str().unwrap().to_owned(), answer.body)
}

async fn write(platform: &Platform, version: &str, body: &Value) -> Answer {
    call("PUT", PATH).by(ALL).header("if-match", version).json(body).on(&platform.ops).await
}

#[tokio::test]
async fn settings_change_only_from_what_was_read() {
    let platform = Platform::new().await;
    let (version, mut settings) = read(&platform).await;
    settings["caps"]["user_day_count"] = json!(3);
    let changed = write(&platform, &version, &settings).await;
    assert_eq!((changed.status.as_u16(), &changed.body), (200, &settings));
    assert_ne!(changed.headers["etag"], version.as_str());
    for stale in [version.as_str(), "*", "3", "W/\"2\"", "\"x\"", ""] {
        let answer = write(&platform, stale, &settings).await;
        assert_eq!(answer.problem(), (412, "version_changed"), "{stale}");
    }
    let blind = call("PUT", PATH).by(ALL).json(&settings).on(&platform.ops).await;
    assert_eq!(blind.problem(), (428, "version_required"));
    assert_eq!(read(&platform).await.1, settings);
}

#[tokio::test]
async fn settings_that_break_a_rule_name_the_field() {
    let platform = Platform::new().await;
    let (version, settings) = read(&platform).await;
    let cases = [
        ("/name", json!(""), 422, "/name"),
        ("/sandbox", json!(false), 422, "/sandbox"),
        ("/expiry_seconds", json!(59), 422, "/expiry_seconds"),
        ("/expiry_seconds", json!(28 * 86_400 + 1), 422, "/expiry_seconds"),
        ("/group/total_max", json!(299), 422, "/group/total_max"),
        ("/product/call_ips", json!(["0.0.0.0"]), 422, "/product/call_ips"),
        ("/product/call_ips", json!(["10.0.0.0/8"]), 400, "/product/call_ips/0"),
        ("/risk_level", json!(4), 400, "/risk_level"),
        ("/caps/user_day_count", json!(1.5), 400, "/caps/user_day_count"),
        ("/apps", json!([{ "app": "a b", "kind": "mini_program" }]), 400, "/apps/0/app"),
    ];
    for (field, value, status, pointer) in cases {
        let mut settings = settings.clone();
        *settings.pointer_mut(field).unwrap() = value.clone();
        let answer = write(&platform, &version, &settings).await;
        assert_eq!(answer.status.as_u16(), status, "{field} {value}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{field} {value}");
    }
    let mut more = settings;
    more["caps"]["bonus"] = json!(1);
    let answer = write(&platform, &version, &more).await;
    assert_eq!(answer.body["errors"][0]["pointer"], "/caps/bonus");
}
