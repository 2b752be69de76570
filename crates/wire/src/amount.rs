//! Numbers and money as text.
//!
//! On the wire money is a whole number of fen and a count is a whole number, both in one spelling
//! only: ASCII digits without a leading zero. Two spellings of one amount would be two signed
//! texts for one meaning, and a lenient reader is how `1e2` becomes 1 or 100 depending on who
//! reads. Files and the console write yuan with at most two decimals; that text is turned into
//! fen by integer arithmetic alone.

use std::fmt::Write as _;

/// Fen in one yuan.
const FEN_PER_YUAN: i64 = 100;

/// Why a text is not a number of the expected form. Never carries the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// There is no text.
    #[error("the number is empty")]
    Empty,
    /// Something other than `0-9` (and, in yuan, one point) occurs.
    #[error("only the digits 0-9 are allowed")]
    NotPlainDigits,
    /// The number begins with a zero that is not its only digit.
    #[error("a leading zero is not allowed")]
    LeadingZero,
    /// A yuan text has no digit, or more than two, after its point.
    #[error("one or two digits are expected after the point")]
    Decimals,
    /// The value does not fit `i64`.
    #[error("the number is too large")]
    TooLarge,
}

/// Reads an amount in fen, 0 to `i64::MAX`.
///
/// # Errors
///
/// [`AmountError`] for every form except plain ASCII digits without a leading zero.
pub fn parse_fen(text: &str) -> Result<i64, AmountError> {
    parse_plain(text)
}

/// Reads a count, 0 to `i64::MAX`, by the same rule as [`parse_fen`].
///
/// # Errors
///
/// [`AmountError`] for every form except plain ASCII digits without a leading zero.
pub fn parse_count(text: &str) -> Result<i64, AmountError> {
    parse_plain(text)
}

/// Reads yuan such as `12`, `12.3` or `12.34` and returns fen.
///
/// # Errors
///
/// [`AmountError`] for a sign, an exponent, a blank, a separator, more than two decimals, a point
/// without digits on both sides, or more fen than `i64` holds.
pub fn parse_yuan_text(text: &str) -> Result<i64, AmountError> {
    let (yuan, cents) = match text.split_once('.') {
        None => (text, 0),
        Some((yuan, decimals)) => (yuan, parse_decimals(decimals)?),
    };
    parse_plain(yuan)?
        .checked_mul(FEN_PER_YUAN)
        .and_then(|fen| fen.checked_add(cents))
        .ok_or(AmountError::TooLarge)
}

/// Writes fen as yuan with exactly two decimals, such as `12.30`; a negative amount, which only a
/// ledger view can hold, with a leading minus.
pub fn fen_to_yuan_text(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen_abs = fen.unsigned_abs();
    let per_yuan = FEN_PER_YUAN.unsigned_abs();
    let (yuan, cents) =
        (fen_abs.checked_div(per_yuan).unwrap_or(0), fen_abs.checked_rem(per_yuan).unwrap_or(0));
    let mut text = String::from(sign);
    // Writing to a String cannot fail.
    write!(text, "{yuan}.{cents:02}").unwrap_or_default();
    text
}

fn parse_plain(text: &str) -> Result<i64, AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotPlainDigits);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(AmountError::LeadingZero);
    }
    // Digits only, so overflow is the one failure left.
    text.parse().ok().ok_or(AmountError::TooLarge)
}

/// Fen of the one or two digits after the point.
fn parse_decimals(decimals: &str) -> Result<i64, AmountError> {
    match decimals.as_bytes() {
        [tens @ b'0'..=b'9'] => Ok(digit(*tens).saturating_mul(10)),
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            Ok(digit(*tens).saturating_mul(10).saturating_add(digit(*ones)))
        }
        [] | [b'0'..=b'9', ..] => Err(AmountError::Decimals),
        _ => Err(AmountError::NotPlainDigits),
    }
}

