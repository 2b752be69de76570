//! The doors after the signature: address and rate; and the order of all gates.

use super::{
    call::{Call, a_group_send, a_query, a_send},
    platform::{MERCHANT, Platform},
};

const TEXT: &str = "IP地址非你在商户平台设置的可用IP地址";

#[tokio::test]
async fn only_listed_addresses_may_call_once_a_list_is_set() {
    let platform = Platform::new().await;
    let ips = ["198.51.100.1", "2001:db8::7"];
    platform.set(MERCHANT, |s| s.product.call_ips = ips.map(|ip| ip.parse().unwrap()).into()).await;
    for from in ["198.51.100.1:1", "[::ffff:198.51.100.1]:2", "[2001:db8::7]:3"] {
        assert_eq!(a_send("d1").from(from).ask(&platform).await.code(), "SUCCESS", "{from}");
    }
    for from in ["198.51.100.2:1", "[2001:db8::8]:1", "127.0.0.1:1", "[::1]:1"] {
        for call in [a_send("d1"), a_group_send("d2"), a_query("d1")] {
            let reply = call.from(from).ask(&platform).await;
            assert_eq!((reply.code().as_str(), reply.des().as_str()), ("NO_AUTH", TEXT), "{from}");
        }
    }
}

/// J-6 and J-8: what the caller says about its address decides nothing.
#[tokio::test]
async fn an_address_that_the_caller_names_does_not_open_the_door() {
    let platform = Platform::new().await;
    let ips = vec!["198.51.100.1".parse().unwrap()];
    platform.set(MERCHANT, |settings| settings.product.call_ips = ips).await;
    let call = a_send("d1")
        .with("client_ip", "198.51.100.1")
        .header("x-forwarded-for", "198.51.100.1")
        .header("forwarded", "for=198.51.100.1")
        .header("x-real-ip", "198.51.100.1");
    assert_eq!(call.ask(&platform).await.code(), "NO_AUTH");
    let listed = a_send("d1").with("client_ip", "10.0.0.1").from("198.51.100.1:9");
    assert_eq!(listed.ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn calls_above_the_rate_are_refused_until_time_goes_on() {
    let platform = Platform::on_one_server().await;
    platform.set(MERCHANT, |settings| settings.caps.sends_per_second = 2).await;
    platform.clock.pass_seconds(1);
    let codes = async || {
        let mut codes = Vec::new();
        for call in [a_send("d1"), a_group_send("d2"), a_send("d3"), a_group_send("d4")] {
            codes.push(call.ask(&platform).await.code());
        }
        codes
    };
    assert_eq!(codes().await, ["SUCCESS", "SUCCESS", "FREQ_LIMIT", "FREQ_LIMIT"]);
    platform.clock.pass_seconds(1);
    assert_eq!(codes().await, ["SUCCESS", "SUCCESS", "FREQ_LIMIT", "FREQ_LIMIT"]);
    platform.clock.pass_seconds(1);
    let late = a_send("d4").ask(&platform).await;
    assert_eq!(late.code(), "SUCCESS", "a call refused for its rate left no order");
}

#[tokio::test]
async fn a_flood_of_queries_refuses_no_send_and_one_of_sends_no_query() {
    let platform = Platform::on_one_server().await;
    platform.set(MERCHANT, |settings| settings.caps.sends_per_second = 2).await;
    let count = async |call: Call, code: &str| {
        let mut found = 0;
        for _ in 0..50 {
            found += u32::from(call.ask(&platform).await.code() == code);
        }
        found
    };
    assert_eq!(count(a_query("d1"), "NOT_FOUND").await, 2);
    assert_eq!(a_query("d1").ask(&platform).await.code(), "FREQ_LIMIT");
    assert_eq!(count(a_send("d1"), "SUCCESS").await, 2);
    assert_eq!(a_send("d1").ask(&platform).await.code(), "FREQ_LIMIT");
    platform.clock.pass_seconds(1);
    assert_eq!(count(a_send("d1"), "SUCCESS").await, 2);
    assert_eq!(count(a_query("d1"), "SUCCESS").await, 2);
}

#[tokio::test]
async fn calls_that_nobody_signed_take_nothing_of_a_merchants_rate() {
    let platform = Platform::new().await;
    platform.set(MERCHANT, |settings| settings.caps.sends_per_second = 1).await;
    for _ in 0..50 {
        assert_eq!(a_send("d1").keyed("x").ask(&platform).await.code(), "SIGN_ERROR");
        let bare = a_send("d1").with_certificate(None).ask(&platform).await;
        assert_eq!(bare.code(), "CA_ERROR");
    }
    assert_eq!(a_send("d1").ask(&platform).await.code(), "SUCCESS");
}

/// A call that is wrong in every way, put right gate by gate.
#[tokio::test]
async fn the_first_gate_that_refuses_gives_the_answer() {
    let platform = Platform::on_one_server().await;
    let tweak = |settings: &mut hongbao_domain::merchant::Settings| {
        settings.product.call_ips = vec!["198.51.100.1".parse().unwrap()];
        settings.product.opened = false;
        settings.caps.sends_per_second = 1;
    };
    platform.set(MERCHANT, tweak).await;
    platform.clock.pass_seconds(1);
    let wrong = a_send("d1").with("total_num", "2").keyed("x").with_certificate(None);
    let mut codes = vec![wrong.ask_with(&platform, format!("{}x", wrong.xml())).await.code()];
    codes.push(wrong.ask(&platform).await.code());
    let certified = a_send("d1").with("total_num", "2").keyed("x");
    codes.push(certified.ask(&platform).await.code());
    let signed = a_send("d1").with("total_num", "2");
    codes.push(signed.ask(&platform).await.code());
    let listed = signed.from("198.51.100.1:1");
    codes.push(listed.ask(&platform).await.code());
    codes.push(listed.ask(&platform).await.code());
    platform.clock.pass_seconds(1);
    let fields = a_send("d1").from("198.51.100.1:1");
    let closed = fields.ask(&platform).await;
    codes.push(closed.code());
    let expected =
        ["XML_ERROR", "CA_ERROR", "SIGN_ERROR", "NO_AUTH", "PARAM_ERROR", "FREQ_LIMIT", "NO_AUTH"];
    assert_eq!(codes, expected);
    assert_eq!(closed.des(), "商户号未开通现金红包，请到商户平台产品中心开通");
}
