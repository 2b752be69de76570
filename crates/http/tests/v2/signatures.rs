//! Signatures: policy matrix, ambiguity, what answers are signed with.

use hongbao_testkit::builders::{a_merchant, merchant_id};

use super::{
    call::{Call, a_group_send, a_query, a_send},
    crypto::Algorithm::{Hmac, Md5},
    platform::{KEY, MERCHANT, Platform, serial_of},
    reply::Reply,
};

/// Code of a send under each policy: HMAC only, and MD5 allowed too.
async fn under_both_policies(call: Call) -> [String; 2] {
    let platform = Platform::new().await;
    let lenient = call.ask(&platform).await.code();
    platform.set(MERCHANT, |settings| settings.md5_allowed = false).await;
    [call.with("mch_billno", "s2").ask(&platform).await.code(), lenient]
}

#[tokio::test]
#[rustfmt::skip]
async fn the_stored_policy_decides_what_a_signature_may_be() {
    let s = || a_send("s1");
    let (yes, no) = ("SUCCESS", "SIGN_ERROR");
    //   request                                                            HMAC only  MD5 allowed
    let table: Vec<(&str, Call, &str, &str)> = vec![
        ("no type, MD5",          s(),                                             no,  yes),
        ("no type, HMAC",         s().signed_with(Hmac),                           yes, no),
        ("empty type, MD5",       s().with("sign_type", ""),                       no,  yes),
        ("empty type, HMAC",      s().with("sign_type", "").signed_with(Hmac),     yes, no),
        ("MD5, MD5",              s().with("sign_type", "MD5"),                    no,  yes),
        ("MD5 unsigned, MD5",     s().with_unsigned("sign_type", "MD5"),           no,  yes),
        ("MD5, HMAC",             s().with("sign_type", "MD5").signed_with(Hmac),  no,  no),
        ("HMAC, HMAC",            s().with("sign_type", "HMAC-SHA256").signed_with(Hmac), yes, yes),
        ("HMAC unsigned, HMAC",   s().with_unsigned("sign_type", "HMAC-SHA256").signed_with(Hmac), yes, yes),
        ("HMAC, MD5",             s().with("sign_type", "HMAC-SHA256"),            no,  no),
        ("lower case",            s().with("sign_type", "md5"),                    no,  no),
        ("lower case",            s().with("sign_type", "hmac-sha256").signed_with(Hmac), no, no),
        ("unknown",               s().with("sign_type", "SHA1"),                   no,  no),
        ("RSA",                   s().with("sign_type", "RSA"),                    no,  no),
        ("other key",             s().keyed("0123456789abcdef0123456789abcdef"),   no,  no),
        ("empty key",             s().keyed(""),                                   no,  no),
    ];
    for (what, call, hmac_only, md5_allowed) in table {
        assert_eq!(under_both_policies(call).await, [hmac_only, md5_allowed], "{what}");
    }
}

