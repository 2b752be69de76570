//! Corpora for the reader: what it takes, and what it refuses with which reason.

use super::{
    BODY_BYTES_MAX, ELEMENTS_MAX, Fields, NAME_BYTES_MAX, XmlErrorKind, XmlErrorKind::*, read,
};

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::try_from_pairs(pairs.iter().copied()).unwrap()
}

fn check_refused(body: impl AsRef<[u8]>, kind: XmlErrorKind) {
    let body = body.as_ref();
    let shown = String::from_utf8_lossy(body.get(..80).unwrap_or(body)).into_owned();
    assert_eq!(read(body).map_err(|error| error.kind), Err(kind), "{shown}");
}

fn check_value(inner: &str, expected: &str) {
    let body = format!("<xml><a>{inner}</a></xml>");
    assert_eq!(read(body.as_bytes()).unwrap().get("a"), Some(expected), "{inner}");
}

#[test]
fn every_spelling_of_the_same_message_reads_alike() {
    let expected = fields(&[("a", "1"), ("b", "恭喜 & <b>"), ("c", "")]);
    for body in [
        "<xml><a>1</a><b>恭喜 &amp; &lt;b&gt;</b><c/></xml>",
        "<xml>\r\n  <b><![CDATA[恭喜 & <b>]]></b>\t<a><![CDATA[1]]></a>\n<c></c>\n</xml>\n",
        "<?xml version=\"1.0\"?><xml><c /><b>恭喜 &#38; &#x3C;b&#62;</b><a >1</a ></xml>",
        "<?xml version='1.0' encoding='utf-8'?>\n<xml >\n<a>&#49;</a><b>恭<![CDATA[喜 &]]> <![CDATA[<b>]]></b><c><![CDATA[]]></c></xml >",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\" ?> <xml><a>1</a><b>恭喜 &amp; &lt;b></b><c/></xml>",
        "<?xml standalone = 'no' encoding=\"UTF-8\" version='1.0'?><xml><a>1</a><b>恭喜 &amp; &lt;b></b><c/></xml>",
        "\n\t <xml><c/><b>恭喜 &amp; &lt;b></b><a>1</a></xml> \r\n",
    ] {
        assert_eq!(read(body.as_bytes()).as_ref(), Ok(&expected), "{body}");
        let shown: Vec<_> = expected.iter().collect();
        let found = read(body.as_bytes()).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), shown, "{body}");
    }
    for empty in ["<xml></xml>", "<xml/>", "<xml />", "<xml> \n</xml>"] {
        assert_eq!(read(empty.as_bytes()).as_ref(), Ok(&Fields::default()), "{empty}");
    }
}

#[test]
#[rustfmt::skip]
fn a_value_is_decoded_once_and_kept_whole() {
    let table = [
        // G-4: one parser joins the pieces.
        ("1<![CDATA[0]]>0",                    "100"),
        ("<![CDATA[1]]><![CDATA[00]]>",        "100"),
        ("<![CDATA[a]]]]><![CDATA[>b]]>",      "a]]>b"),
        ("<![CDATA[]]>",                       ""),
        // G-5: escapes once, anywhere, with nothing lost after them.
        ("a&amp;b",                            "a&b"),
        ("&amp;amp;",                          "&amp;"),
        ("&amp;#38;",                          "&#38;"),
        ("&#38;lt;",                           "&lt;"),
        ("&#38;#38;",                          "&#38;"),
        ("x&lt;y&gt;z&quot;q&apos;p",          "x<y>z\"q'p"),
        ("&#49;&#x30;&#x30;",                  "100"),
        ("&#x606D;&#21916;",                   "恭喜"),
        ("&#x1F9E7;&#x10FFFF;",                "🧧\u{10ffff}"),
        ("&#000049;",                          "1"),
        ("<![CDATA[&amp;&#49;<b/><!-- -->]]>", "&amp;&#49;<b/><!-- -->"),
        ("&#13;&#10;&#9;",                     "\r\n\t"),
        // Text is kept as it stands, since it was signed so.
        (" \r\n\t1 ",                          " \r\n\t1 "),
        ("a > b ]] > \"'",                     "a > b ]] > \"'"),
        ("\u{feff}x\u{a0}\u{7f}",              "\u{feff}x\u{a0}\u{7f}"),
    ];
    for (inner, expected) in table {
        check_value(inner, expected);
    }
}

