//! Instants on the wire.

use hongbao_domain::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

/// An instant given as RFC 3339 text with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub Timestamp);

impl<'de> Deserialize<'de> for Rfc3339 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let rule =
            || D::Error::custom("not a time: RFC 3339, for example 2026-03-02T10:00:00+08:00");
        let instant: jiff::Timestamp = text.parse().map_err(|_not_a_time| rule())?;
        Ok(Self(Timestamp::from_millis(instant.as_millisecond())))
    }
}
