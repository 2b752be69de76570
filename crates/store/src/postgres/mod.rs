//! The store for more than one server: PostgreSQL, any number of processes on one database.
//!
//! | file | what |
//! | --- | --- |
//! | `open`, `schema` | what must hold before the first command: settings, role of the server, schema |
//! | `distribute` | the tables over many machines |
//! | `tls` | what protects the way to the server |
//! | `timeline` | telling an old primary from the one that took over |
//! | `pool` | connections, each checked when it is made; transactions that never leak |
//! | `transact` | load, decide, commit; what is tried again; what became of a lost commit |
//! | `load`, `commit` | the hot path: needs → facts, facts and changes → rows |
//! | `journal`, `orders` | parts of `commit` |
//! | `rows` | rows as array parameters |
//! | `lanes`, `leases` | what lets several servers share a database |
//! | `register` | many people in one transaction |
//! | `session`, `bulk` | what queries are run with; many rows at once |
//! | `audit` | one consistent view, and the damage that only PostgreSQL can name |
//! | `store` | the port, method by method |
//! | `moving` | a side of a move to another database |

mod audit;
mod bulk;
mod commit;
mod distribute;
mod journal;
mod lanes;
mod leases;
mod load;
pub(crate) mod moving;
mod open;
mod orders;
mod pool;
mod prepared;
mod register;
mod rows;
mod schema;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod timeline;
mod tls;
mod transact;

pub use open::{OpenError, PostgresUrl};
pub use store::PostgresStore;
pub(crate) use tls::advice as tls_advice;
