//! Vectors and refusals of signatures.

use proptest::prelude::*;

use crate::{
    Answer, ApiKey, Fields, SignErrorReason, SignPolicy, SignType, canonical_string, read, sign,
    sign_answer, verify,
};
use SignErrorReason::{
    Length, Mismatch, Missing, NotUpperCaseHex, PolicyForbidsMd5, SignTypeUnknown,
};
use SignPolicy::{HmacSha256Only, Md5Allowed};
use SignType::{HmacSha256, Md5};

const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

const OFFICIAL: &[(&str, &str)] = &[
    ("appid", "wxd930ea5d5a258f4f"),
    ("mch_id", "10000100"),
    ("device_info", "1000"),
    ("body", "test"),
    ("nonce_str", "ibuaiVcKdpRxkhJA"),
];

const OURS: &[(&str, &str)] = &[
    ("nonce_str", "50780e0cca98c8c8e814883e5caa672e"),
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
    ("scene_id", ""),
    ("risk_info", ""),
];
const OURS_MD5: &str = "06F78C667B25713BF97A42135DB7F79F";
const OURS_HMAC: &str = "9431DC78C2D25DE940DA9BBB079C9CC4AADA44712AE4D23CB40BE0C4F8B0386B";

fn key() -> ApiKey {
    ApiKey::try_new(KEY).unwrap()
}

fn fields(pairs: &[(&str, &str)], more: &[(&str, &str)]) -> Fields {
    Fields::try_from_pairs(pairs.iter().chain(more).copied()).unwrap()
}

fn reason(fields: &Fields, policy: SignPolicy) -> Result<SignType, SignErrorReason> {
    verify(fields, &key(), policy).map_err(|error| error.reason().clone())
}

fn ours_with(more: &[(&str, &str)], policy: SignPolicy) -> Result<SignType, SignErrorReason> {
    reason(&fields(OURS, more), policy)
}

#[test]
fn the_official_vector_comes_out_with_both_algorithms() {
    let message = fields(OFFICIAL, &[]);
    assert_eq!(
        canonical_string(&message),
        "appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA"
    );
    assert_eq!(sign(&message, &key(), Md5), "9A0A8659F005D6984697E2CA0A9CF3B7");
    assert_eq!(
        sign(&message, &key(), HmacSha256),
        "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
    );
}

#[test]
fn our_vector_comes_out_with_both_algorithms() {
    let message = fields(OURS, &[]);
    assert_eq!(sign(&message, &key(), Md5), OURS_MD5);
    assert_eq!(sign(&message, &key(), HmacSha256), OURS_HMAC);
}

#[test]
#[rustfmt::skip]
fn the_stored_policy_decides_and_the_request_never_lowers_it() {
    type Outcome = Result<SignType, SignErrorReason>;
    type Sent = &'static [(&'static str, &'static str)];
    let table: &[(Sent, Outcome, Outcome)] = &[
        // sent                                              Md5Allowed                                   HmacSha256Only
        (&[("sign", OURS_MD5)],                              Ok(Md5),                                     Err(Length { expected: 64, found: 32 })),
        (&[("sign", OURS_HMAC)],                             Err(Length { expected: 32, found: 64 }),     Ok(HmacSha256)),
        (&[("sign", OURS_MD5),  ("sign_type", "")],          Ok(Md5),                                     Err(Length { expected: 64, found: 32 })),
        (&[("sign", OURS_HMAC), ("sign_type", "")],          Err(Length { expected: 32, found: 64 }),     Ok(HmacSha256)),
        (&[("sign", OURS_MD5),  ("sign_type", "MD5")],       Ok(Md5),                                     Err(PolicyForbidsMd5)),
        (&[("sign", OURS_HMAC), ("sign_type", "HMAC-SHA256")], Ok(HmacSha256),                            Ok(HmacSha256)),
        (&[("sign", OURS_HMAC), ("sign_type", "MD5")],       Err(Length { expected: 32, found: 64 }),     Err(PolicyForbidsMd5)),
        (&[("sign", OURS_MD5),  ("sign_type", "HMAC-SHA256")], Err(Length { expected: 64, found: 32 }),   Err(Length { expected: 64, found: 32 })),
    ];
    for (sent, md5_allowed, hmac_only) in table {
        assert_eq!(ours_with(sent, Md5Allowed), *md5_allowed, "{sent:?}");
        assert_eq!(ours_with(sent, HmacSha256Only), *hmac_only, "{sent:?}");
    }
    for unknown in ["md5", "Md5", "hmac-sha256", "HMAC_SHA256", "HMACSHA256", "SHA256", "RSA", " ", "MD5 ", "null"] {
        for policy in [Md5Allowed, HmacSha256Only] {
            let sent = [("sign", OURS_HMAC), ("sign_type", unknown)];
            assert_eq!(ours_with(&sent, policy), Err(SignTypeUnknown), "{unknown:?}");
        }
    }
}

