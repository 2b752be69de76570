//! The V2 face: XML over mTLS, so that unchanged clients of the original work.
//!
//! Every call passes the same gates in the same order; the first that refuses gives the answer.
//!
//! | gate | refusal | in |
//! | --- | --- | --- |
//! | the body is one flat XML | `XML_ERROR`, the only one with `return_code` FAIL | `gates::read` |
//! | the certificate stands and is the caller's | `CA_ERROR` | `gates::identify` |
//! | the signature is right, by the stored policy, and has one meaning | `SIGN_ERROR` | `gates::identify` |
//! | the socket's address is on the merchant's list | `NO_AUTH` | `gates::admit` |
//! | the call rate is kept | `FREQ_LIMIT` | `gates::admit` |
//! | every field is in its range | `PARAM_ERROR` | the endpoint |
//! | the use case agrees | everything else | the endpoint |
//!
//! A caller that is not known for sure learns nothing: an unknown merchant, a merchant without a
//! key and a wrong signature look alike. From the signature on, answers of the two send calls are
//! signed with the algorithm of the request; a query's never is, because its list is nested.
//!
//! Every answer is HTTP 200 with a body in one piece. Codes and texts stand in one table, `error`.
//! The words of the wire (`mch_billno`, `RFUND_ING`) appear here and in `hongbao-wire` only.

#![deny(clippy::wildcard_enum_match_arm)]

mod answer;
mod error;
mod gates;
mod gethbinfo;
mod send;
mod sendgroupredpack;
mod sendredpack;
mod vocabulary;

use std::sync::Arc;

use axum::{Router, http::StatusCode, response::Response, routing::post};
use hongbao_app::App;

/// The three calls under `/mmpaymkttransfers`. The listener has put a [`Peer`](crate::peer::Peer)
/// into every request's extensions; without one, a call has no certificate.
pub fn router(app: Arc<App>) -> Router {
    let calls = Router::new()
        .route("/sendredpack", post(sendredpack::handle))
        .route("/sendgroupredpack", post(sendgroupredpack::handle))
        .route("/gethbinfo", post(gethbinfo::handle))
        .method_not_allowed_fallback(not_a_post)
        .fallback(no_such_call)
        .with_state(app);
    Router::new().nest("/mmpaymkttransfers", calls)
}

async fn not_a_post() -> Response {
    answer::transport_refusal(StatusCode::METHOD_NOT_ALLOWED, "请使用POST方法调用")
}

async fn no_such_call() -> Response {
    answer::transport_refusal(StatusCode::NOT_FOUND, "接口不存在")
}
