//! The V2 wire: flat XML, the canonical string, signatures, names and amounts of the red packet
//! calls `sendredpack`, `sendgroupredpack` and `gethbinfo`.
//!
//! Bytes come in, text goes out. There is no clock, no I/O and no business rule here: limits,
//! balances and states belong to the domain, status lines and TLS to the HTTP face. A request
//! passes three gates, always in this order:
//!
//! | gate | function | refusal |
//! |---|---|---|
//! | 1. one reading of the bytes | [`read`] | `XML_ERROR` |
//! | 2. one sender, one meaning | [`verify`] | `SIGN_ERROR` |
//! | 3. every field in its range | [`SendNormal::parse`], [`SendGroup::parse`], [`Query::parse`] | `PARAM_ERROR` |
//!
//! # Why a strict reader of our own
//!
//! What is signed and what is used must be the same text. A general XML parser knows entities,
//! attributes, namespaces, comments and nesting, and each of these is a way to make two layers
//! read one message differently, or to make one layer work for minutes. The calls need none of
//! them. [`read`] therefore takes a grammar that fits on a page, gives every accepted body exactly
//! one reading, decodes every escape exactly once and refuses the rest with the byte offset.
//!
//! # Why the signed string is ambiguous, and how it is closed
//!
//! The base of a signature joins `name=value` with `&` and escapes nothing. The text `wishing`
//! may hold `&wxappid=…`; cut at another `&`, the same base is another message under the same
//! signature, for MD5 and for HMAC alike. [`verify`] closes this before it compares anything:
//! [`check_unambiguous`] refuses each value in which another field could begin. Two different
//! messages that are both accepted then never share a base; the module `canonical` has the proof.
//!
//! # MD5
//!
//! Unchanged V2 clients can only sign with MD5, so it exists here, and only for merchants whose
//! stored [`SignPolicy`] allows it. A request can never choose a weaker algorithm than the policy.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::wildcard_enum_match_arm
)]
#![warn(missing_docs)]

mod amount;
mod canonical;
pub mod names;
mod request;
mod sign;
#[cfg(test)]
mod sign_tests;
mod xml;

pub use amount::{AmountError, fen_to_yuan_text, parse_count, parse_fen, parse_yuan_text};
pub use canonical::{AmbiguousField, canonical_string, check_unambiguous};
pub use names::{ErrCode, HbType, Scene, SendType, Status};
pub use request::{
    GROUP_SIZE_MAX, GROUP_SIZE_MIN, ParamError, Query, SendFields, SendGroup, SendNormal,
};
pub use sign::{
    ApiKey, ApiKeyError, SignError, SignErrorReason, SignPolicy, SignType, sign, sign_answer,
    verify,
};
pub use xml::{
    Answer, BODY_BYTES_MAX, ClaimLine, ELEMENTS_MAX, Fields, NAME_BYTES_MAX, QueryAnswer, XmlError,
    XmlErrorKind, read, write_fields,
};