fn digit(byte: u8) -> i64 {
    i64::from(byte.saturating_sub(b'0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use AmountError::{Decimals, Empty, LeadingZero, NotPlainDigits, TooLarge};

    #[test]
    #[rustfmt::skip]
    fn wire_numbers_have_one_spelling_only() {
        let table: &[(&str, Result<i64, AmountError>)] = &[
            ("0",                    Ok(0)),
            ("1",                    Ok(1)),
            ("100",                  Ok(100)),
            ("9223372036854775807",  Ok(i64::MAX)),
            ("",                     Err(Empty)),
            ("+100",                 Err(NotPlainDigits)),
            ("-1",                   Err(NotPlainDigits)),
            ("-0",                   Err(NotPlainDigits)),
            ("0100",                 Err(LeadingZero)),
            ("00",                   Err(LeadingZero)),
            ("1e2",                  Err(NotPlainDigits)),
            ("0x64",                 Err(NotPlainDigits)),
            ("1_000",                Err(NotPlainDigits)),
            ("1,000",                Err(NotPlainDigits)),
            ("100.0",                Err(NotPlainDigits)),
            ("９９",                 Err(NotPlainDigits)),
            ("٣",                    Err(NotPlainDigits)),
            (" 100",                 Err(NotPlainDigits)),
            ("100 ",                 Err(NotPlainDigits)),
            ("100\n",                Err(NotPlainDigits)),
            ("\u{feff}100",          Err(NotPlainDigits)),
            ("9223372036854775808",  Err(TooLarge)),
            ("18446744073709551716", Err(TooLarge)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_fen(text), *expected, "fen {text:?}");
            assert_eq!(parse_count(text), *expected, "count {text:?}");
        }
    }

    #[test]
    #[rustfmt::skip]
    fn yuan_text_has_at_most_two_decimals_and_nothing_else() {
        let table: &[(&str, Result<i64, AmountError>)] = &[
            ("0",                    Ok(0)),
            ("0.01",                 Ok(1)),
            ("0.1",                  Ok(10)),
            ("12",                   Ok(1200)),
            ("12.3",                 Ok(1230)),
            ("12.34",                Ok(1234)),
            ("12.00",                Ok(1200)),
            ("1.15",                 Ok(115)),
            ("92233720368547758.07", Ok(i64::MAX)),
            ("92233720368547758.08", Err(TooLarge)),
            ("92233720368547759",    Err(TooLarge)),
            ("99999999999999999999", Err(TooLarge)),
            ("",                     Err(Empty)),
            (".5",                   Err(Empty)),
            ("5.",                   Err(Decimals)),
            (".",                    Err(Decimals)),
            ("1.234",                Err(Decimals)),
            ("1.000",                Err(Decimals)),
            ("1.2.3",                Err(Decimals)),
            ("01.00",                Err(LeadingZero)),
            ("+1.00",                Err(NotPlainDigits)),
            ("-1.00",                Err(NotPlainDigits)),
            ("1.-1",                 Err(NotPlainDigits)),
            ("1.+1",                 Err(NotPlainDigits)),
            ("1.1e1",                Err(Decimals)),
            ("1e2",                  Err(NotPlainDigits)),
            ("1,00",                 Err(NotPlainDigits)),
            ("¥1.00",                Err(NotPlainDigits)),
            ("1.0 ",                 Err(Decimals)),
            (" 1.0",                 Err(NotPlainDigits)),
            ("１.00",                Err(NotPlainDigits)),
            ("1.０",                 Err(NotPlainDigits)),
        ];
        for (text, expected) in table {
            assert_eq!(parse_yuan_text(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn fen_is_written_with_exactly_two_decimals() {
        let table = [
            (0, "0.00"),
            (1, "0.01"),
            (10, "0.10"),
            (100, "1.00"),
            (123_456, "1234.56"),
            (i64::MAX, "92233720368547758.07"),
            (-5, "-0.05"),
            (i64::MIN, "-92233720368547758.08"),
        ];
        for (fen, expected) in table {
            assert_eq!(fen_to_yuan_text(fen), expected);
        }
    }

    proptest! {
        #[test]
        fn an_amount_survives_both_texts(fen in 0..=i64::MAX) {
            prop_assert_eq!(parse_yuan_text(&fen_to_yuan_text(fen)), Ok(fen));
            prop_assert_eq!(parse_fen(&fen.to_string()), Ok(fen));
        }

        #[test]
        fn an_accepted_number_is_its_own_spelling(text in "[0-9+.e -]{0,21}") {
            if let Ok(fen) = parse_fen(&text) {
                prop_assert_eq!(fen.to_string(), text);
            }
        }
    }
}
