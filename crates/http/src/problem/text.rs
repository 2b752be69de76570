//! Texts in two languages.

use axum::http::{HeaderMap, header};

use super::{MoneyState, NextAction};

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    zh: String,
    en: String,
}

impl Text {
    /// The text in Chinese and English.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The text in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        language.pick(&self.zh, &self.en)
    }
}

/// A language people are spoken to in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// 中文, unless asked otherwise.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// What the first entry of `Accept-Language` asks for.
    pub fn asked_for(headers: &HeaderMap) -> Self {
        let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let first = asked.unwrap_or_default().split([',', ';', '-']).next().unwrap_or_default();
        if first.trim().eq_ignore_ascii_case("en") { Self::English } else { Self::Chinese }
    }

    /// The tag of the language.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The text of this language.
    pub const fn pick<'t>(self, zh: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

/// Where the money is, as a sentence.
pub(super) const fn money_sentence(state: MoneyState, language: Language) -> &'static str {
    let (zh, en) = match state {
        MoneyState::NotMoved => ("款项未变动。", "No money moved."),
        MoneyState::Held => ("款项处理中。", "The money is on its way."),
        MoneyState::Paid => ("款项已到账。", "The money has arrived."),
        MoneyState::Returned => ("款项已退回。", "The money went back."),
        MoneyState::Unknown => ("款项是否变动尚不确定。", "Whether money moved is not known yet."),
    };
    language.pick(zh, en)
}

/// What to do, as a sentence.
pub(super) const fn advice(action: NextAction, language: Language) -> &'static str {
    let (zh, en) = match action {
        NextAction::RetrySameNumber => (
            "请用相同单号和内容重试，不会重复扣款。",
            "Call again with the same number and content; it cannot happen twice.",
        ),
        NextAction::FixRequest => ("请修改请求。", "Change the request."),
        NextAction::Wait => ("请稍后再试。", "Wait, then try again."),
        NextAction::Contact => ("请联系平台。", "Contact the platform."),
        NextAction::None => ("无需进一步操作。", "There is nothing more to do."),
    };
    language.pick(zh, en)
}
