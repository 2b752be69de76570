//! Where everything is kept.
//!
//! A store implements [`hongbao_app::ports::Store`]. Each database has its folder, with files of
//! the same names: opening, and the hot path in its own way. All else is written once:
//!
//! | file | what |
//! | --- | --- |
//! | `queries` | statements off the hot path, in the SQL that both databases take, and their rows |
//! | `session` | what those need of a database |
//! | `fields`, `columns` | between columns and the domain |
//! | `terms` | what orders have in common, written once |
//! | `moving` | a store moved from one database to another |
//! | `settings` | parsed settings |
//! | `error` | what can go wrong |

mod columns;
mod error;
mod fields;
pub mod moving;
pub mod postgres;
mod queries;
mod session;
mod settings;
pub mod sqlite;
mod terms;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The one in a file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// The one on a server.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
    /// A file lies on one machine.
    #[error("a SQLite store lies on one machine: only a PostgreSQL database can be distributed")]
    NotDistributable,
}
