//! In which form a packet reaches its receiver (the seed's question 5).

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Somebody who follows for longer than this gets the anti-fake form.
pub const FOLLOWING_MILLIS: i64 = 50 * 3_600_000;

/// The two forms of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageForm {
    /// 模板消息: a card with title, sender and activity.
    Template,
    /// 防伪消息: the red envelope itself, which a normal message cannot imitate.
    AntiFake,
}

impl MessageForm {
    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Template => 1,
            Self::AntiFake => 2,
        }
    }

    /// The form with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Template, Self::AntiFake].into_iter().find(|form| form.code() == code)
    }
}

/// How a person stands to the official account that a packet comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Following {
    /// Since when they follow; `None` when they don't.
    pub since: Option<Timestamp>,
    /// Whether they take its messages.
    pub accepts_messages: bool,
}

impl Following {
    /// The form at `now`: anti-fake for those who follow for more than 50 hours and accept
    /// messages, template for everybody else.
    pub fn form(self, now: Timestamp) -> MessageForm {
        let long = self
            .since
            .is_some_and(|since| now.millis().saturating_sub(since.millis()) > FOLLOWING_MILLIS);
        if long && self.accepts_messages { MessageForm::AntiFake } else { MessageForm::Template }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_the_table_of_the_original() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let hours = |hours: i64| Some(now.plus_seconds(-3_600 * hours));
        for (since, accepts_messages, form) in [
            (None, true, MessageForm::Template),
            (None, false, MessageForm::Template),
            (hours(50), true, MessageForm::Template),
            (hours(50), false, MessageForm::Template),
            (hours(51), true, MessageForm::AntiFake),
            (hours(51), false, MessageForm::Template),
        ] {
            assert_eq!(Following { since, accepts_messages }.form(now), form, "{since:?}");
        }
    }
}