#[test]
fn document_types_and_external_entities_are_refused() {
    for body in [
        "<!DOCTYPE xml><xml><a>1</a></xml>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE xml SYSTEM \"http://192.0.2.1/x.dtd\"><xml><a>1</a></xml>",
        "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>",
        "<!DOCTYPE xml [<!ENTITY % p SYSTEM \"http://192.0.2.1/p\"> %p;]><xml/>",
        "<!doctype xml><xml/>",
        "<!ENTITY x 'y'><xml/>",
        "<xml><!DOCTYPE a><a>1</a></xml>",
        "<xml><a><!DOCTYPE a>1</a></xml>",
    ] {
        check_refused(body, Doctype);
    }
    check_refused("<xml><a>&x;</a></xml>", Entity);
    check_refused("<xml><xi:include href=\"file:///etc/passwd\"/></xml>", Namespace);
    check_refused("<xml xmlns:xi=\"http://www.w3.org/2001/XInclude\"><a>1</a></xml>", Attribute);
}

#[test]
fn bombs_are_refused_at_their_first_byte_out_of_line() {
    let laughs = (0..9).fold(String::from("<!DOCTYPE lolz [<!ENTITY a0 \"lol\">"), |dtd, level| {
        format!("{dtd}<!ENTITY a{} \"&a{level};&a{level};\">", level + 1)
    });
    check_refused(format!("{laughs}]><xml><a>&a9;</a></xml>"), Doctype);
    check_refused("<a>".repeat(100_000), TooLarge);
    check_refused(format!("<xml>{}", "<a>".repeat(20_000)), Nested);
    check_refused(format!("<xml {}>", "a='1' ".repeat(200_000)), TooLarge);
    check_refused(format!("<xml {}>", "a='1' ".repeat(10_000)), Attribute);
    check_refused(format!("<xml><a>{}</a></xml>", "&amp".repeat(16_000)), Entity);
    check_refused(format!("<xml><a>&{};</a></xml>", "a".repeat(60_000)), Entity);
    check_refused(format!("<xml><a>{}</a></xml>", "<![CDATA[".repeat(7_000)), Unclosed);
    check_refused(format!("<xml><{}>", "a".repeat(60_000)), NameTooLong);
}

#[test]
fn limits_hold_at_their_exact_values() {
    let sized = |bytes: usize| format!("<xml><a>{}</a></xml>", "x".repeat(bytes - 18));
    assert!(read(sized(BODY_BYTES_MAX).as_bytes()).is_ok());
    check_refused(sized(BODY_BYTES_MAX + 1), TooLarge);

    let counted = |count: usize| {
        let elements: Vec<_> = (0..count).map(|index| format!("<a{index}/>")).collect();
        format!("<xml>{}</xml>", elements.concat())
    };
    assert_eq!(read(counted(ELEMENTS_MAX).as_bytes()).unwrap().len(), ELEMENTS_MAX);
    check_refused(counted(ELEMENTS_MAX + 1), TooManyElements);

    let named = |bytes: usize| format!("<xml><{0}>1</{0}></xml>", "n".repeat(bytes));
    assert!(read(named(NAME_BYTES_MAX).as_bytes()).is_ok());
    check_refused(named(NAME_BYTES_MAX + 1), NameTooLong);
}

#[test]
fn a_repeated_element_is_refused_even_if_empty_or_equal() {
    for body in [
        "<xml><total_amount>100</total_amount><total_amount>20000</total_amount></xml>",
        "<xml><sign>A</sign><a>1</a><sign>A</sign></xml>",
        "<xml><mch_id>1</mch_id><mch_id/></xml>",
        "<xml><mch_id/><mch_id>1</mch_id></xml>",
    ] {
        check_refused(body, Duplicate);
    }
    let apart = read(b"<xml><a>1</a><A>2</A></xml>").unwrap();
    assert_eq!((apart.get("a"), apart.get("A")), (Some("1"), Some("2")));
}

