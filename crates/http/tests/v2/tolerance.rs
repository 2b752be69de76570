//! What unchanged clients do and must be let do.

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::{
    call::{a_group_send, a_query, a_send},
    platform::Platform,
};

#[tokio::test]
async fn any_content_type_will_do() {
    let platform = Platform::new().await;
    for content_type in [
        "text/xml",
        "application/xml; charset=utf-8",
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "nonsense",
        "",
    ] {
        let reply = a_send("t1").header("content-type", content_type).ask(&platform).await;
        assert_eq!(reply.code(), "SUCCESS", "{content_type}");
    }
    assert_eq!(a_send("t1").ask(&platform).await.code(), "SUCCESS", "none");
    let identity = a_send("t1").header("content-encoding", "identity").ask(&platform).await;
    assert_eq!(identity.code(), "SUCCESS");
}

/// Without a length, in pieces of three bytes that cut through characters.
fn in_pieces(text: &str) -> Body {
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(3)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test]
async fn a_body_may_come_in_pieces() {
    let platform = Platform::new().await;
    for call in [a_send("t1"), a_group_send("t2"), a_query("t1")] {
        let reply = call.ask_with(&platform, in_pieces(&call.xml())).await;
        assert_eq!(reply.code(), "SUCCESS");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let platform = Platform::new().await;
    let broken = vec![Ok(Bytes::from("<xml>")), Err(std::io::Error::other("gone"))];
    let reply = a_send("t1").ask_with(&platform, Body::from_stream(stream::iter(broken))).await;
    assert_eq!(reply.code(), "XML_ERROR");
}

#[tokio::test]
async fn one_value_written_in_any_way_is_one_value_under_one_signature() {
    let platform = Platform::new().await;
    let call = a_send("t1").with("wishing", "a<b>&c");
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let bare = |(name, value): (String, String)| format!("<{name}>{}</{name}>\n", escape(&value));
    let spaced =
        |(name, value): (String, String)| format!("\t<{name} ><![CDATA[{value}]]></{name}\n>\r\n");
    let numeric = |(name, value): (String, String)| {
        let value: Vec<_> = value.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect();
        format!("<{name}>{}</{name}>", value.concat())
    };
    let elements = || call.elements().into_iter();
    let bodies = [
        format!("<xml>{}</xml>", elements().map(bare).collect::<String>()),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n{}</xml>\n",
            elements().map(spaced).collect::<String>()
        ),
        format!(
            "<?xml version='1.0' standalone='yes'?><xml>{}</xml>",
            elements().rev().map(bare).collect::<String>()
        ),
        format!("<xml>{}</xml>", elements().map(numeric).collect::<String>()),
    ];
    let first = call.ask(&platform).await;
    assert_eq!(first.code(), "SUCCESS");
    for body in bodies {
        assert_eq!(call.ask_with(&platform, body.clone()).await.xml, first.xml, "{body}");
    }
}

#[tokio::test]
async fn fields_of_older_and_stranger_clients_are_let_through() {
    let platform = Platform::new().await;
    let old = a_send("t1").with_all(&[
        ("nick_name", "天虹"),
        ("min_value", "100"),
        ("max_value", "100"),
        ("logo_imgurl", "https://example.com/l.png"),
        ("share_content", "快来"),
        ("share_url", "https://example.com"),
        ("share_imgurl", "https://example.com/s.png"),
        ("act_id", "7"),
        ("scene_id", ""),
        ("risk_info", ""),
        ("appid", "wx-app-one"),
        ("trade_type", "JSAPI"),
        ("unheard_of", "1"),
    ]);
    assert_eq!(old.ask(&platform).await.code(), "SUCCESS");
    let with_ip = a_group_send("t2").with("client_ip", "127.0.0.1");
    assert_eq!(with_ip.ask(&platform).await.code(), "SUCCESS");
    let free_form = a_send("88888888").with("nonce_str", "1511234567890").with("client_ip", "::1");
    assert_eq!(free_form.ask(&platform).await.code(), "SUCCESS");
}

