//! Time as data: instants in milliseconds, days of Beijing (DEF2).

use std::fmt;

use jiff::{civil::DateTime, tz::Offset};
use serde::{Deserialize, Serialize};

/// Beijing is UTC+8 all year; no zone database, host setting or daylight saving enters (DEF2).
const BEIJING_OFFSET_HOURS: i8 = 8;
/// [`BEIJING_OFFSET_HOURS`] in milliseconds.
const BEIJING_OFFSET_MILLIS: i64 = 8 * 3_600_000;
const MILLIS_PER_DAY: i64 = 24 * 3_600_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds after the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This instant moved by `millis`, held inside the range of the type.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This instant moved by `seconds`, held inside the range of the type.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_millis(seconds.saturating_mul(1_000))
    }

    /// The accounting day, `floor((t + 8 h) / 24 h)` (DEF2). Midnight belongs to the new day.
    pub fn day(self) -> Day {
        Day(self.0.saturating_add(BEIJING_OFFSET_MILLIS).div_euclid(MILLIS_PER_DAY))
    }

    /// `2015-04-21 20:00:00`, Beijing time, as the query answers it.
    pub fn beijing_text(self) -> String {
        self.civil(BEIJING_OFFSET_HOURS).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// `20150421`, the Beijing date.
    pub fn beijing_date(self) -> String {
        self.civil(BEIJING_OFFSET_HOURS).strftime("%Y%m%d").to_string()
    }

    /// RFC 3339 with milliseconds and the offset of Beijing.
    pub fn rfc3339(self) -> String {
        format!("{:.3}+08:00", self.civil(BEIJING_OFFSET_HOURS))
    }

    fn civil(self, offset_hours: i8) -> DateTime {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        Offset::constant(offset_hours).to_datetime(instant)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// An accounting day: days since 1970-01-01 in Beijing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(i64);

impl Day {
    /// The day numbered `number`.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn midnight_in_beijing_belongs_to_the_new_day() {
        // 2026-01-01T00:00:00+08:00
        let midnight = Timestamp::from_millis(1_767_196_800_000);
        assert_eq!(midnight.beijing_text(), "2026-01-01 00:00:00");
        assert_eq!(midnight.plus_millis(-1).day().number() + 1, midnight.day().number());
        assert_eq!(midnight.plus_millis(-1).beijing_date(), "20251231");
    }

    proptest! {
        /// Against an independent calendar, 1900 to 2200, daylight-saving years included.
        #[test]
        fn a_day_is_the_calendar_date_in_utc_plus_eight(millis in -2_208_988_800_000_i64..7_258_118_400_000) {
            let t = Timestamp::from_millis(millis);
            let civil = jiff::Timestamp::from_millisecond(millis).unwrap()
                .to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date();
            let number = civil.since((jiff::Unit::Day, date(1970, 1, 1))).unwrap().get_days();
            prop_assert_eq!(t.day().number(), i64::from(number));
        }

        #[test]
        fn days_never_go_backwards_when_time_goes_on(millis in any::<i32>(), step in 0_i64..10_000_000_000) {
            let t = Timestamp::from_millis(i64::from(millis) * 1000);
            prop_assert!(t.plus_millis(step).day() >= t.day());
        }
    }
}