#[tokio::test]
async fn a_signature_of_another_form_is_refused() {
    let platform = Platform::new().await;
    let (_, right) = a_send("s1").elements().pop().unwrap();
    let lower = right.to_lowercase();
    let short: String = right.chars().take(31).collect();
    let forms = [
        "",
        " ",
        "null",
        "0",
        lower.as_str(),
        &short,
        &format!("{right}0"),
        &format!(" {right}"),
        &format!("{right}{right}"),
        "签名",
        &"é".repeat(16),
    ];
    for sign in forms {
        let reply = a_send("s1").with("sign", sign).ask(&platform).await.unsigned();
        assert_eq!(
            (reply.code(), reply.des()),
            ("SIGN_ERROR".to_owned(), "签名错误".to_owned()),
            "{sign:?}"
        );
    }
    let unsigned = a_send("s1").xml().replace("sign>", "resign>");
    assert_eq!(a_send("s1").ask_with(&platform, unsigned).await.code(), "SIGN_ERROR");
    assert_eq!(a_send("s1").with("sign", &right).ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn a_change_of_any_field_breaks_the_signature() {
    let platform = Platform::new().await;
    let call = a_send("s1");
    let (_, sign) = call.elements().pop().unwrap();
    for name in call.fields.keys().filter(|name| *name != "mch_id") {
        let changed = format!("{}1", call.fields[name]);
        let reply = call.clone().with("sign", &sign).with(name, &changed).ask(&platform).await;
        assert_eq!(reply.code(), "SIGN_ERROR", "{name}");
    }
    let added = call.clone().with("sign", &sign).with("extra", "1").ask(&platform).await;
    assert_eq!(added.code(), "SIGN_ERROR");
    let blank =
        call.with("sign", &sign).with("scene_id", "").with("extra", "").ask(&platform).await;
    assert_eq!(blank.code(), "SUCCESS", "empty fields are not signed");
}

/// SIG-9 and SIG-10: the signature is right, the message has two readings.
#[tokio::test]
async fn a_value_that_hides_another_field_is_refused_by_name() {
    let platform = Platform::new().await;
    for algorithm in [Md5, Hmac] {
        let sign_type = if algorithm == Md5 { "MD5" } else { "HMAC-SHA256" };
        for (field, value) in [
            ("remark", "x&total_amount=20000&total_num=1&wishing=W"),
            ("wishing", "x&wxappid=other"),
            ("act_name", "x&key=192006250b4c09247ec02edce69f6a2d"),
            ("extra", "x&mch_id=1"),
        ] {
            let call = a_send("s1").with("sign_type", sign_type).signed_with(algorithm);
            let reply = call.with(field, value).ask(&platform).await.unsigned();
            assert_eq!(reply.code(), "SIGN_ERROR");
            assert_eq!(reply.des(), format!("签名错误：{field}的值中不能含有“&参数名=”"));
        }
    }
    // The other form of the first: the same string, cut into the fields that the text hid.
    let (_, sign) = a_send("s1").with("remark", "x&total_amount=20000").elements().pop().unwrap();
    let cut = a_send("s1").with("remark", "x").with("total_amount", "20000").with("sign", &sign);
    assert_eq!(cut.ask(&platform).await.code(), "SIGN_ERROR");
    let harmless = a_send("s1").with("remark", "Q&A=fun").with("risk_info", "a=1&b=2");
    assert_eq!(harmless.ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn an_unknown_merchant_one_without_a_key_and_a_wrong_signature_look_alike() {
    let platform = Platform::new().await;
    let (unknown, keyless) = (10_000_077, 10_000_055);
    platform.certify(merchant_id(unknown), &serial_of(unknown)).await;
    platform.add(a_merchant().numbered(keyless), None).await;
    let decoy = "00000000000000000000000000000000";
    let without_number =
        |reply: Reply, merchant: u64| reply.xml.replace(&merchant.to_string(), "M");
    for base in [a_send("s1"), a_group_send("s1"), a_query("s1")] {
        for key in [KEY, decoy] {
            let wrong = base.clone().keyed(decoy).ask(&platform).await.unsigned();
            assert_eq!(wrong.code(), "SIGN_ERROR");
            let expected = without_number(wrong, MERCHANT);
            for merchant in [unknown, keyless] {
                let reply = base.clone().of(merchant, key).ask(&platform).await.unsigned();
                assert_eq!(without_number(reply, merchant), expected);
            }
        }
    }
    let hiding = a_send("s1").of(unknown, KEY).with("remark", "x&mch_id=1").ask(&platform).await;
    let known = a_send("s1").with("remark", "x&mch_id=1").keyed(decoy).ask(&platform).await;
    assert_eq!(without_number(hiding, unknown), without_number(known, MERCHANT));
}

#[tokio::test]
async fn a_signature_of_one_merchant_is_none_of_another() {
    let platform = Platform::new().await;
    let other_key = "fedcba9876543210fedcba9876543210";
    platform.add(a_merchant().numbered(10_000_099).with_money(1_000), Some(other_key)).await;
    let mixed = a_send("s1").of(10_000_099, KEY).ask(&platform).await;
    assert_eq!(mixed.code(), "SIGN_ERROR");
    assert_eq!(a_send("s1").of(10_000_099, other_key).ask(&platform).await.code(), "SUCCESS");
}

#[tokio::test]
async fn a_key_that_was_replaced_signs_nothing_any_more() {
    let platform = Platform::new().await;
    let new = "0123456789abcdef0123456789abcdef";
    let actor = hongbao_domain::change::Actor::command_line();
    platform.app.set_v2_key(merchant_id(MERCHANT), new, actor).await.unwrap();
    assert_eq!(a_send("s1").ask(&platform).await.code(), "SIGN_ERROR");
    let reply = a_send("s1").keyed(new).ask(&platform).await.signed(new, Md5);
    assert_eq!(reply.code(), "SUCCESS");
}

/// SIG-8: a known field of another call is refused even under a right signature.
#[tokio::test]
async fn a_signature_made_for_one_call_is_of_no_use_at_another() {
    let platform = Platform::new().await;
    let to_normal = a_group_send("s1").sent_to("sendredpack").ask(&platform).await;
    assert_eq!(to_normal.code(), "PARAM_ERROR");
    assert_eq!(to_normal.des(), "amt_type不是本接口的参数，请去掉后重新签名");
    let to_group = a_send("s1").sent_to("sendgroupredpack").ask(&platform).await;
    assert_eq!(to_group.code(), "PARAM_ERROR");
    let to_query = a_send("s1").sent_to("gethbinfo").ask(&platform).await.unsigned();
    assert_eq!(to_query.code(), "PARAM_ERROR");
    let to_send = a_query("s1").sent_to("sendredpack").ask(&platform).await;
    assert_eq!(to_send.code(), "PARAM_ERROR");
}

#[tokio::test]
async fn answers_are_signed_with_the_algorithm_of_the_request() {
    let platform = Platform::new().await;
    for (sign_type, algorithm) in [("MD5", Md5), ("HMAC-SHA256", Hmac)] {
        for call in [a_send("s1"), a_group_send("s2")] {
            let call = call.with_unsigned("sign_type", sign_type).signed_with(algorithm);
            let good = call.ask(&platform).await.signed(KEY, algorithm);
            assert_eq!(good.code(), "SUCCESS");
            let business = call.clone().with("re_openid", "oBob").ask(&platform).await;
            assert_eq!(business.signed(KEY, algorithm).code(), "FATAL_ERROR");
            let field = call.clone().with("total_num", "x").ask(&platform).await;
            assert_eq!(field.signed(KEY, algorithm).code(), "PARAM_ERROR");
        }
        let query = a_query("s1").with("sign_type", sign_type).signed_with(algorithm);
        assert_eq!(query.ask(&platform).await.unsigned().code(), "SUCCESS");
        let missing = query.with("mch_billno", "none").ask(&platform).await.unsigned();
        assert_eq!(missing.code(), "NOT_FOUND");
    }
}

#[tokio::test]
async fn refusals_after_the_signature_are_signed_and_those_before_are_not() {
    let platform = Platform::new().await;
    let call = a_send("s1");
    call.ask_with(&platform, "<xml/>x").await.unsigned();
    call.clone().with_certificate(None).ask(&platform).await.unsigned();
    call.clone().keyed("x").ask(&platform).await.unsigned();
    platform.set(MERCHANT, |s| s.product.call_ips.push("198.51.100.1".parse().unwrap())).await;
    let address = call.ask(&platform).await.signed(KEY, Md5);
    assert_eq!(address.code(), "NO_AUTH");
    platform.set(MERCHANT, |settings| settings.product.call_ips.clear()).await;
    platform.set(MERCHANT, |settings| settings.caps.sends_per_second = 1).await;
    while call.ask(&platform).await.signed(KEY, Md5).code() != "FREQ_LIMIT" {}
}

/// A strict client checks the signature of what it reads back, so nothing may surround a text
/// and nothing of a stranger's may be repeated.
#[tokio::test]
async fn an_answer_repeats_identifiers_only_in_their_own_form() {
    let platform = Platform::new().await;
    let odd = a_send("s1").with_all(&[
        ("mch_billno", " a b "),
        ("wxappid", "<script>"),
        ("re_openid", "o&mch"),
        ("total_amount", "1e2"),
    ]);
    let reply = odd.ask(&platform).await.signed(KEY, Md5);
    assert_eq!(reply.code(), "PARAM_ERROR");
    for name in ["mch_billno", "wxappid", "re_openid", "total_amount"] {
        assert_eq!(reply.get(name), None, "{name}");
    }
    assert_eq!(reply.text("mch_id"), MERCHANT.to_string());
}