/// G-9.
#[tokio::test]
async fn numbers_have_one_spelling() {
    let platform = Platform::new().await;
    for amount in [
        "+100",
        "0100",
        "1e2",
        "100.0",
        "-1",
        "0",
        "９９",
        " 100",
        "100 ",
        "0x64",
        "1,00",
        "9223372036854775808",
        "18446744073709551716",
        "",
    ] {
        let reply = a_send("t1").with("total_amount", amount).ask(&platform).await;
        assert_eq!(reply.code(), "PARAM_ERROR", "{amount:?}");
        assert!(reply.des().starts_with("total_amount"), "{}", reply.des());
    }
    for count in ["2", "0", "01", "1.0", "一", ""] {
        let reply = a_send("t1").with("total_num", count).ask(&platform).await;
        assert_eq!(
            (reply.code(), reply.des()),
            ("PARAM_ERROR".to_owned(), "total_num必须为1".to_owned())
        );
    }
    for count in ["2", "21", "0", "-3", "03", "4294967299"] {
        let reply = a_group_send("t1").with("total_num", count).ask(&platform).await;
        let text = "total_num必须介于(包括)3到20之间".to_owned();
        assert_eq!((reply.code(), reply.des()), ("PARAM_ERROR".to_owned(), text), "{count}");
    }
}

/// E-5.
#[tokio::test]
async fn order_numbers_are_exact_bytes() {
    let platform = Platform::new().await;
    for number in ["", "a b", " a1", "a1 ", "１２", "a-1", "a_1", &"1".repeat(29)] {
        let reply = a_send(number).ask(&platform).await;
        assert_eq!(reply.code(), "PARAM_ERROR", "{number:?}");
        assert_eq!(a_query(number).ask(&platform).await.code(), "PARAM_ERROR", "{number:?}");
    }
    assert_eq!(a_send(&"1".repeat(28)).ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn required_fields_are_named_when_they_are_missing_or_too_long() {
    let platform = Platform::new().await;
    for (name, chars) in [
        ("nonce_str", 32),
        ("send_name", 32),
        ("act_name", 32),
        ("wishing", 128),
        ("remark", 256),
        ("wxappid", 32),
        ("re_openid", 32),
    ] {
        let missing = a_send("t1").without(name).ask(&platform).await;
        assert_eq!(missing.code(), "PARAM_ERROR");
        assert!(missing.des().starts_with(&format!("{name}必填")), "{}", missing.des());
        let long = a_send("t1").with(name, &"长".repeat(chars + 1)).ask(&platform).await;
        assert_eq!(long.code(), "PARAM_ERROR");
        assert!(long.des().starts_with(&format!("{name}过长")), "{}", long.des());
    }
    for (name, value) in
        [("wxappid", "wx 1"), ("re_openid", "o.1"), ("client_ip", "x"), ("scene_id", "PRODUCT_9")]
    {
        let reply = a_send("t1").with(name, value).ask(&platform).await;
        assert_eq!(reply.code(), "PARAM_ERROR");
        assert!(reply.des().starts_with(name), "{}", reply.des());
    }
}

#[tokio::test]
async fn other_paths_and_methods_get_a_plain_refusal() {
    let platform = Platform::new().await;
    let unknown = a_send("t1").sent_to("sendminiprogramhb").raw(&platform, "POST", "<xml/>").await;
    assert_eq!(unknown.status, 404);
    let get = a_send("t1").raw(&platform, "GET", "").await;
    assert_eq!(get.status, 405);
    assert_eq!(get.headers["allow"], "POST");
    for reply in [unknown, get] {
        assert_eq!(reply.headers["content-type"], "text/xml; charset=utf-8");
        assert_eq!(reply.text("return_code"), "FAIL");
    }
}
