//! Typed requests, made from fields whose signature has been checked.
//!
//! Each request type is one function from [`Fields`] to itself or to the first [`ParamError`].
//! Three rules hold for all of them:
//!
//! - An empty field is an absent field, since empty fields are not signed.
//! - A name that V2 knows but this call does not is refused, so that a signature made for one call
//!   is of no use at another. Names that real clients send needlessly are let through.
//! - A name that V2 never knew was signed like any other and means nothing here.
//!
//! Lengths count characters, and `String(n)` allows n of them.

mod query;
mod send;

#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr};

pub use query::Query;
pub use send::{GROUP_SIZE_MAX, GROUP_SIZE_MIN, SendFields, SendGroup, SendNormal};

use crate::{
    amount::parse_fen,
    names::{KNOWN_NAMES, MCH_BILLNO},
    xml::Fields,
};

/// Characters of names, numbers and identifiers: `String(32)`.
const SHORT_CHARS_MAX: usize = 32;

/// Characters of an order number: `String(28)`.
const BILLNO_CHARS_MAX: usize = 28;

/// The first wrong parameter of a request, for `PARAM_ERROR`.
///
/// The texts name the field, say what is wrong and what is allowed, and never repeat the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamError {
    /// Name of the wrong field.
    pub field: &'static str,
    /// The text for `err_code_des`.
    pub text_zh: String,
    /// The same in English.
    pub text_en: String,
}

impl ParamError {
    /// An error whose texts are the field's name followed by these.
    fn new(field: &'static str, zh: &str, en: &str) -> Self {
        Self { field, text_zh: format!("{field}{zh}"), text_en: format!("{field} {en}") }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text_zh)
    }
}

impl std::error::Error for ParamError {}

/// Refuses a non-empty field that V2 knows and that is not among `own_names`.
fn refuse_foreign(fields: &Fields, own_names: &[&str]) -> Result<(), ParamError> {
    for name in KNOWN_NAMES {
        if fields.non_empty(name).is_some() && !own_names.contains(name) {
            return Err(ParamError::new(
                name,
                "不是本接口的参数，请去掉后重新签名",
                "is not a parameter of this call; remove it and sign again",
            ));
        }
    }
    Ok(())
}

/// A text of at most `chars_max` characters, or nothing.
fn optional_text(
    fields: &Fields,
    name: &'static str,
    chars_max: usize,
) -> Result<Option<String>, ParamError> {
    let Some(text) = fields.non_empty(name) else {
        return Ok(None);
    };
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(ParamError::new(
            name,
            &format!("过长：共{chars}个字符，最多{chars_max}个字符"),
            &format!("is too long: it has {chars} characters, at most {chars_max} are allowed"),
        ));
    }
    Ok(Some(text.to_owned()))
}

/// A text of 1 to `chars_max` characters.
fn required_text(
    fields: &Fields,
    name: &'static str,
    chars_max: usize,
) -> Result<String, ParamError> {
    optional_text(fields, name, chars_max)?.ok_or_else(|| {
        ParamError::new(
            name,
            &format!("必填，并且最多{chars_max}个字符"),
            &format!("is required, with at most {chars_max} characters"),
        )
    })
}

/// The merchant's order number.
fn order_number(fields: &Fields) -> Result<String, ParamError> {
    fields
        .non_empty(MCH_BILLNO)
        .filter(|text| text.len() <= BILLNO_CHARS_MAX)
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .map(str::to_owned)
        .ok_or_else(|| {
            ParamError::new(
                MCH_BILLNO,
                &format!("有误：必填，1到{BILLNO_CHARS_MAX}位，只能使用数字和英文字母"),
                &format!("is wrong: 1 to {BILLNO_CHARS_MAX} digits and English letters"),
            )
        })
}

/// An amount of at least one fen.
fn amount_fen(fields: &Fields, name: &'static str) -> Result<i64, ParamError> {
    parse_fen(fields.non_empty(name).unwrap_or_default()).ok().filter(|fen| *fen > 0).ok_or_else(
        || {
            ParamError::new(
                name,
                "有误：必填，必须为大于0的整数，单位为分，只能使用数字0到9且不能以0开头",
                "is wrong: a whole number of fen above 0, digits only, no leading zero",
            )
        },
    )
}

/// A legal IPv4 or IPv6 address, or nothing.
fn optional_ip(fields: &Fields, name: &'static str) -> Result<Option<IpAddr>, ParamError> {
    fields.non_empty(name).map(|text| text.parse().ok().ok_or_else(|| ip_error(name))).transpose()
}

fn ip_error(name: &'static str) -> ParamError {
    ParamError::new(
        name,
        "必须是合法的IP地址，例如192.168.0.1",
        "must be a legal IP address, such as 192.168.0.1",
    )
}

/// Refuses a field that is not exactly `only`.
fn exactly(fields: &Fields, name: &'static str, only: &str) -> Result<(), ParamError> {
    if fields.non_empty(name) == Some(only) {
        return Ok(());
    }
    Err(ParamError::new(name, &format!("必须为{only}"), &format!("must be {only}")))
}
