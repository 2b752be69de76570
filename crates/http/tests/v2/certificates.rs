//! Client certificates: whose, and whether they stand.

use hongbao_domain::change::Actor;
use hongbao_testkit::builders::{a_merchant, merchant_id};

use super::{
    call::{a_group_send, a_query, a_send},
    platform::{KEY, MERCHANT, Platform, serial_of},
};

const TEXT: &str = "CA证书出错，请登录微信支付商户平台下载证书";

#[tokio::test]
async fn only_a_certificate_of_the_caller_in_force_lets_a_call_in() {
    let platform = Platform::new().await;
    let other = 10_000_099;
    platform.add(a_merchant().numbered(other), Some(KEY)).await;
    platform.certify(merchant_id(MERCHANT), "5E").await;
    let revoked =
        platform.app.revoke_certificate(merchant_id(MERCHANT), "5E", Actor::command_line());
    revoked.await.unwrap();
    let (own_serial, other_serial) = (serial_of(MERCHANT), serial_of(other));
    let table = [
        ("none", None),
        ("of another merchant", Some((other, other_serial.as_str()))),
        ("another's serial under the own number", Some((MERCHANT, other_serial.as_str()))),
        ("the own serial under another number", Some((other, own_serial.as_str()))),
        ("never issued", Some((MERCHANT, "FFFF"))),
        ("empty serial", Some((MERCHANT, ""))),
        ("revoked", Some((MERCHANT, "5E"))),
    ];
    for (what, certificate) in table {
        for call in [a_send("c1"), a_group_send("c2"), a_query("c1")] {
            let reply = call.with_certificate(certificate).ask(&platform).await.unsigned();
            assert_eq!((reply.code().as_str(), reply.des().as_str()), ("CA_ERROR", TEXT), "{what}");
            assert_eq!(reply.text("mch_id"), MERCHANT.to_string());
        }
    }
    assert_eq!(platform.basic_fen(MERCHANT).await, 1_000_000);
    assert_eq!(a_query("c1").ask(&platform).await.code(), "NOT_FOUND");
    assert_eq!(a_send("c1").ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn a_certificate_does_not_speak_for_the_merchant_of_another_body() {
    let platform = Platform::new().await;
    let other = 10_000_099;
    platform.add(a_merchant().numbered(other).with_money(1_000), Some(KEY)).await;
    let own = serial_of(MERCHANT);
    let call = a_send("c1").of(other, KEY).with_certificate(Some((MERCHANT, &own)));
    assert_eq!(call.ask(&platform).await.code(), "CA_ERROR");
    for mch_id in ["", " 10000098", "010000098", "10000098 ", "１0000098", "x"] {
        let reply = a_send("c1").with("mch_id", mch_id).ask(&platform).await;
        assert_eq!(reply.code(), "CA_ERROR", "{mch_id:?}");
    }
    assert_eq!(a_send("c1").without("mch_id").ask(&platform).await.code(), "CA_ERROR");
}

#[tokio::test]
async fn a_revocation_holds_from_the_next_call_on() {
    let platform = Platform::new().await;
    assert_eq!(a_send("c1").ask(&platform).await.code(), "SUCCESS");
    let (id, serial) = (merchant_id(MERCHANT), serial_of(MERCHANT));
    platform.app.revoke_certificate(id, &serial, Actor::command_line()).await.unwrap();
    assert_eq!(a_send("c1").ask(&platform).await.code(), "CA_ERROR");
}

#[tokio::test]
async fn headers_do_not_stand_for_a_certificate() {
    let platform = Platform::new().await;
    let call = a_send("c1")
        .with_certificate(None)
        .header("x-client-cert", "10000098")
        .header("x-ssl-client-verify", "SUCCESS")
        .header("x-forwarded-client-cert", "Subject=\"CN=10000098\"");
    assert_eq!(call.ask(&platform).await.code(), "CA_ERROR");
}

#[tokio::test]
async fn a_request_that_no_listener_described_has_no_certificate() {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;
    let platform = Platform::new().await;
    let request =
        Request::post("/mmpaymkttransfers/sendredpack").body(Body::from(a_send("c1").xml()));
    let response = platform.router.clone().oneshot(request.unwrap()).await.unwrap();
    let reply = super::reply::Reply::read(response).await.checked();
    assert_eq!(reply.code(), "CA_ERROR");
}
