//! The embedded store: one file, one writer, a few readers, nothing to install.
//!
//! | file | what |
//! | --- | --- |
//! | `open`, `files`, `schema` | what must hold before the first command: modes, lock, settings, schema |
//! | `writer` | the one thread that writes, and what it does after a failed commit |
//! | `preparer`, `work` | the thread that decides a batch while the one before is written; what is lent to both |
//! | `broken` | when nothing is written any more |
//! | `checkpoint`, `copier` | when its log is copied into the database, and the thread that does it |
//! | `load`, `commit` | the hot path: needs → facts, facts and changes → rows |
//! | `journal`, `orders` | parts of `commit` |
//! | `lookup`, `insert`, `values` | many rows by one statement: by their keys, new ones, their values |
//! | `readers`, `session` | snapshots for queries; what queries are run with |
//! | `audit` | one consistent view, and the damage that only SQLite can name |
//! | `store` | the port, method by method |
//! | `backup` | one moment of the store, copied beside the writer |
//! | `moving` | a side of a move to another database |

mod audit;
mod backup;
mod broken;
mod checkpoint;
mod commit;
mod copier;
mod files;
mod insert;
mod journal;
mod load;
mod lookup;
pub(crate) mod moving;
mod open;
mod orders;
mod preparer;
mod readers;
mod schema;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod values;
mod work;
mod writer;

pub use backup::{BackupError, Copied, SqliteBackup};
pub use open::OpenError;
pub use store::SqliteStore;
