//! What is written reads back as it was meant.

use proptest::{collection::btree_map, prelude::*};

use super::{Answer, ClaimLine, Fields, is_xml_char, read, write_fields};

/// Any text, with everything that could break out of CDATA more often than chance.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "]",
            "]]",
            "]]>",
            ">",
            "<",
            "<![CDATA[",
            "&",
            "&amp;",
            "&#13;",
            "\r",
            "\n",
            "\0",
            "</a>",
            " ",
            "\u{fffe}",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn legal(text: &str) -> String {
    text.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }).collect()
}

#[test]
fn an_answer_has_the_shape_that_clients_expect() {
    let mut answer = Answer::new();
    answer
        .push_text("return_code", "SUCCESS")
        .push_text("err_code_des", "a]]>b<c>&d")
        .push_text("sub_mch_id", "")
        .push_number("total_amount", 1000);
    assert_eq!(
        answer.render(),
        "<xml>\n<return_code><![CDATA[SUCCESS]]></return_code>\n\
         <err_code_des><![CDATA[a]]]]><![CDATA[>b<c>&d]]></err_code_des>\n\
         <total_amount>1000</total_amount>\n</xml>"
    );
    assert_eq!(Answer::new().render(), "<xml>\n</xml>");
}

#[test]
fn pushing_a_name_again_replaces_its_value() {
    let mut answer = Answer::new();
    answer.push_text("a", "1").push_text("b", "2").push_number("a", 3);
    assert_eq!(answer.render(), "<xml>\n<a>3</a>\n<b><![CDATA[2]]></b>\n</xml>");
    assert_eq!(format!("{answer:?}"), "{\"a\", \"b\"}");
}

#[test]
fn claims_come_last_and_never_under_a_signature() {
    let mut answer = Answer::new();
    answer.push_text("status", "RECEIVED").push_text("sign", "ABC");
    let claim = ClaimLine {
        openid: "o<1>".to_owned(),
        amount_fen: 100,
        rcv_time: "2026-01-01 08:00:00".to_owned(),
    };
    let nameless = ClaimLine { openid: String::new(), ..claim.clone() };
    let hbinfo = |openid: &str| {
        format!(
            "<hbinfo>\n<openid><![CDATA[{openid}]]></openid>\n\
             <status><![CDATA[RECEIVED]]></status>\n<amount>100</amount>\n\
             <rcv_time><![CDATA[2026-01-01 08:00:00]]></rcv_time>\n</hbinfo>\n"
        )
    };
    assert_eq!(
        answer.clone().with_claims(vec![claim, nameless]).render(),
        format!(
            "<xml>\n<status><![CDATA[RECEIVED]]></status>\n<hblist>\n{}{}</hblist>\n</xml>",
            hbinfo("o<1>"),
            hbinfo("")
        )
    );
    assert_eq!(
        answer.with_claims(Vec::new()).render(),
        "<xml>\n<status><![CDATA[RECEIVED]]></status>\n</xml>"
    );
}

#[test]
fn forbidden_characters_are_replaced_and_a_carriage_return_survives_any_reader() {
    let mut answer = Answer::new();
    answer.push_text("a", "x\0y\u{b}z\u{ffff}").push_text("b", "1\r\n2");
    let body = answer.render();
    assert!(!body.contains('\r'), "{body}");
    let found = read(body.as_bytes()).unwrap();
    assert_eq!(found.get("a"), Some("x\u{fffd}y\u{fffd}z\u{fffd}"));
    assert_eq!(found.get("b"), Some("1\r\n2"));
}

proptest! {
    #[test]
    fn any_answer_reads_back_as_its_texts(first in text(), second in text(), number: i64) {
        let mut answer = Answer::new();
        answer.push_text("wishing", &first).push_text("remark", &second).push_number("n", number);
        let found = read(answer.render().as_bytes()).unwrap();
        prop_assert_eq!(found.non_empty("wishing").unwrap_or(""), legal(&first));
        prop_assert_eq!(found.non_empty("remark").unwrap_or(""), legal(&second));
        prop_assert_eq!(found.get("n").unwrap(), number.to_string());
        prop_assert_eq!(found.get("wishing").is_none(), first.is_empty());
    }

    #[test]
    fn any_fields_read_back_without_their_empty_ones(
        pairs in btree_map("[A-Wa-w_][a-z0-9_.-]{0,8}", text(), 0..8)
    ) {
        let fields =
            Fields::try_from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).unwrap();
        let found = read(write_fields(&fields).as_bytes()).unwrap();
        let expected: Vec<(String, String)> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.clone(), legal(value)))
            .collect();
        let found: Vec<(String, String)> =
            found.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_body_makes_the_reader_panic_or_point_outside(bytes: Vec<u8>, text in text()) {
        for body in [bytes, format!("<xml><a>{text}").into_bytes(), text.into_bytes()] {
            let offset = read(&body).map_err(|error| error.offset).err().unwrap_or(0);
            prop_assert!(offset <= body.len());
        }
    }
}
