//! Read, write, read: the fields stay the same, and nothing illegal ever comes out of the reader.
#![no_main]

use hongbao_wire::{
    BODY_BYTES_MAX, ELEMENTS_MAX, Fields, NAME_BYTES_MAX, XmlErrorKind, read, write_fields,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    match read(body) {
        Ok(fields) => check_accepted(body, &fields),
        Err(error) => assert!(error.offset <= body.len()),
    }
});

fn check_accepted(body: &[u8], fields: &Fields) {
    assert!(body.len() <= BODY_BYTES_MAX);
    assert!(fields.len() <= ELEMENTS_MAX);
    for needle in [b"<!DOCTYPE".as_slice(), b"<!ENTITY"] {
        let outside_cdata = !contains(body, b"<![CDATA[");
        assert!(
            !(outside_cdata && contains(body, needle)),
            "a document type was accepted"
        );
    }
    for (name, value) in fields.iter() {
        assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX);
        assert!(!name.contains([':', '&', '=', '<', '>', '"', '\'', '/', ' ', '\n']));
        assert!(!value.contains(['\0', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}']));
    }
    let written = write_fields(fields);
    match read(written.as_bytes()) {
        Ok(again) => {
            assert!(
                again
                    .iter()
                    .eq(fields.iter().filter(|(_, value)| !value.is_empty()))
            );
            assert_eq!(write_fields(&again), written);
        }
        // Splitting `]]>` makes a text longer; only that may be in the way.
        Err(error) => assert_eq!(error.kind, XmlErrorKind::TooLarge),
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
