//! Bodies that are not the one kind of XML that is read (group G), before anything else is asked.

use std::fmt::Write as _;

use super::{
    call::{a_group_send, a_query, a_send},
    platform::{MERCHANT, Platform},
};

/// Every body is refused as unreadable, by every call, without a certificate or with one.
async fn refused(platform: &Platform, what: &str, body: &[u8]) {
    for call in [a_send("x1"), a_group_send("x1"), a_query("x1")] {
        for call in [call.clone(), call.with_certificate(None)] {
            let reply = call.ask_with(platform, body.to_vec()).await.unsigned();
            assert_eq!(reply.code(), "XML_ERROR", "{what}");
            assert!(reply.des().starts_with("XML格式错误"), "{what}: {}", reply.des());
            assert_eq!(reply.get("mch_id"), None);
        }
    }
}

/// A signed send with `from` replaced by `to` in its body.
fn tampered(from: &str, to: &str) -> Vec<u8> {
    let xml = a_send("x1").xml();
    assert!(xml.contains(from), "{from}");
    xml.replacen(from, to, 1).into_bytes()
}

#[tokio::test]
async fn what_is_not_one_flat_element_is_refused() {
    let platform = Platform::new().await;
    let amount = "<total_amount><![CDATA[100]]></total_amount>";
    let doctype = "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml>";
    let parameter = "<!DOCTYPE xml [<!ENTITY % p SYSTEM \"http://192.0.2.1/\"> %p;]><xml>";
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b" \r\n\t ".to_vec()),
        ("json", br#"{"mch_id":"10000098"}"#.to_vec()),
        ("form", b"mch_id=10000098&sign=1".to_vec()),
        ("a page", b"<html><body/></html>".to_vec()),
        ("doctype", tampered("<xml>", "<!DOCTYPE xml><xml>")),
        ("external entity", tampered("<xml>", doctype)),
        ("parameter entity", tampered("<xml>", parameter)),
        ("unknown entity", tampered("[100]", "[1]]>&x;<![CDATA[00]")),
        ("amount twice", tampered(amount, &format!("{amount}{amount}"))),
        ("sign twice", tampered("<sign>", "<sign>0</sign><sign>")),
        ("merchant twice", tampered("<mch_id>", "<mch_id>10000099</mch_id><mch_id>")),
        ("comment in a value", tampered("<![CDATA[100]]>", "100<!-- -->00")),
        ("instruction in a value", tampered("<![CDATA[100]]>", "100<?x ?>00")),
        ("attribute", tampered("<total_amount>", "<total_amount a=\"1\">")),
        ("namespace", tampered("<xml>", "<xml xmlns=\"http://example.com\">")),
        ("prefix", tampered("<remark>", "<x:remark>1</x:remark><remark>")),
        ("nested", tampered("<![CDATA[100]]>", "<b>100</b>")),
        ("text between", tampered("<total_amount>", "x<total_amount>")),
        ("two roots", tampered("</xml>", "</xml><xml></xml>")),
        ("trailing bytes", tampered("</xml>", "</xml>x")),
        ("unclosed", tampered("</xml>", "")),
        ("crossed tags", tampered("</total_amount>", "</total_num>")),
        ("byte order mark", tampered("<xml>", "\u{feff}<xml>")),
        ("gbk declared", tampered("<xml>", "<?xml version=\"1.0\" encoding=\"GBK\"?><xml>")),
        ("nul", tampered("[100]", "[1\u{0}00]")),
        ("nul by reference", tampered("<![CDATA[100]]>", "1&#0;00")),
        ("surrogate by reference", tampered("<![CDATA[100]]>", "1&#xD800;")),
        ("overlong", [b"<xml><a>\xc0\xaf</a></xml>".as_slice()].concat()),
        ("gbk bytes", b"<xml><a>\xb9\xa7\xcf\xb2</a></xml>".to_vec()),
        ("utf-16", "<xml></xml>".encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    for (what, body) in table {
        refused(&platform, what, &body).await;
    }
    assert_eq!(platform.basic_fen(MERCHANT).await, 1_000_000);
}

#[tokio::test]
async fn what_would_blow_up_is_refused_while_it_is_small() {
    let platform = Platform::new().await;
    let mut laughs = String::from("<!DOCTYPE l [<!ENTITY a \"ha\">");
    for level in 0..10 {
        write!(laughs, "<!ENTITY b{level} \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">").unwrap();
    }
    let deep = "<a>".repeat(20_000);
    let attributes = format!("<xml {}>", "a=\"1\" ".repeat(10_000));
    let elements: Vec<_> = (0..65).map(|i| format!("<e{i}>1</e{i}>")).collect();
    for (what, body) in [
        ("billion laughs", format!("{laughs}]><xml>&b9;</xml>")),
        ("deep", format!("<xml>{deep}")),
        ("attributes", attributes),
        ("elements", format!("<xml>{}</xml>", elements.concat())),
        ("a long name", format!("<xml><{0}>1</{0}></xml>", "n".repeat(65))),
    ] {
        refused(&platform, what, body.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_body_above_64_kib_is_refused_and_one_of_64_kib_is_read() {
    let platform = Platform::new().await;
    let call = a_send("x1");
    let padded = |bytes: usize| {
        let xml = call.xml();
        xml.clone() + &" ".repeat(bytes - xml.len())
    };
    assert_eq!(call.ask_with(&platform, padded(65_536)).await.code(), "SUCCESS");
    let large = call.ask_with(&platform, padded(65_537)).await;
    assert_eq!(
        (large.code(), large.des()),
        ("XML_ERROR".to_owned(), "XML格式错误：请求体超过65536字节".to_owned())
    );
    refused(&platform, "a mebibyte", padded(1 << 20).as_bytes()).await;
}

#[tokio::test]
async fn an_encoded_body_is_not_unpacked() {
    let platform = Platform::new().await;
    for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "", "x"] {
        let reply = a_send("x1").header("content-encoding", encoding).ask(&platform).await;
        assert_eq!(reply.code(), "XML_ERROR", "{encoding}");
        assert!(reply.des().contains("Content-Encoding"));
    }
    let twice =
        a_send("x1").header("content-encoding", "identity").header("content-encoding", "gzip");
    assert_eq!(twice.ask(&platform).await.code(), "XML_ERROR");
}

/// G-7: an unknown element is signed like any other and means nothing.
#[tokio::test]
async fn an_unknown_element_is_part_of_the_signature_and_of_nothing_else() {
    let platform = Platform::new().await;
    let call =
        a_send("x1").with("amount", "").with("total_amount_fen", "20000").with("frozen", "0");
    assert_eq!(call.ask(&platform).await.code(), "SUCCESS");
    assert_eq!(platform.basic_fen(MERCHANT).await, 999_900);
    let slipped_in = tampered("<sign>", "<extra>1</extra><sign>");
    assert_eq!(call.ask_with(&platform, slipped_in).await.code(), "SIGN_ERROR");
}

#[tokio::test]
async fn no_bytes_at_all_make_the_face_fall_over() {
    let platform = Platform::new().await;
    let whole = a_send("x1").xml().into_bytes();
    for cut in (0..whole.len()).step_by(7) {
        let reply = a_send("x1").ask_with(&platform, whole[..cut].to_vec()).await;
        assert_eq!(reply.code(), "XML_ERROR");
    }
    let mut noise: u64 = 88_172_645_463_325_252;
    for _ in 0..500 {
        let mut body = whole.clone();
        for _ in 0..3 {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let bytes = noise.to_le_bytes();
            let at = usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % body.len();
            body[at] = bytes[2];
        }
        // Unreadable, of another merchant, wrongly signed or, rarely, unchanged: never a panic.
        let code = a_send("x1").ask_with(&platform, body).await.code();
        assert!(
            ["XML_ERROR", "CA_ERROR", "SIGN_ERROR", "SUCCESS"].contains(&code.as_str()),
            "{code}"
        );
    }
}
