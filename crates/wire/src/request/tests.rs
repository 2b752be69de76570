//! Requests field by field: one good request, and one line for each way it can be wrong.

use super::{ParamError, Query, SendGroup, SendNormal};
use crate::{Fields, Scene, names::KNOWN_NAMES};

const NORMAL: &[(&str, &str)] = &[
    ("nonce_str", "50780e0cca98c8c8e814883e5caa672e"),
    ("sign", "06F78C667B25713BF97A42135DB7F79F"),
    ("mch_billno", "1000009820260101abcDEF0001"),
    ("mch_id", "10000098"),
    ("wxappid", "wx8888888888888888"),
    ("send_name", "测试商户"),
    ("re_openid", "oTEST000000000000000000000001"),
    ("total_amount", "100"),
    ("total_num", "1"),
    ("wishing", "恭喜发财"),
    ("client_ip", "192.0.2.10"),
    ("act_name", "新年活动"),
    ("remark", "备注"),
];

const QUERY: &[(&str, &str)] = &[
    ("nonce_str", "n"),
    ("sign", "06F78C667B25713BF97A42135DB7F79F"),
    ("mch_billno", "88888888"),
    ("mch_id", "10000098"),
    ("appid", "wx8888888888888888"),
    ("bill_type", "MCHT"),
];

/// The base with some fields set; an empty value stands for an absent field.
fn changed(base: &[(&str, &str)], changes: &[(&str, &str)]) -> Fields {
    let kept = base.iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    Fields::try_from_pairs(kept.chain(changes).copied()).unwrap()
}

fn normal(changes: &[(&str, &str)]) -> Result<SendNormal, ParamError> {
    SendNormal::parse(&changed(NORMAL, changes))
}

fn group(changes: &[(&str, &str)]) -> Result<SendGroup, ParamError> {
    let base = changed(NORMAL, &[("client_ip", ""), ("total_num", "3"), ("amt_type", "ALL_RAND")]);
    let base: Vec<_> = base.iter().collect();
    SendGroup::parse(&changed(&base, changes))
}

fn query(changes: &[(&str, &str)]) -> Result<Query, ParamError> {
    Query::parse(&changed(QUERY, changes))
}

fn check_refused<T: std::fmt::Debug>(result: Result<T, ParamError>, field: &str, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.field, field, "{error}");
    assert!(error.text_zh.starts_with(field) && error.text_en.starts_with(field), "{error:?}");
    assert!(error.text_zh.contains(part), "{part} is not in {error}");
    assert!(!error.text_zh.contains("html"));
}

#[test]
fn a_plain_normal_request_is_read_field_by_field() {
    let request = normal(&[]).unwrap();
    assert_eq!(request.client_ip.to_string(), "192.0.2.10");
    let send = &request.send;
    assert_eq!(send.mch_billno, "1000009820260101abcDEF0001");
    assert_eq!(send.mch_id, "10000098");
    assert_eq!(send.wxappid, "wx8888888888888888");
    assert_eq!(send.send_name, "测试商户");
    assert_eq!(send.re_openid, "oTEST000000000000000000000001");
    assert_eq!(send.total_amount_fen, 100);
    assert_eq!(send.wishing, "恭喜发财");
    assert_eq!(send.act_name, "新年活动");
    assert_eq!(send.remark, "备注");
    assert_eq!((send.scene_id, &send.risk_info, &send.sub_mch_id), (None, &None, &None));
    assert!(!format!("{request:?}").contains("oTEST"));
}

#[test]
fn optional_fields_are_read_where_they_are_sent() {
    let request = normal(&[
        ("scene_id", "PRODUCT_8"),
        ("risk_info", "posttime%3d123123412%26clientversion%3d234134"),
        ("consume_mch_id", "1222000096"),
        ("sub_mch_id", "10000090"),
        ("msgappid", "wx28b16568a629bb33"),
        ("client_ip", "2001:db8::1"),
    ])
    .unwrap();
    assert_eq!(request.send.scene_id, Some(Scene::Product8));
    assert_eq!(request.send.consume_mch_id.as_deref(), Some("1222000096"));
    assert_eq!(request.send.sub_mch_id.as_deref(), Some("10000090"));
    assert_eq!(request.send.msgappid.as_deref(), Some("wx28b16568a629bb33"));
    assert!(request.client_ip.is_ipv6());
}

