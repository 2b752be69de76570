//! The figures: engine, HTTP and what to hold them against, in one run on one machine.
//!
//! Absolute figures of a shared machine mean little, so figures stand beside a yardstick of the same
//! run, and of the same round where they are on one store; rounds are repeated, and medians printed.
//! Everything runs through the product's own code: packets are sent and claimed by commands, nothing
//! is written into tables from outside.

mod closed;
mod dataset;
mod disk;
mod engine;
mod load;
mod neighbours;
mod open;
mod overload;
mod platform;
mod postgres;
mod processes;
mod psql;
mod rates;
mod redis;
mod report;
mod size;
mod validate;
mod web;

use std::{path::PathBuf, time::Duration};

use hongbao_app::{AppError, executor::Failure, ports::StoreError};
use hongbao_store::postgres::PostgresUrl;

use self::platform::{Kind, Scratch};

pub use processes::claim_for;
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
    #[arg(long, default_value_t = 200_000)]
    pub claims: u64,
    /// Connections of the load generator; a listener has places for 4,096
    #[arg(long, default_value_t = 3_000)]
    pub connections: usize,
    /// What to measure, by commas
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "rates,size,neighbours,overload"
    )]
    pub parts: Vec<Part>,
    /// Packets of the larger store of `size`; a tenth as many users. The smaller has 100 thousand
    #[arg(long, value_name = "PACKETS", default_value_t = 10_000_000)]
    pub large: u64,
    /// A PostgreSQL server to measure, too; by default only SQLite is
    #[arg(long, value_name = "URL")]
    pub postgres: Option<PostgresUrl>,
    /// Leave SQLite and HTTP out
    #[arg(long, requires = "postgres")]
    pub only_postgres: bool,
    /// Instead of all else: load the engine openly at three rates, and hold what was seen against
    /// the simulator of `hongbao plan`
    #[arg(long)]
    pub validate_simulator: bool,
    /// Where the figures go as JSON, too; a validation goes into the file that is there
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Directory for the stores, which stay there, as do namespaces `bench_…` on a PostgreSQL server;
    /// by default they are temporary
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// A part of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Claims and sends a second, of engine and HTTP, beside their yardsticks
    Rates,
    /// What a claim costs in a small and in a large store
    Size,
    /// How long small merchants wait while another runs at full load
    Neighbours,
    /// Ten times what the engine can do, and how soon it is well again
    Overload,
    /// The way of many tutorials, a script in Redis; needs `redis-server`
    Redis,
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

/// Measures what `plan` asks for into `figures`, and prints progress to the terminal. When a part
/// fails, the figures of those before it are there.
pub async fn run(plan: &Plan, figures: &mut Figures) -> Result<(), BenchError> {
    let scratch = Scratch::make(plan)?;
    let ended = parts(plan, &scratch, figures).await;
    figures.finish();
    ended
}

async fn parts(plan: &Plan, scratch: &Scratch, figures: &mut Figures) -> Result<(), BenchError> {
    let asked = |part| plan.parts.contains(&part);
    for kind in Kind::of(plan) {
        if asked(Part::Rates) {
            match kind {
                Kind::Sqlite => rates::run(plan, scratch, &mut figures.sqlite).await?,
                Kind::Postgres => postgres::run(plan, scratch, &mut figures.postgres).await?,
            }
        }
        let of_store = figures.of_store(kind);
        if asked(Part::Neighbours) {
            of_store.neighbours = neighbours::run(plan, scratch, kind).await?;
        }
        if asked(Part::Overload) {
            of_store.overload = overload::run(plan, scratch, kind).await?;
        }
        if asked(Part::Size) {
            of_store.sizes = size::run(plan, scratch, kind).await?;
        }
    }
    if asked(Part::Redis) {
        figures.redis = redis::run(plan, scratch)?;
    }
    Ok(())
}

/// Holds the simulator against the engine.
pub async fn validate(plan: &Plan) -> Result<Validation, BenchError> {
    validate::run(plan).await
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
const fn float(count: usize) -> f64 {
    count as f64
}

/// `count` a second.
fn per_second(count: usize, elapsed: Duration) -> f64 {
    float(count) / elapsed.as_secs_f64().max(f64::EPSILON)
}

/// What `percent` of the waits, which are sorted, stayed below, in milliseconds.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let place = sorted.len().saturating_mul(percent) / 100;
    let wait = sorted.get(place.min(sorted.len().saturating_sub(1))).copied();
    wait.unwrap_or_default().as_secs_f64() * 1e3
}