#[test]
fn sign_type_may_be_inside_the_string_or_outside_of_it() {
    for (sign_type, text) in [(Md5, "MD5"), (HmacSha256, "HMAC-SHA256")] {
        let inside = sign(&fields(OURS, &[("sign_type", text)]), &key(), sign_type);
        let outside = sign(&fields(OURS, &[]), &key(), sign_type);
        assert_ne!(inside, outside);
        for sign in [inside.as_str(), outside.as_str()] {
            let sent = [("sign", sign), ("sign_type", text)];
            assert_eq!(ours_with(&sent, Md5Allowed), Ok(sign_type));
        }
        // Taking a signed sign_type away, or emptying it, breaks the signature.
        for rest in
            [vec![("sign", inside.as_str())], vec![("sign", inside.as_str()), ("sign_type", "")]]
        {
            assert!(ours_with(&rest, Md5Allowed).is_err());
        }
    }
}

#[test]
fn a_malformed_signature_is_refused_under_every_policy() {
    let lower = OURS_MD5.to_lowercase();
    let one_lower = OURS_MD5.replacen('F', "f", 1);
    let table: &[(&str, SignErrorReason)] = &[
        ("", Missing),
        (" ", Length { expected: 32, found: 1 }),
        ("null", Length { expected: 32, found: 4 }),
        ("06F78C667B25713BF97A42135DB7F79", Length { expected: 32, found: 31 }),
        ("06F78C667B25713BF97A42135DB7F79F0", Length { expected: 32, found: 33 }),
        (" 06F78C667B25713BF97A42135DB7F79F", Length { expected: 32, found: 33 }),
        ("06F78C667B25713BF97A42135DB7F79 ", NotUpperCaseHex),
        ("                                ", NotUpperCaseHex),
        ("G6F78C667B25713BF97A42135DB7F79F", NotUpperCaseHex),
        ("０６F78C667B25713BF97A42135DB7", NotUpperCaseHex),
        (&lower, NotUpperCaseHex),
        (&one_lower, NotUpperCaseHex),
        ("00000000000000000000000000000000", Mismatch),
        ("06F78C667B25713BF97A42135DB7F79E", Mismatch),
        ("16F78C667B25713BF97A42135DB7F79F", Mismatch),
    ];
    for (text, expected) in table {
        assert_eq!(ours_with(&[("sign", text)], Md5Allowed), Err(expected.clone()), "{text:?}");
        assert!(ours_with(&[("sign", text)], HmacSha256Only).is_err(), "{text:?}");
    }
    for policy in [Md5Allowed, HmacSha256Only] {
        assert_eq!(ours_with(&[], policy), Err(Missing));
        assert_eq!(reason(&Fields::default(), policy), Err(Missing));
    }
    assert_eq!(
        ours_with(&[("sign", &OURS_HMAC.to_lowercase())], HmacSha256Only),
        Err(NotUpperCaseHex)
    );
}

#[test]
fn any_other_key_or_changed_field_is_refused() {
    let signed = fields(OURS, &[("sign", OURS_MD5)]);
    let other = ApiKey::try_new("192006250b4c09247ec02edce69f6a2e").unwrap();
    assert_eq!(verify(&signed, &other, Md5Allowed).unwrap_err().reason(), &Mismatch);
    for (index, (name, value)) in OURS.iter().enumerate() {
        let mut changed = OURS.to_vec();
        let longer = format!("{value}0");
        changed[index] = (name, &longer);
        let signed = fields(&changed, &[("sign", OURS_MD5)]);
        assert_eq!(reason(&signed, Md5Allowed), Err(Mismatch), "{name}");
    }
    let sent = [("sign", OURS_MD5), ("unknown", "1")];
    assert_eq!(ours_with(&sent, Md5Allowed), Err(Mismatch));
}

#[test]
fn empty_fields_neither_make_nor_break_a_signature() {
    let sent = [("sign", OURS_MD5), ("consume_mch_id", ""), ("unknown", "")];
    assert_eq!(ours_with(&sent, Md5Allowed), Ok(Md5));
    let fewer: Vec<_> = OURS.iter().filter(|(_, value)| !value.is_empty()).copied().collect();
    assert_eq!(reason(&fields(&fewer, &[("sign", OURS_MD5)]), Md5Allowed), Ok(Md5));
}

#[test]
fn an_unknown_field_is_part_of_what_is_signed() {
    let more = [("trade_type", "JSAPI"), ("名", "值")];
    let signature = sign(&fields(OURS, &more), &key(), HmacSha256);
    let sent = [more[0], more[1], ("sign", signature.as_str())];
    assert_eq!(ours_with(&sent, HmacSha256Only), Ok(HmacSha256));
}