#[test]
fn what_real_clients_add_is_let_through() {
    let retired = [
        ("nick_name", "天虹百货"),
        ("min_value", "100"),
        ("max_value", "100"),
        ("logo_imgurl", "https://example.com/l.png"),
        ("share_content", "s"),
        ("share_url", "u"),
        ("share_imgurl", "i"),
        ("act_id", "1"),
        ("watermark_imgurl", "w"),
        ("banner_imgurl", "b"),
        ("appid", "wx8888888888888888"),
        ("sign_type", "MD5"),
        ("trade_type", "JSAPI"),
        ("sub_mch_id", ""),
        ("amt_type", ""),
        ("notify_way", ""),
    ];
    assert_eq!(normal(&retired), normal(&[]));
    let group_retired: Vec<_> =
        retired.into_iter().filter(|(name, _)| *name != "amt_type").collect();
    assert_eq!(group(&group_retired), group(&[]));
    assert!(group(&[("client_ip", "192.0.2.1")]).unwrap().client_ip.is_some());
    let extra = [("sub_mch_id", "1"), ("sub_appid", "2"), ("sign_type", "MD5"), ("x", "y")];
    assert_eq!(query(&extra), query(&[]));
}

#[test]
fn an_unknown_name_never_reaches_a_field() {
    let request =
        normal(&[("TOTAL_AMOUNT", "20000"), ("total-amount", "20000"), ("amount_fen", "1")]);
    assert_eq!(request, normal(&[]));
}

#[test]
#[rustfmt::skip]
fn a_wrong_field_of_a_normal_request_is_named_with_what_is_allowed() {
    let c33 = "字".repeat(33);
    let c129 = "字".repeat(129);
    let c257 = "字".repeat(257);
    let n29 = "1".repeat(29);
    let table: &[(&str, &str, &str)] = &[
        ("nonce_str",      "",            "必填，并且最多32个字符"),
        ("nonce_str",      &c33,          "共33个字符，最多32个字符"),
        ("mch_billno",     "",            "1到28位"),
        ("mch_billno",     &n29,          "1到28位"),
        ("mch_billno",     "2026-01",     "数字和英文字母"),
        ("mch_billno",     "１２３",      "数字和英文字母"),
        ("mch_billno",     "123 ",        "数字和英文字母"),
        ("mch_id",         "",            "必填"),
        ("mch_id",         &c33,          "最多32"),
        ("sub_mch_id",     &c33,          "最多32"),
        ("wxappid",        "",            "必填"),
        ("wxappid",        &c33,          "最多32"),
        ("msgappid",       &c33,          "最多32"),
        ("send_name",      "",            "必填"),
        ("send_name",      &c33,          "最多32"),
        ("re_openid",      "",            "必填"),
        ("re_openid",      &c33,          "最多32"),
        ("total_amount",   "",            "必填"),
        ("total_amount",   "0",           "大于0"),
        ("total_amount",   "-1",          "大于0"),
        ("total_amount",   "+100",        "数字0到9"),
        ("total_amount",   "0100",        "不能以0开头"),
        ("total_amount",   "1e2",         "数字0到9"),
        ("total_amount",   "100.0",       "数字0到9"),
        ("total_amount",   "９９",        "数字0到9"),
        ("total_amount",   " 100",        "数字0到9"),
        ("total_amount",   "9223372036854775808", "整数"),
        ("total_num",      "",            "必须为1"),
        ("total_num",      "2",           "必须为1"),
        ("total_num",      "01",          "必须为1"),
        ("wishing",        "",            "必填，并且最多128个字符"),
        ("wishing",        &c129,         "共129个字符，最多128个字符"),
        ("client_ip",      "",            "合法的IP地址"),
        ("client_ip",      "256.0.0.1",   "合法的IP地址"),
        ("client_ip",      "192.0.2",     "合法的IP地址"),
        ("client_ip",      "localhost",   "合法的IP地址"),
        ("client_ip",      "192.0.2.1:80", "合法的IP地址"),
        ("act_name",       "",            "必填"),
        ("act_name",       &c33,          "最多32"),
        ("remark",         "",            "必填，并且最多256个字符"),
        ("remark",         &c257,         "共257个字符"),
        ("scene_id",       "PRODUCT_9",   "PRODUCT_1到PRODUCT_8"),
        ("scene_id",       "product_1",   "PRODUCT_1到PRODUCT_8"),
        ("risk_info",      &c129,         "最多128"),
        ("consume_mch_id", &c33,          "最多32"),
        ("min_value",      "99",          "必须与total_amount相等"),
        ("max_value",      "101",         "必须与total_amount相等"),
        ("max_value",      "1e2",         "数字0到9"),
        ("appid",          "wx1",         "必须与wxappid相同"),
    ];
    for (field, value, part) in table {
        check_refused(normal(&[(field, value)]), field, part);
    }
    check_refused(normal(&[("sub_mch_id", "1")]), "msgappid", "服务商模式");
    check_refused(group(&[("sub_mch_id", "1")]), "msgappid", "服务商模式");
}

