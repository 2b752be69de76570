//! Use cases: what people and programs can do with the platform, one file each.
//!
//! A use case takes typed input from a face, asks the [`executor`] to decide what moves money,
//! reads the store for what does not, and answers in domain words. It knows nothing of HTTP, XML
//! or SQL.

pub mod ports;