#[test]
fn comments_and_processing_instructions_are_refused_everywhere() {
    for body in [
        "<xml><total_amount>100<!-- -->00</total_amount></xml>",
        "<xml><!-- x --><a>1</a></xml>",
        "<!-- x --><xml><a>1</a></xml>",
    ] {
        check_refused(body, Comment);
    }
    for body in [
        "<xml><total_amount>100<?x y?>00</total_amount></xml>",
        "<xml><?x y?><a>1</a></xml>",
        "<?php echo 1?><xml><a>1</a></xml>",
        " <?xml version=\"1.0\"?><xml><a>1</a></xml>",
        "<xml><?xml version=\"1.0\"?><a>1</a></xml>",
    ] {
        check_refused(body, ProcessingInstruction);
    }
    check_refused("<xml><a>1</a></xml><!-- x -->", Trailing);
    check_refused("<xml><a>1</a></xml><?x y?>", Trailing);
}

#[test]
fn only_valid_utf8_and_legal_characters_pass() {
    let in_value = |bytes: &[u8]| [b"<xml><a>", bytes, b"</a></xml>"].concat();
    for bytes in [
        b"\xc0\xb1".as_slice(), // overlong "1"
        b"\xe0\x80\xb1",        // overlong "1", three bytes
        b"\xed\xa0\x80",        // lone surrogate
        b"\xf4\x90\x80\x80",    // above U+10FFFF
        b"\xff",
        b"\xb9\xa7\xcf\xb2", // 恭喜 in GBK
        b"\xe6\x81",         // cut off
    ] {
        check_refused(in_value(bytes), NotUtf8);
    }
    for bytes in
        [b"\0".as_slice(), b"\x01", b"\x0b", b"\x1f", "\u{fffe}".as_bytes(), "\u{ffff}".as_bytes()]
    {
        check_refused(in_value(bytes), IllegalCharacter);
        check_refused(in_value(&[b"<![CDATA[", bytes, b"]]>"].concat()), IllegalCharacter);
    }
    check_refused(b"\xef\xbb\xbf<xml><a>1</a></xml>", ByteOrderMark);
    check_refused(b"\xff\xfe<\0x\0m\0l\0>\0", NotUtf8);
    check_refused(b"<\0x\0m\0l\0/\0>\0", IllegalCharacter);
    for name in ["GBK", "gb2312", "UTF-16", "ISO-8859-1", ""] {
        check_refused(format!("<?xml version=\"1.0\" encoding=\"{name}\"?><xml/>"), Encoding);
    }
}

#[test]
fn wrong_references_are_refused() {
    for inner in [
        "&#0;",
        "&#x0;",
        "&#11;",
        "&#xD800;",
        "&#xDFFF;",
        "&#xFFFE;",
        "&#x110000;",
        "&#;",
        "&#x;",
        "&#+49;",
        "&#-1;",
        "&#x+31;",
        "&#4 9;",
        "&#X31;",
        "&#４９;",
        "&#9999999;",
    ] {
        check_refused(format!("<xml><a>{inner}</a></xml>"), CharacterReference);
    }
    for inner in ["&nbsp;", "&;", "&AMP;", "& amp;", "a & b", "&amp", "&a", "&#x00000031;"] {
        check_refused(format!("<xml><a>{inner}</a></xml>"), Entity);
    }
    check_refused("<xml><a>x]]>y</a></xml>", CdataEnd);
}

