//! What those who count answers read from them.

use axum::response::Response;

use crate::problem::Problem;

/// How a call ended, in its face's own words: one of a table, never a caller's text. Stands in the
/// extensions of responses whose status alone does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerCode(pub &'static str);

impl AnswerCode {
    /// The code of `response`: of the V2 face its `err_code`, or `SUCCESS`; of the JSON faces the
    /// problem's code. `None` for a response that is no problem, and for those below the faces.
    pub fn of(response: &Response) -> Option<Self> {
        let extensions = response.extensions();
        let problem = extensions.get::<Problem>().map(|problem| Self(problem.row().code));
        extensions.get::<Self>().copied().or(problem)
    }
}
