//! The faces: parse, find out who asks, call a use case, render. Nothing is decided here.
//!
//! | face | speaks | to |
//! | --- | --- | --- |
//! | [`v2`] | XML over mTLS, as the original's V2 interface | merchants' servers |
//! | [`pocket`] | JSON | users' phones |
//! | [`ops`] | JSON, health | the platform's operators and their tools |

pub mod ops;
pub mod peer;
pub mod pocket;
pub mod problem;
pub mod v2;
pub mod watch;