/// SIG-9: the same string cut differently carries the same signature; neither form is accepted.
#[test]
fn a_message_cut_again_is_refused_in_both_forms_and_algorithms() {
    let whole: &[(&str, &str)] = &[
        ("nonce_str", "n"),
        ("remark", "r&total_amount=20000&total_num=1&wishing=W"),
        ("total_amount", "100"),
        ("total_num", "1"),
        ("wishing", "hi"),
    ];
    let cut: &[(&str, &str)] = &[
        ("nonce_str", "n"),
        ("remark", "r"),
        ("total_amount", "20000"),
        ("total_num", "1"),
        ("wishing", "W&total_amount=100&total_num=1&wishing=hi"),
    ];
    assert_eq!(canonical_string(&fields(whole, &[])), canonical_string(&fields(cut, &[])));
    for (sign_type, policy) in [(Md5, Md5Allowed), (HmacSha256, HmacSha256Only)] {
        let signature = sign(&fields(whole, &[]), &key(), sign_type);
        for (form, field) in [(whole, "remark"), (cut, "wishing")] {
            let error = verify(&fields(form, &[("sign", &signature)]), &key(), policy).unwrap_err();
            let ambiguous = error.ambiguous_field().unwrap();
            assert_eq!(
                (ambiguous.field.as_str(), ambiguous.hidden.as_str()),
                (field, "total_amount")
            );
            assert_eq!(error.to_string(), "签名错误");
        }
    }
}

/// SIG-9 with a name that nobody knows: a text must not lose its tail either.
#[test]
fn a_text_cannot_be_shortened_through_an_unknown_name() {
    let whole: &[(&str, &str)] = &[("wishing", "good&wj=luck"), ("wxappid", "wx1")];
    let cut: &[(&str, &str)] = &[("wishing", "good"), ("wj", "luck"), ("wxappid", "wx1")];
    assert_eq!(canonical_string(&fields(whole, &[])), canonical_string(&fields(cut, &[])));
    let signature = sign(&fields(whole, &[]), &key(), Md5);
    let sent = [("sign", signature.as_str())];
    assert!(reason(&fields(whole, &sent), Md5Allowed).is_err());
    assert_eq!(reason(&fields(cut, &sent), Md5Allowed), Ok(Md5));
}

#[test]
fn a_value_with_the_key_part_is_refused() {
    for value in ["x&key=", "x&key=192006250b4c09247ec02edce69f6a2d"] {
        let signature = sign(&fields(&[("zz", value)], &[]), &key(), Md5);
        let error = verify(&fields(&[("zz", value)], &[("sign", &signature)]), &key(), Md5Allowed)
            .unwrap_err();
        assert_eq!(error.ambiguous_field().unwrap().hidden, "key");
    }
}

#[test]
fn a_key_is_exactly_32_letters_and_digits_and_never_shown() {
    let long = "a".repeat(33);
    let short = "a".repeat(31);
    for text in [
        "",
        " ",
        &long,
        &short,
        "192006250b4c09247ec02edce69f6a2 ",
        "192006250b4c09247ec02edce69f6a2é",
        "192006250b4c09247ec02edce69f6a\0d",
    ] {
        assert!(ApiKey::try_new(text).is_err(), "{text:?}");
    }
    assert_eq!(format!("{:?}", key()), "ApiKey(redacted)");
}

#[test]
fn a_signed_answer_can_be_checked_by_a_client_that_trims() {
    let mut answer = Answer::new();
    answer
        .push_text("return_code", "SUCCESS")
        .push_text("err_code_des", " \r\n发放成功\u{3000}\u{feff} ")
        .push_text("reason", " \t ")
        .push_text("re_openid", "o\u{0}1")
        .push_number("total_amount", 100)
        .push_text("sign", "OLD");
    for sign_type in [Md5, HmacSha256] {
        sign_answer(&mut answer, &key(), sign_type).unwrap();
        let body = answer.render();
        let found = read(body.as_bytes()).unwrap();
        assert_eq!(found.get("err_code_des"), Some("发放成功"));
        assert_eq!(found.get("reason"), None);
        assert!(found.iter().all(|(_, value)| value.trim() == value));
        assert_eq!(found.get("sign"), Some(sign(&found, &key(), sign_type).as_str()));
        assert!(body.ends_with("]]></sign>\n</xml>"), "{body}");
    }
}

#[test]
fn an_answer_that_could_be_cut_into_another_stays_unsigned() {
    let mut answer = Answer::new();
    answer.push_text("re_openid", "o&result_code=SUCCESS").push_text("sign", "OLD");
    assert!(sign_answer(&mut answer, &key(), Md5).is_err());
    assert_eq!(read(answer.render().as_bytes()).unwrap().get("sign"), None);
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_a_changed_bit_does_not(
        wishing in "[a-z恭喜 =]{1,20}", nibble in 0_usize..32, hmac: bool,
    ) {
        let (sign_type, policy) =
            if hmac { (HmacSha256, HmacSha256Only) } else { (Md5, Md5Allowed) };
        let pairs = [("wishing", wishing.as_str()), ("total_amount", "100")];
        let signature = sign(&fields(&pairs, &[]), &key(), sign_type);
        prop_assert_eq!(reason(&fields(&pairs, &[("sign", &signature)]), policy), Ok(sign_type));
        let flip = |(index, digit): (usize, char)| match (index == nibble, digit) {
            (false, digit) => digit,
            (true, '0') => '1',
            (true, _) => '0',
        };
        let changed: String = signature.chars().enumerate().map(flip).collect();
        prop_assert_eq!(reason(&fields(&pairs, &[("sign", &changed)]), policy), Err(Mismatch));
    }
}