#[test]
fn a_text_of_exactly_the_allowed_characters_passes() {
    let (c32, c128, c256) = ("字".repeat(32), "字".repeat(128), "字".repeat(256));
    let n28 = "z".repeat(28);
    assert!(
        normal(&[
            ("nonce_str", &c32),
            ("mch_billno", &n28),
            ("send_name", &c32),
            ("act_name", &c32),
            ("wishing", &c128),
            ("remark", &c256),
            ("risk_info", &c128),
        ])
        .is_ok()
    );
    assert!(normal(&[("nonce_str", "n"), ("mch_billno", "0")]).is_ok());
}

#[test]
fn a_group_has_3_to_20_people_and_random_shares() {
    for total_num in ["3", "20"] {
        assert_eq!(group(&[("total_num", total_num)]).unwrap().total_num.to_string(), total_num);
    }
    for total_num in ["", "1", "2", "21", "03", "3.0", "99999999999999999999"] {
        let error = group(&[("total_num", total_num)]).unwrap_err();
        assert_eq!(error.text_zh, "total_num必须介于(包括)3到20之间", "{total_num}");
    }
    for amt_type in ["", "ALL_SPECIFIED", "SEED_SPECIFIED", "all_rand"] {
        check_refused(group(&[("amt_type", amt_type)]), "amt_type", "必须为ALL_RAND");
    }
    check_refused(group(&[("client_ip", "x")]), "client_ip", "合法的IP地址");
    check_refused(group(&[("wishing", "")]), "wishing", "必填");
    check_refused(group(&[("total_amount", "1e2")]), "total_amount", "数字0到9");
}

#[test]
fn a_query_needs_number_merchant_appid_and_type() {
    assert_eq!(query(&[]).unwrap().mch_billno, "88888888");
    check_refused(query(&[("nonce_str", "")]), "nonce_str", "必填");
    check_refused(query(&[("mch_billno", "a_b")]), "mch_billno", "数字和英文字母");
    check_refused(query(&[("mch_id", "")]), "mch_id", "必填");
    check_refused(query(&[("appid", "")]), "appid", "必填");
    check_refused(query(&[("bill_type", "")]), "bill_type", "必须为MCHT");
    check_refused(query(&[("bill_type", "mcht")]), "bill_type", "必须为MCHT");
}

#[test]
fn a_known_name_of_another_call_is_refused_by_name() {
    let part = "不是本接口的参数";
    let own_of_both_sends = 30;
    let mut refused = (0, 0, 0);
    for name in KNOWN_NAMES {
        // Only names that the base does not carry can be foreign.
        let foreign = |result: Result<(), ParamError>| {
            result.is_err_and(|error| error.field == *name && error.text_zh.contains(part))
        };
        refused.0 += usize::from(foreign(normal(&[(name, "1")]).map(drop)));
        refused.1 += usize::from(foreign(group(&[(name, "1")]).map(drop)));
        refused.2 += usize::from(foreign(query(&[(name, "1")]).map(drop)));
    }
    let known = KNOWN_NAMES.len();
    assert_eq!(refused, (known - own_of_both_sends, known - own_of_both_sends - 1, known - 9));
    check_refused(normal(&[("amt_type", "ALL_RAND")]), "amt_type", part);
    check_refused(normal(&[("bill_type", "MCHT")]), "bill_type", part);
    check_refused(group(&[("amt_list", "200|100|100")]), "amt_list", part);
    check_refused(query(&[("total_amount", "100")]), "total_amount", part);
    check_refused(query(&[("wxappid", "wx1")]), "wxappid", part);
    check_refused(normal(&[("return_code", "SUCCESS")]), "return_code", part);
}

/// SIG-8: a request made for one call is refused by the two others.
#[test]
fn a_request_of_one_call_is_no_request_of_another() {
    let as_group = changed(NORMAL, &[]);
    let group_base = changed(NORMAL, &[("total_num", "3"), ("amt_type", "ALL_RAND")]);
    let as_query = changed(QUERY, &[]);
    assert!(SendGroup::parse(&as_group).is_err());
    assert!(Query::parse(&as_group).is_err());
    assert!(SendGroup::parse(&group_base).is_ok());
    assert!(SendNormal::parse(&group_base).is_err());
    assert!(Query::parse(&group_base).is_err());
    assert!(Query::parse(&as_query).is_ok());
    assert!(SendNormal::parse(&as_query).is_err());
    assert!(SendGroup::parse(&as_query).is_err());
}
