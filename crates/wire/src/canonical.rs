//! The canonical string, and the rule that makes it mean one thing.
//!
//! # The string
//!
//! All non-empty fields except `sign`, sorted by the bytes of their names, joined as
//! `name=value&name=value` with raw values. The signature appends `&key=` and the key.
//!
//! # The hole
//!
//! Nothing is escaped. `wishing` = `W&wxappid=other` followed by a field `x` and the message with
//! the fields cut as `wishing` = `W`, `wxappid` = `other`, `x` have the same base, so whoever can
//! choose one text can reuse the signature for a message that the merchant never wrote. A text of
//! `…&total_amount=20000&…` in `remark` turned 100 fen into 20000 fen in this way.
//!
//! # The closing
//!
//! Call a place in a value *suspicious* if it reads `&n=` where `n` is
//!
//! 1. a known V2 name or `key`, or
//! 2. any legal element name that sorts after the value's own field.
//!
//! [`check_unambiguous`] refuses a message with a suspicious place. **Two accepted messages with
//! different non-empty fields then never share a base.** Suppose they do, and take the first place
//! where one message has a field border `&n=` and the other has not. Names hold neither `&` nor
//! `=`, so up to there both have the same borders; in the second message the place lies inside the
//! value of the same field `f` that precedes the border in the first. There the fields are sorted,
//! so `n` sorts after `f`: the place is suspicious by rule 2, and the second message was refused.
//!
//! Rule 1 alone keeps amounts and receivers safe; rule 2 also keeps a text from being shortened
//! through an unknown name. What rule 2 costs is small: `Q&A=…` in a `remark` and the raw
//! parameters of `risk_info` sort before their fields and pass.

use crate::{
    names::SIGN,
    xml::{Fields, is_name},
};

/// Name before the key at the end of the string; never a place in a value.
const KEY: &str = "key";

/// A value in which another field could begin, so that the signed string has two meanings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of {field} contains &{hidden}=, which could be read as another field")]
pub struct AmbiguousField {
    /// Name of the field whose value is refused.
    pub field: String,
    /// Name that the value hides.
    pub hidden: String,
}

/// The string a signature covers, without the `&key=` part.
pub fn canonical_string(fields: &Fields) -> String {
    base_without(fields, &[SIGN])
}

/// The canonical string without some names.
pub(crate) fn base_without(fields: &Fields, left_out: &[&str]) -> String {
    let mut base = String::new();
    for (name, value) in fields.iter() {
        if value.is_empty() || left_out.contains(&name) {
            continue;
        }
        if !base.is_empty() {
            base.push('&');
        }
        base.push_str(name);
        base.push('=');
        base.push_str(value);
    }
    base
}

/// Refuses values that make the canonical string ambiguous; the module's head has the rule.
///
/// # Errors
///
/// [`AmbiguousField`] naming the first such field and what its value hides.
pub fn check_unambiguous(fields: &Fields, known_names: &[&str]) -> Result<(), AmbiguousField> {
    for (name, value) in fields.iter().filter(|(name, _)| *name != SIGN) {
        if let Some(hidden) = hidden_name(name, value, known_names) {
            return Err(AmbiguousField { field: name.to_owned(), hidden: hidden.to_owned() });
        }
    }
    Ok(())
}

