//! Figures as a table for people and JSON for programs.
//!
//! `hongbao plan` reads the JSON by the names of `hongbao_plan::figures::names`.

mod bars;
mod table;

use serde::Serialize;

use super::{Plan, platform::Kind};

use self::bars::Bar;

/// Rates of one round on SQLite, each a second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Round {
    /// Appends of 4 KiB, each followed by fdatasync.
    pub fdatasync: f64,
    /// Claims with one durable transaction each.
    pub single_claims: f64,
    /// Claims through executor and store.
    pub engine_claims: f64,
    /// Sends of one merchant through executor and store.
    pub engine_sends: f64,
    /// Claims over HTTP, the load generator on the same machine.
    pub http_claims: f64,
    /// Echoes on the same HTTP stack from the same generator.
    pub echo: f64,
}

/// Waits over HTTP at half of the peak, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct HalfOfPeak {
    /// Of the median claim.
    pub p50_ms: f64,
    /// What 99 of 100 stay below.
    pub p99_ms: f64,
}

/// Rates of one round on PostgreSQL, each a second unless it says otherwise.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PostgresRound {
    /// Claims with one transaction each, one after another.
    pub single_claims: f64,
    /// Claims through executor and store, over many merchants.
    pub engine_claims: f64,
    /// Sends of one merchant through executor and store.
    pub engine_sends: f64,
    /// Bytes of PostgreSQL's log for each claim.
    pub wal_bytes_per_claim: f64,
    /// Claims by one process of its own.
    pub one_process: f64,
    /// Claims by two processes on one database.
    pub two_processes: f64,
    /// Claims by stored procedure, over many merchants, at 1, 8 and 32 clients.
    pub procedure_claims: [f64; 3],
    /// Sends of one merchant by stored procedure, at 1, 8 and 32 clients.
    pub procedure_sends: [f64; 3],
}

/// Claims a second in the smaller and in the larger store.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SizeRound {
    /// In the store of 100 thousand packets.
    pub small: f64,
    /// In the larger one.
    pub large: f64,
}

/// Waits of small merchants.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Waits {
    /// Of the median send, in milliseconds.
    pub p50_ms: f64,
    /// What 99 of 100 stay below, in milliseconds.
    pub p99_ms: f64,
    /// Sends of small merchants that were sent away; in the percentiles they wait for ever.
    pub shed: usize,
}

/// One round of small merchants beside a busy one.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Neighbours {
    /// Without it.
    pub quiet: Waits,
    /// Beside it.
    pub beside_busy: Waits,
    /// Its sends a second.
    pub busy_sends: f64,
}

/// An overload.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Overload {
    /// Claims a second at most, measured just before.
    pub peak: f64,
    /// At half of the peak before, in milliseconds.
    pub before_p99_ms: f64,
    /// Claims a second that were asked for.
    pub offered: f64,
    /// Of these, those that took effect.
    pub accepted: f64,
    /// How long 99 of 100 of them waited at most, in milliseconds.
    pub accepted_p99_ms: f64,
    /// Offers that were sent away.
    pub shed: usize,
    /// How long 99 of 100 of these took, in milliseconds.
    pub shed_p99_ms: f64,
    /// Seconds from the end of the overload until half of the peak was taken as before: nobody sent
    /// away, p99 below twice what it had been. `None` when that took more than thirty.
    pub recovered_s: Option<f64>,
}

/// One round of the script in Redis.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RedisRound {
    /// Claims a second at the best number of clients.
    pub claims: f64,
}

/// What is measured of every store.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StoreFigures {
    /// Cost by size, round by round.
    pub sizes: Vec<SizeRound>,
    /// Small merchants beside a busy one, round by round.
    pub neighbours: Vec<Neighbours>,
    /// An overload.
    pub overload: Option<Overload>,
}

/// Everything of SQLite.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SqliteFigures {
    /// Rates, round by round.
    pub rounds: Vec<Round>,
    /// Waits over HTTP.
    pub half_of_peak: Option<HalfOfPeak>,
    /// The rest.
    #[serde(flatten)]
    pub store: StoreFigures,
}

/// Everything of PostgreSQL.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PostgresFigures {
    /// Rates, round by round.
    pub rounds: Vec<PostgresRound>,
    /// The rest.
    #[serde(flatten)]
    pub store: StoreFigures,
}

/// Everything that was measured; what was not asked for is empty.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Packets stored before the first round.
    pub packets: u64,
    /// Users with wallets.
    pub users: u64,
    /// Packets of the larger store, where sizes are compared.
    pub large: u64,
    /// Connections of the load generator.
    pub connections: usize,
    /// The embedded store.
    pub sqlite: SqliteFigures,
    /// The database for several servers.
    pub postgres: PostgresFigures,
    /// The script in Redis, round by round.
    pub redis: Vec<RedisRound>,
    /// The most memory that the process, load generator included, ever held.
    pub peak_memory_mib: u64,
    /// What was aimed at, and what came of it.
    pub(super) bars: Vec<Bar>,
}

impl Figures {
    /// None yet, of what `plan` asks for.
    pub fn new(plan: &Plan) -> Self {
        Self {
            packets: plan.packets,
            users: plan.users,
            large: plan.large,
            connections: plan.connections,
            sqlite: SqliteFigures::default(),
            postgres: PostgresFigures::default(),
            redis: Vec::new(),
            peak_memory_mib: 0,
            bars: Vec::new(),
        }
    }

    pub(super) const fn of_store(&mut self, kind: Kind) -> &mut StoreFigures {
        match kind {
            Kind::Sqlite => &mut self.sqlite.store,
            Kind::Postgres => &mut self.postgres.store,
        }
    }

    /// Once everything is measured.
    pub(super) fn finish(&mut self) {
        self.peak_memory_mib = peak_memory_mib();
        self.bars = bars::of(self);
    }
}

/// The most memory this process ever held, in MiB; 0 where the system does not tell.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1_024
}

pub(super) fn best(rates: [f64; 3]) -> f64 {
    rates.into_iter().fold(0.0, f64::max)
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    hongbao_plan::figures::median(values).unwrap_or_default()
}
