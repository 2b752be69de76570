//! Where everything is kept.
//!
//! A store implements [`hongbao_app::ports::Store`]. Each database has its folder, today SQLite
//! only; statements that are not on the hot path, and that any SQL database takes, stand in
//! `queries`.

mod queries;
pub mod sqlite;
