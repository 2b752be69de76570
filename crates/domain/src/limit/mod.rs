//! Daily limits and the request rate. Defaults are the original's (published merchant pages of
//! 2020 to 2025); every one is a setting.

pub mod rate;

use serde::{Deserialize, Serialize};

use crate::{
    ledger::LimitUse,
    money::{Fen, MoneyOverflow},
    time::Day,
};

/// A merchant sends at most ¥1,000,000 a day.
pub const MERCHANT_DAY_FEN: Fen = Fen::from_yuan(1_000_000);
/// A user gets at most ¥1,000 a day from one merchant.
pub const USER_DAY_FEN: Fen = Fen::from_yuan(1_000);
/// A user gets at most 10 packets a day from one merchant.
pub const USER_DAY_COUNT: u32 = 10;
/// A merchant calls the sending interfaces at most 30 times a second (page of 2025-08-22). Of
/// queries the page says nothing; they have as many of their own.
pub const SENDS_PER_SECOND: u32 = 30;
/// Unclaimed money goes back after 24 hours (DEF5); it was 72 hours until about 2016.
pub const EXPIRY_SECONDS: u32 = 86_400;

/// The caps of one merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// 单日发送金额上限: money sent on one day (DEF3).
    pub merchant_day_fen: Fen,
    /// 单用户单日领取金额上限: money one user claims on one day (DEF4).
    pub user_day_fen: Fen,
    /// 单用户单日领取上限: packets one user claims on one day (DEF4).
    pub user_day_count: u32,
    /// Sending calls a second, and as many queries beside them.
    pub sends_per_second: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            merchant_day_fen: MERCHANT_DAY_FEN,
            user_day_fen: USER_DAY_FEN,
            user_day_count: USER_DAY_COUNT,
            sends_per_second: SENDS_PER_SECOND,
        }
    }
}

/// What has been used of a daily limit. `version` counts changes through all days, so that a
/// write can name the state it expects; `day` says which day the figures are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayUse {
    /// The number of the newest change.
    pub version: u64,
    /// The day of the figures.
    pub day: Day,
    /// Money used on that day.
    pub fen: Fen,
    /// Packets on that day.
    pub count: u32,
}

impl DayUse {
    /// The figures of `day`: a new day starts from nothing. Days never go back, because decision
    /// times of an owner never do.
    #[must_use]
    pub fn on(self, day: Day) -> Self {
        if self.day == day { self } else { Self { version: self.version, day, ..Self::default() } }
    }

    /// After one more packet of `amount`.
    pub fn with(self, amount: Fen) -> Result<Self, MoneyOverflow> {
        Ok(Self {
            version: self.version.checked_add(1).ok_or(MoneyOverflow)?,
            day: self.day,
            fen: self.fen.plus(amount)?,
            count: self.count.checked_add(1).ok_or(MoneyOverflow)?,
        })
    }

    /// This state as the record of a transfer that led to it.
    pub const fn recorded(self, cap_fen: Fen, cap_count: Option<u32>) -> LimitUse {
        LimitUse {
            version: self.version,
            day: self.day,
            used_fen: self.fen,
            used_count: self.count,
            cap_fen,
            cap_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_day_starts_from_nothing_and_keeps_counting_versions() {
        let monday = Day::from_number(20_000);
        let used = DayUse::default().on(monday).with(Fen::new(700)).unwrap();
        assert_eq!(used, DayUse { version: 1, day: monday, fen: Fen::new(700), count: 1 });
        assert_eq!(used.on(monday), used);
        let tuesday = used.on(Day::from_number(20_001)).with(Fen::new(5)).unwrap();
        assert_eq!((tuesday.version, tuesday.fen, tuesday.count), (2, Fen::new(5), 1));
    }
}
