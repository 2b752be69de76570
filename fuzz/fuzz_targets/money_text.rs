//! Amounts as text: one spelling on the wire, exact fen from yuan.
#![no_main]

use hongbao_wire::{fen_to_yuan_text, parse_count, parse_fen, parse_yuan_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (i64, &str)| {
    let (number, text) = input;
    check_round_trip(number);
    check_text(text);
});

fn check_round_trip(number: i64) {
    let fen = number & i64::MAX;
    assert_eq!(parse_yuan_text(&fen_to_yuan_text(fen)), Ok(fen));
    assert_eq!(parse_fen(&fen.to_string()), Ok(fen));
    assert_eq!(parse_fen(&number.to_string()).is_ok(), number >= 0);
    assert_eq!(fen_to_yuan_text(number).starts_with('-'), number < 0);
}

fn check_text(text: &str) {
    assert_eq!(parse_fen(text), parse_count(text));
    if let Ok(fen) = parse_fen(text) {
        assert_eq!(fen.to_string(), text);
    }
    assert_eq!(parse_yuan_text(text).ok(), simple_yuan(text), "{text:?}");
}

/// A second reading: pad to two decimals, drop the point, read as a wide integer.
fn simple_yuan(text: &str) -> Option<i64> {
    let (yuan, decimals) = text.split_once('.').unwrap_or((text, "00"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(yuan) || !plain(decimals) || decimals.len() > 2 || yuan.len() > 20 {
        return None;
    }
    if yuan.len() > 1 && yuan.starts_with('0') {
        return None;
    }
    let fen: i128 = format!("{yuan}{decimals:0<2}").parse().ok()?;
    i64::try_from(fen).ok()
}
