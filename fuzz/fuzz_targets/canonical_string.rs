//! The canonical string against a second implementation, and the promise that an accepted
//! message shares its string with no other accepted message.
//!
//! Input: lines `name=value`; the first byte of all chooses which borders of the string are cut
//! again.
#![no_main]

use hongbao_wire::{
    ApiKey, Fields, SignPolicy, SignType, canonical_string, check_unambiguous, names::KNOWN_NAMES,
    sign, verify,
};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

fuzz_target!(|input: (u32, &str)| {
    let (cuts, text) = input;
    let pairs: Vec<(&str, &str)> = text
        .split('\n')
        .filter_map(|line| line.split_once('='))
        .collect();
    let Ok(fields) = Fields::try_from_pairs(pairs.iter().copied()) else {
        return;
    };
    let string = canonical_string(&fields);
    assert_eq!(string, simple_canonical(&pairs));
    if check_unambiguous(&fields, KNOWN_NAMES).is_err() {
        return;
    }
    check_no_second_reading(&fields, &string, cuts);
    check_signature(&pairs, &fields);
});

fn simple_canonical(pairs: &[(&str, &str)]) -> String {
    let mut kept: Vec<_> = pairs
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .map(|(name, value)| (name.as_bytes(), format!("{name}={value}")))
        .collect();
    kept.sort();
    kept.into_iter()
        .map(|(_, joined)| joined)
        .collect::<Vec<_>>()
        .join("&")
}

/// Cuts the string at the borders that `cuts` has a bit for and joins it at all others.
fn check_no_second_reading(fields: &Fields, string: &str, cuts: u32) {
    let mut other: Vec<(String, String)> = Vec::new();
    for (index, piece) in string.split('&').enumerate() {
        let cut = index == 0 || cuts.rotate_right(index as u32) & 1 == 1;
        match (piece.split_once('='), other.last_mut()) {
            (Some((name, value)), _) if cut => other.push((name.to_owned(), value.to_owned())),
            (_, Some((_, value))) => {
                value.push('&');
                value.push_str(piece);
            }
            (_, None) => return,
        }
    }
    let pairs = other
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let Ok(other) = Fields::try_from_pairs(pairs) else {
        return;
    };
    if canonical_string(&other) == string && check_unambiguous(&other, KNOWN_NAMES).is_ok() {
        let signed = |fields: &Fields| -> Vec<(String, String)> {
            fields
                .iter()
                .filter(|(name, value)| *name != "sign" && !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        };
        assert_eq!(
            signed(&other),
            signed(fields),
            "two accepted messages share {string:?}"
        );
    }
}

fn check_signature(pairs: &[(&str, &str)], fields: &Fields) {
    let Ok(key) = ApiKey::try_new(KEY) else {
        panic!("the key has the right form")
    };
    if fields.non_empty("sign_type").is_some() {
        return;
    }
    for (sign_type, policy) in [
        (SignType::Md5, SignPolicy::Md5Allowed),
        (SignType::HmacSha256, SignPolicy::HmacSha256Only),
    ] {
        let right = sign(fields, &key, sign_type);
        let wrong = right.replacen(
            |_: char| true,
            if right.starts_with('0') { "1" } else { "0" },
            1,
        );
        for (signature, accepted) in [(&right, true), (&wrong, false)] {
            let rest = pairs.iter().copied().filter(|(name, _)| *name != "sign");
            let signed = rest.chain([("sign", signature.as_str())]);
            if let Ok(signed) = Fields::try_from_pairs(signed) {
                assert_eq!(verify(&signed, &key, policy).is_ok(), accepted);
            }
        }
    }
}
