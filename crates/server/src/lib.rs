//! The binary `hongbao`: certificates, listeners, logs, configuration, and one file per command.

pub mod backup;
pub mod bench;
pub mod ca;
pub mod client;
pub mod commands;
pub mod config;
pub mod demo;
pub mod heads;
pub mod home;
pub mod issuing;
pub mod logging;
pub mod net;
pub mod running;
pub mod tokens;
pub mod watching;
