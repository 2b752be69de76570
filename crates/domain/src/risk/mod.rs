//! Anti-abuse levels 防刷等级 as a published rule set.
//!
//! The host app says what it thinks of an account; the merchant's level says which of these may
//! be sent to. Level 0 stops nobody, each level stops what the one below stops and one kind more.

use serde::{Deserialize, Serialize};

/// What the host app thinks of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// An ordinary, active person.
    #[default]
    Normal,
    /// A second or throw-away account (小号): stopped from level 3.
    ThrowAway,
    /// An account that nobody uses (僵尸号): stopped from level 2.
    Zombie,
    /// An account run by a machine (机器号): stopped from level 1.
    Bot,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 4] = [Self::Normal, Self::ThrowAway, Self::Zombie, Self::Bot];

    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::ThrowAway => 1,
            Self::Zombie => 2,
            Self::Bot => 3,
        }
    }

    /// The standing with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.code() == code)
    }
}

/// 防刷等级 0 to 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct RiskLevel(u8);

impl RiskLevel {
    /// Level 0: stops nobody.
    pub const OFF: Self = Self(0);

    /// The level `level`, 0 to 3.
    pub const fn try_new(level: u8) -> Option<Self> {
        if level <= 3 { Some(Self(level)) } else { None }
    }

    /// True when an account of this `standing` may not be sent to.
    pub const fn stops(self, standing: Standing) -> bool {
        match standing {
            Standing::Normal => false,
            Standing::ThrowAway => self.0 >= 3,
            Standing::Zombie => self.0 >= 2,
            Standing::Bot => self.0 >= 1,
        }
    }
}

impl TryFrom<u8> for RiskLevel {
    type Error = &'static str;

    fn try_from(level: u8) -> Result<Self, Self::Error> {
        Self::try_new(level).ok_or("risk levels are 0, 1, 2 and 3")
    }
}

impl From<RiskLevel> for u8 {
    fn from(level: RiskLevel) -> Self {
        level.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_stops_one_kind_more() {
        let stopped = |level| {
            let level = RiskLevel::try_new(level).unwrap();
            Standing::ALL.into_iter().filter(move |&s| level.stops(s)).count()
        };
        assert_eq!([stopped(0), stopped(1), stopped(2), stopped(3)], [0, 1, 2, 3]);
        assert_eq!(RiskLevel::try_new(4), None);
    }
}
