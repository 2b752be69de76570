//! The figures: engine, HTTP and what to hold them against, in one run on one machine.
//!
//! Absolute figures of a shared machine mean little, so every figure stands beside a yardstick
//! measured in the same round, rounds are repeated, and medians are printed. Everything runs
//! through the product's own code: packets are sent and claimed by commands, nothing is written
//! into tables from outside.

mod dataset;
mod disk;
mod engine;
mod load;
mod postgres;
mod report;
mod rounds;
mod validate;
mod web;

use std::{path::PathBuf, time::Duration};

use hongbao_app::{AppError, executor::Failure, ports::StoreError};
use hongbao_store::postgres::PostgresUrl;

pub use report::Figures;
pub use validate::Validation;

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct Plan {
    /// Packets stored before anything is measured
    #[arg(long, default_value_t = 1_000_000)]
    pub packets: u64,
    /// Users with wallets
    #[arg(long, default_value_t = 200_000)]
    pub users: u64,
    /// Rounds; medians are printed
    #[arg(long, default_value_t = 5)]
    pub rounds: u32,
    /// Claims and sends of one round
    #[arg(long, default_value_t = 60_000)]
    pub claims: u64,
    /// Connections of the load generator
    #[arg(long, default_value_t = 512)]
    pub connections: usize,
    /// Also compare 100 thousand packets and 10 thousand users with 10 million and 1 million
    #[arg(long)]
    pub scale: bool,
    /// A PostgreSQL server to measure, too; by default only SQLite is
    #[arg(long, value_name = "URL")]
    pub postgres: Option<PostgresUrl>,
    /// Leave SQLite and HTTP out
    #[arg(long, requires = "postgres", conflicts_with = "scale")]
    pub only_postgres: bool,
    /// Instead of all else: load the engine openly at three rates, and hold what was seen against
    /// the simulator of `hongbao plan`
    #[arg(long)]
    pub validate_simulator: bool,
    /// Where the figures go as JSON; a validation goes into the file that is there
    #[arg(long, value_name = "FILE", default_value = "bench/results/bench.json")]
    pub json: PathBuf,
    /// Directory for the stores; a temporary one by default
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A use case failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// A command failed.
    #[error(transparent)]
    Command(#[from] Failure),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or socket failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl BenchError {
    fn other(error: impl std::fmt::Display) -> Self {
        Self::Other(error.to_string())
    }
}

/// Measures, prints progress to the terminal, and answers the figures.
pub async fn run(plan: &Plan) -> Result<Figures, BenchError> {
    rounds::run(plan).await
}

/// Holds the simulator against the engine.
pub async fn validate(plan: &Plan) -> Result<Validation, BenchError> {
    validate::run(plan).await
}

/// `count` a second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_second(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(f64::EPSILON)
}
