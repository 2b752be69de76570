//! Failures of use cases as problems.

use hongbao_app::{AppError, executor::Failure, ports::StoreError};
use hongbao_domain::Refusal;

use super::{MoneyState, Problem, Text, refused, rows};

/// A full queue drains in half a second.
const BUSY_SECONDS: u32 = 1;
/// A lost commit is known again once the store answers.
const UNKNOWN_SECONDS: u32 = 2;
/// A store that is away comes back by a restart or a person.
const UNAVAILABLE_SECONDS: u32 = 5;

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Command(failure) => failure.into(),
            AppError::Store(error) => error.into(),
            AppError::Vault(error) => {
                tracing::error!(%error, "a secret could not be sealed or opened");
                Self::new(rows::INTERNAL)
            }
            AppError::NotFound { what: _ } => Self::new(rows::NOT_FOUND),
            AppError::Invalid { field, rule } => {
                let pointer = format!("/{}", field.replace('.', "/"));
                let zh = format!("允许：{rule}");
                Self::new(rows::INVALID).field(pointer, Text::new(zh, rule))
            }
            AppError::RateExceeded => Self::new(rows::RATE_EXCEEDED).retry_after(BUSY_SECONDS),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refused(&refusal),
            Failure::Busy => Self::new(rows::BUSY).retry_after(BUSY_SECONDS),
            Failure::Unknown => unknown(),
            Failure::Unavailable => unavailable(),
            Failure::Halted => Self::new(rows::HALTED),
            Failure::Defect => Self::new(rows::INTERNAL),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unknown(reason) => {
                tracing::error!(%reason, "the outcome of a commit is unknown");
                unknown()
            }
            StoreError::Unavailable(reason) => {
                tracing::error!(%reason, "the store is not available");
                unavailable()
            }
            StoreError::Conflict { what: _ } => Self::new(rows::CHANGED_MEANWHILE),
            StoreError::Corrupt(reason) => {
                tracing::error!(%reason, "the store holds what it cannot hold");
                Self::new(rows::INTERNAL)
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        refused(&refusal)
    }
}

fn unknown() -> Problem {
    let problem = Problem::new(rows::OUTCOME_UNKNOWN).money(MoneyState::Unknown);
    problem.retry_after(UNKNOWN_SECONDS)
}

fn unavailable() -> Problem {
    Problem::new(rows::UNAVAILABLE).retry_after(UNAVAILABLE_SECONDS)
}