#[test]
#[rustfmt::skip]
fn structure_beyond_a_flat_list_is_refused() {
    let table = [
        // G-6
        ("<xml><a><b>1</b></a></xml>",                        Nested),
        ("<xml><a>1<b/></a></xml>",                           Nested),
        ("<xml><xml><a>1</a></xml></xml>",                    Nested),
        ("<xml><xml>1</xml></xml>",                           Nested),
        ("<xml><a b=\"1\">1</a></xml>",                       Attribute),
        ("<xml a=\"1\"><a>1</a></xml>",                       Attribute),
        ("<xml><a b='1'/></xml>",                             Attribute),
        ("<xml><a /b></a></xml>",                             Attribute),
        ("<xml><x:a>1</x:a></xml>",                           Namespace),
        ("<x:xml><a>1</a></x:xml>",                           Namespace),
        ("<xml>text<a>1</a></xml>",                           StrayText),
        ("<xml><a>1</a>text</xml>",                           StrayText),
        ("<xml><a>1</a>&amp;</xml>",                          StrayText),
        ("<xml><![CDATA[ ]]><a>1</a></xml>",                  StrayText),
        ("<xml>text</xml>",                                   StrayText),
        ("<xml><a>1</a></xml><xml><a>1</a></xml>",            Trailing),
        ("<xml/><xml/>",                                      Trailing),
        ("<xml><a>1</a></xml>x",                              Trailing),
        ("<xml><a>1</a></xml></xml>",                         Trailing),
        ("<XML><a>1</a></XML>",                               Root),
        ("<root><a>1</a></root>",                             Root),
        ("x<xml><a>1</a></xml>",                              Root),
        ("<xml><a>1</b></xml>",                               EndTag),
        ("<xml><a>1</A></xml>",                               EndTag),
        ("<xml><a>1</ a></xml>",                              EndTag),
        ("<xml><a>1</a x></xml>",                             EndTag),
        ("<xml><a>1</a></xm>",                                EndTag),
        ("<xml><a>1</xml>",                                   EndTag),
        ("<xml>< a>1</a></xml>",                              Name),
        ("<xml><1a>1</1a></xml>",                             Name),
        ("<xml><-a>1</-a></xml>",                             Name),
        ("<xml><>1</></xml>",                                 Name),
        ("<xml><a&>1</a&></xml>",                             Name),
        ("<xml><a=b>1</a=b></xml>",                           Name),
        ("<",                                                 Unclosed),
        ("<xml",                                              Unclosed),
        ("<xml>",                                             Unclosed),
        ("<xml><a",                                           Unclosed),
        ("<xml><a>1",                                         Unclosed),
        ("<xml><a><![CDATA[1</a></xml>",                      Unclosed),
        ("<xml><a>1</a",                                      Unclosed),
        ("<xml><a>1</a>",                                     Unclosed),
        ("<xml><a>1</a></xml",                                Unclosed),
        // G-8
        ("",                                                  Empty),
        (" \r\n\t ",                                          Empty),
        ("{\"mch_id\":\"1\"}",                                Root),
        ("mch_id=1&sign=2",                                   Root),
        ("\u{1f9e7}",                                         Root),
        // Declarations.
        ("<?xml?><xml/>",                                     Declaration),
        ("<?xml encoding=\"UTF-8\"?><xml/>",                  Declaration),
        ("<?xml version=\"1.1\"?><xml/>",                     Declaration),
        ("<?xml version=\"1.0\" version=\"1.0\"?><xml/>",     Declaration),
        ("<?xml version=\"1.0\"encoding=\"UTF-8\"?><xml/>",   Declaration),
        ("<?xml version=\"1.0\" standalone=\"maybe\"?><xml/>", Declaration),
        ("<?xml version=\"1.0\" other=\"1\"?><xml/>",         Declaration),
        ("<?xml version=1.0?><xml/>",                         Declaration),
        ("<?xml version=\"1.0'?><xml/>",                      Declaration),
        ("<?xml version=\"1.0\"><xml/>",                      Declaration),
        ("<?xml-stylesheet href=\"x\"?><xml/>",               Declaration),
        ("<?xml version=\"1.0\"?>",                           Root),
    ];
    for (body, kind) in table {
        check_refused(body, kind);
    }
    check_refused(b"\x1f\x8b\x08\0\0\0\0\0", NotUtf8); // gzip
}

#[test]
fn unknown_names_are_kept_and_unicode_names_are_names() {
    let found = read("<xml><trade_type>X</trade_type><名称-1.b>v</名称-1.b></xml>".as_bytes());
    assert_eq!(found, Ok(fields(&[("trade_type", "X"), ("名称-1.b", "v")])));
}

#[test]
fn an_error_says_where_without_repeating_the_body() {
    let error = read("<xml>\n<a>喜</a><secret b='1'/></xml>".as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "attributes are not allowed (at byte 24)");
    let duplicate = read(b"<xml><a>1</a><a>2</a></xml>").unwrap_err();
    assert_eq!(duplicate.offset, 13);
}

#[test]
fn fields_from_pairs_obey_the_reader() {
    for (pairs, kind) in [
        (vec![("a", "1"), ("a", "2")], Duplicate),
        (vec![("a b", "1")], Name),
        (vec![("x:a", "1")], Name),
        (vec![("", "1")], Name),
        (vec![("xml", "1")], Name),
    ] {
        assert_eq!(Fields::try_from_pairs(pairs).map_err(|error| error.kind), Err(kind));
    }
    let debug = format!("{:?}", fields(&[("re_openid", "oSECRET")]));
    assert_eq!(debug, "{\"re_openid\"}");
}
