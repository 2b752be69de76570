//! Money: whole fen, checked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in fen (1 yuan = 100 fen), DEF1.
///
/// Signed because outside-world accounts go below zero; every rule that takes an amount from a
/// person checks its sign itself. There is no conversion from or to a float.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fen(i64);

/// A sum or difference left the range of [`Fen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount left the range of 64-bit fen")]
pub struct MoneyOverflow;

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// `fen` whole fen.
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// `yuan` whole yuan; for constants, where an overflow stops the compiler.
    pub const fn from_yuan(yuan: i32) -> Self {
        #[expect(
            clippy::arithmetic_side_effects,
            clippy::as_conversions,
            reason = "an i32 times 100 always fits an i64"
        )]
        Self(yuan as i64 * 100)
    }

    /// The number of fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// True above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, MoneyOverflow> {
        self.0.checked_add(other.0).map(Self).ok_or(MoneyOverflow)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, MoneyOverflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyOverflow)
    }

    /// The amount with its sign turned.
    pub fn negated(self) -> Result<Self, MoneyOverflow> {
        self.0.checked_neg().map(Self).ok_or(MoneyOverflow)
    }

    /// `self × count`.
    pub fn times(self, count: u32) -> Result<Self, MoneyOverflow> {
        self.0.checked_mul(i64::from(count)).map(Self).ok_or(MoneyOverflow)
    }

    /// The sum of all `amounts`.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyOverflow> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }
}

/// Yuan with two decimals, `-0.05`, for people and logs.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        let (yuan, rest) = (fen.checked_div(100), fen.checked_rem(100));
        write!(f, "{sign}{}.{:02}", yuan.unwrap_or(0), rest.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_as_yuan_with_two_decimals() {
        for (fen, text) in
            [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (100, "1.00"), (123_456, "1234.56")]
        {
            assert_eq!(Fen::new(fen).to_string(), text);
        }
    }

    #[test]
    fn sums_that_leave_the_range_are_errors_not_wraps() {
        assert_eq!(Fen::new(i64::MAX).plus(Fen::new(1)), Err(MoneyOverflow));
        assert_eq!(Fen::new(i64::MIN).negated(), Err(MoneyOverflow));
        assert_eq!(Fen::new(i64::MIN).minus(Fen::new(1)), Err(MoneyOverflow));
        assert_eq!(Fen::from_yuan(200).times(u32::MAX), Ok(Fen::new(85_899_345_900_000)));
    }
}
