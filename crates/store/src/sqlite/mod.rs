//! The embedded store: one file, one writer, a few readers, nothing to install.
//!
//! | file | what |
//! | --- | --- |
//! | `open`, `files`, `schema` | what must hold before the first command: modes, lock, settings, schema |
//! | `writer` | the one thread that writes, and what it does after a failed commit |
//! | `broken` | when nothing is written any more |
//! | `checkpoint`, `copier` | when its log is copied into the database, and the thread that does it |
//! | `load`, `commit` | the hot path: needs → facts, facts and changes → rows |
//! | `readers`, `settings` | snapshots for queries; parsed settings |
//! | `rows`, `journal` | between columns and the domain |
//! | `admin`, `users`, `packets`, `jobs`, `audit` | the other methods of the port |
//! | `backup` | one moment of the store, copied beside the writer |

mod admin;
mod audit;
mod backup;
mod broken;
mod checkpoint;
mod commit;
mod copier;
mod error;
mod files;
mod jobs;
mod journal;
mod load;
mod open;
mod packets;
mod readers;
mod rows;
mod schema;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod users;
mod writer;

pub use backup::{BackupError, Copied, SqliteBackup};
pub use open::OpenError;
pub use store::SqliteStore;