/// The first name `n` of a suspicious place `&n=` in this value.
fn hidden_name<'v>(own_name: &str, value: &'v str, known_names: &[&str]) -> Option<&'v str> {
    let suspicious = |candidate: &&str| {
        *candidate == KEY
            || known_names.contains(candidate)
            || (*candidate > own_name && is_name(candidate))
    };
    value
        .split('&')
        .skip(1)
        .filter_map(|piece| piece.split_once('='))
        .map(|(candidate, _)| candidate)
        .find(suspicious)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::btree_map, prelude::*};

    use super::*;
    use crate::names::KNOWN_NAMES;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::try_from_pairs(pairs.iter().copied()).unwrap()
    }

    #[test]
    fn empty_values_and_sign_are_left_out_and_names_sort_by_bytes() {
        let message = fields(&[
            ("b", "2"),
            ("sign", "IN"),
            ("a_b", "under"),
            ("aB", "upper"),
            ("a", "1"),
            ("empty", ""),
            ("B", "first"),
            ("名", "last"),
            ("é", "late"),
            ("blank", " "),
        ]);
        assert_eq!(
            canonical_string(&message),
            "B=first&a=1&aB=upper&a_b=under&b=2&blank= &é=late&名=last"
        );
        assert_eq!(canonical_string(&fields(&[("sign", "X"), ("a", "")])), "");
    }

    #[test]
    #[rustfmt::skip]
    fn a_value_that_hides_another_field_is_refused_by_name() {
        let table: &[(&str, &str, Option<&str>)] = &[
            ("remark",    "x&total_amount=20000&total_num=1&wishing=W",  Some("total_amount")),
            ("wishing",   "x&re_openid=o",                               Some("re_openid")),
            ("wishing",   "&mch_id=",                                    Some("mch_id")),
            ("act_name",  "a&b=c&wxappid=w",                             Some("b")),
            ("wishing",   "a&b=c&wxappid=w",                             Some("wxappid")),
            ("wishing",   "a&key=",                                      Some("key")),
            ("zz",        "a&key=192006250b4c09247ec02edce69f6a2d",      Some("key")),
            ("wishing",   "a&sign=",                                     Some("sign")),
            ("wishing",   "a&return_code=SUCCESS",                       Some("return_code")),
            ("wishing",   "a&&mch_id=1",                                 Some("mch_id")),
            ("wishing",   "a&=&mch_id=1",                                Some("mch_id")),
            ("wishing",   "a&wish=b",                                    None),
            ("wishing",   "a&xname=b",                                   Some("xname")),
            ("wishing",   "a&名=b",                                      Some("名")),
            ("wishing",   "a& mch_id=1",                                 None),
            ("wishing",   "a&mch_id",                                    None),
            ("wishing",   "a&mch_id &total_num",                         None),
            ("wishing",   "mch_id=1",                                    None),
            ("wishing",   "=&=&=",                                       None),
            ("wishing",   "a&MCH_ID=1",                                  None),
            ("remark",    "Q&A=fun",                                     None),
            ("risk_info", "posttime=1&clientversion=2&mobile=3&deviceid=IOS", None),
            ("sign",      "a&mch_id=1",                                  None),
        ];
        for (field, value, expected) in table {
            let found = check_unambiguous(&fields(&[(field, value)]), KNOWN_NAMES);
            assert_eq!(
                found.as_ref().err().map(|e| e.hidden.as_str()),
                *expected,
                "{field} {value}"
            );
            if let Err(error) = found {
                assert_eq!(error.field, *field);
            }
        }
    }

    #[test]
    fn every_known_name_is_refused_inside_every_text_field() {
        for hidden in KNOWN_NAMES {
            for field in ["act_name", "remark", "send_name", "wishing", "risk_info", "unknown"] {
                let value = format!("x&{hidden}=y");
                let error =
                    check_unambiguous(&fields(&[(field, &value)]), KNOWN_NAMES).unwrap_err();
                assert_eq!((error.field.as_str(), error.hidden.as_str()), (field, *hidden));
            }
        }
    }

    /// An implementation that shares nothing with the one above but the description.
    fn simple_canonical(pairs: &BTreeMap<String, String>) -> String {
        let mut kept: Vec<(&[u8], String)> = Vec::new();
        for (name, value) in pairs {
            if name != "sign" && !value.is_empty() {
                kept.push((name.as_bytes(), format!("{name}={value}")));
            }
        }
        kept.sort_by(|left, right| right.0.cmp(left.0));
        kept.reverse();
        kept.into_iter().map(|(_, joined)| joined).collect::<Vec<_>>().join("&")
    }

    fn from_map(pairs: &BTreeMap<String, String>) -> Fields {
        Fields::try_from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str()))).unwrap()
    }

    proptest! {
        #[test]
        fn the_string_agrees_with_an_independent_implementation(
            pairs in btree_map("sign|sign_type|[A-Za-z_é名][A-Za-z0-9_.é名-]{0,5}", ".{0,6}", 0..12)
        ) {
            prop_assert_eq!(canonical_string(&from_map(&pairs)), simple_canonical(&pairs));
        }

        /// Each message is cut again at random borders; an accepted second reading would be a hole.
        #[test]
        fn no_other_accepted_message_has_the_same_string(
            pairs in btree_map("[abcd]", "[abcd=&]{1,8}", 1..4),
            cuts in proptest::collection::vec(any::<bool>(), 12),
        ) {
            let message = from_map(&pairs);
            if check_unambiguous(&message, &["c"]).is_err() {
                return Ok(());
            }
            let string = canonical_string(&message);
            let mut cut_again: Vec<(String, String)> = Vec::new();
            for (index, piece) in string.split('&').enumerate() {
                let cut = index == 0 || cuts.get(index).copied().unwrap_or(true);
                match (piece.split_once('='), cut_again.last_mut()) {
                    (Some((name, value)), _) if cut && is_name(name) => {
                        cut_again.push((name.to_owned(), value.to_owned()));
                    }
                    (_, Some((_, value))) => *value = format!("{value}&{piece}"),
                    (_, None) => unreachable!("the string starts with a field"),
                }
            }
            let pairs = cut_again.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            if let Ok(other) = Fields::try_from_pairs(pairs)
                && canonical_string(&other) == string
                && check_unambiguous(&other, &["c"]).is_ok()
            {
                prop_assert_eq!(other, message);
            }
        }
    }
}
