//! Where everything is kept.
//!
//! A store implements [`hongbao_app::ports::Store`]. Each database has its folder; both have the
//! same files, and the statements that are not on the hot path are written once, in `queries`.

mod queries;
pub mod sqlite;
