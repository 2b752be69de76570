//! What a problem looks like on the wire.

use hongbao_domain::{Fen, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyState, NextAction, Parts, Problem, text};
use crate::{pocket::json::Money, problem::Language};

/// RFC 9457 problem details with the money's state and the next step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:hongbao:problem:<code>`.
    #[serde(rename = "type")]
    kind: String,
    /// The problem in a few words, in the caller's language.
    title: String,
    /// HTTP status.
    status: u16,
    /// What happened and what to do, for people.
    detail: String,
    /// The problem, for programs.
    code: &'static str,
    /// What this call did to money.
    money_state: MoneyState,
    /// What the caller can do.
    next_action: NextAction,
    /// When waiting helps, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_until: Option<String>,
    /// The limit that was hit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Figure>,
    /// How much of it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<Figure>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldErrorBody>,
}

/// One field that is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub(super) struct FieldErrorBody {
    /// JSON pointer into the body; for a query parameter its name.
    pointer: String,
    /// What is wrong or allowed.
    detail: String,
}

/// A limit or a use of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Figure {
    /// Of money.
    Money(Money),
    /// Of things or seconds.
    Count(u64),
}

impl From<Fen> for Figure {
    fn from(amount: Fen) -> Self {
        Self::Money(Money::of(amount))
    }
}

impl From<u32> for Figure {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl ProblemBody {
    /// The problem in `language`.
    pub(super) fn of(problem: &Problem, language: Language) -> Self {
        let Parts { row, money_state, note, wait_until, limit, used, errors, .. } = &*problem.0;
        let sentences = [
            note.as_ref().map(|note| note.in_language(language)),
            Some(text::money_sentence(*money_state, language)),
            Some(text::advice(row.next_action, language)),
        ];
        let said: Vec<&str> = sentences.into_iter().flatten().collect();
        Self {
            kind: format!("urn:hongbao:problem:{}", row.code),
            title: language.pick(row.zh, row.en).to_owned(),
            status: row.status.as_u16(),
            detail: said.join(language.pick("", " ")),
            code: row.code,
            money_state: *money_state,
            next_action: row.next_action,
            wait_until: wait_until.map(Timestamp::rfc3339),
            limit: limit.clone(),
            used: used.clone(),
            errors: errors
                .iter()
                .map(|error| FieldErrorBody {
                    pointer: error.pointer.clone(),
                    detail: error.detail.in_language(language).to_owned(),
                })
                .collect(),
        }
    }
}
