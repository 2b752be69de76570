//! The capacity model: a demand and measured figures in, an installation out.
//!
//! One lane is the unit: a writer with its store, as measured. Everything else is multiplication,
//! and every number that went into it is an [`Assumption`] that the plan prints.

pub mod sizes;
mod table;

use serde::Serialize;

use self::sizes::{Bytes, Wire};
use crate::{
    figures::{Engine, Figure, Figures, Source},
    num,
    placement::{self, Popularity},
    sim::{lane::LaneSpec, service::Service},
};

/// What holds the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// One SQLite file, one writer, one server.
    Sqlite,
    /// One PostgreSQL primary, any number of servers.
    Postgres,
    /// PostgreSQL distributed by Citus: as many workers as it takes.
    Citus,
}

impl Store {
    /// Whether one installation may have more than one shard.
    pub const fn distributes(self) -> bool {
        matches!(self, Self::Citus)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Citus => "citus",
        }
    }
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Demand {
    /// Claims a second at the peak.
    pub peak: f64,
    /// Packets sent a day.
    pub packets_per_day: f64,
    /// Claims of a packet: 1 for a normal one, up to its shares for a group.
    pub claims_per_packet: f64,
    /// Sends for each claim at the peak.
    pub sends_per_claim: f64,
    /// The part of a lane, 0 to below 1, that stays free at the peak.
    pub headroom: f64,
    /// Days that packets and journals stay on fast disks.
    pub retention_days: f64,
    /// Copies of everything stored, the first included.
    pub replication: u64,
    /// Merchants.
    pub merchants: u64,
    /// Users with wallets.
    pub users: u64,
    /// The part of all load that the largest merchant has, 0 to below 1.
    pub hot_share: f64,
    /// Exponent of Zipf's law for the others.
    pub zipf: f64,
    /// What holds the money.
    pub store: Store,
    /// Cores of one server.
    pub cores_per_server: u64,
    /// Cores of the machine on which the figures were measured.
    pub measured_cores: u64,
}

/// What a lane takes at once and lets wait: the executor's, which depends on how fast it is.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Commands of a batch at most.
    pub batch_max: u64,
    /// Commands waiting at most.
    pub queue_max: u64,
}

/// A demand that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}, and must be {range}")]
pub struct DemandError {
    /// Which number.
    pub name: &'static str,
    /// What it is.
    pub value: f64,
    /// What it may be.
    pub range: &'static str,
}

impl Demand {
    /// Whether every number is one that can be planned for.
    pub fn check(&self) -> Result<(), DemandError> {
        let above_zero = "above zero and finite";
        let part = "from 0 to below 1";
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let is_part = |value: f64| (0.0..1.0).contains(&value);
        let checks = [
            ("peak", self.peak, positive(self.peak), above_zero),
            ("packets-per-day", self.packets_per_day, positive(self.packets_per_day), above_zero),
            (
                "claims-per-packet",
                self.claims_per_packet,
                positive(self.claims_per_packet),
                above_zero,
            ),
            (
                "sends-per-claim",
                self.sends_per_claim,
                (0.0..=100.0).contains(&self.sends_per_claim),
                "from 0 to 100",
            ),
            ("headroom", self.headroom, is_part(self.headroom), part),
            ("retention-days", self.retention_days, positive(self.retention_days), above_zero),
            (
                "replication",
                num::float(self.replication),
                (1..=9).contains(&self.replication),
                "from 1 to 9",
            ),
            (
                "merchants",
                num::float(self.merchants),
                (1..=MERCHANTS_MAX).contains(&self.merchants),
                "from 1 to 10,000,000",
            ),
            ("users", num::float(self.users), self.users > 0, above_zero),
            ("hot-merchant-share", self.hot_share, is_part(self.hot_share), part),
            ("zipf", self.zipf, (0.0..=3.0).contains(&self.zipf), "from 0 to 3"),
            (
                "cores-per-server",
                num::float(self.cores_per_server),
                self.cores_per_server > 0,
                above_zero,
            ),
            (
                "measured-cores",
                num::float(self.measured_cores),
                self.measured_cores > 0,
                above_zero,
            ),
        ];
        checks
            .into_iter()
            .find(|(_, _, fine, _)| !fine)
            .map_or(Ok(()), |(name, value, _, range)| Err(DemandError { name, value, range }))
    }

    /// How the load divides among merchants.
    pub const fn popularity(&self) -> Popularity {
        Popularity { merchants: self.merchants, exponent: self.zipf, hot_share: self.hot_share }
    }
}

/// Merchants that are placed one by one at most: some seconds' work.
const MERCHANTS_MAX: u64 = 10_000_000;
/// Shards that are looked through for a placement at most.
const SHARDS_MAX: u64 = 20_000;
/// How full a disk may become.
const DISK_FULL: f64 = 0.7;
const DAY_SECONDS: f64 = 86_400.0;

/// Something taken for granted, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assumption {
    /// What.
    pub what: String,
    /// How much.
    pub value: String,
    /// Why, or from where.
    pub why: String,
}

/// An installation.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// For what.
    pub demand: Demand,
    /// Whether one installation of this store can do it.
    pub fits: bool,
    /// Why not, and what else a reader must know before believing the numbers.
    pub warnings: Vec<String>,
    /// Load.
    pub load: Load,
    /// Machines.
    pub machines: Machines,
    /// Bytes.
    pub bytes: Bytes,
    /// Disks, log and network.
    pub flows: Flows,
    /// Everything that was taken for granted.
    pub assumptions: Vec<Assumption>,
}

/// The load, in commands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Claims and sends a second at the peak.
    pub peak_commands: f64,
    /// Claims and sends a second on the day's average.
    pub mean_commands: f64,
    /// Commands a second that one lane does, in the mix of the peak.
    pub lane_commands: f64,
    /// Full lanes that the peak keeps busy.
    pub busy_lanes: f64,
    /// Commands a second of the largest merchant at the peak.
    pub hot_commands: f64,
    /// Merchant numbers among which the largest must be divided so that each gets what it asks for
    /// beside others on its shard; 1 if it does whole.
    pub hot_parts: u64,
    /// The part of its lane that the fullest shard uses at the peak.
    pub fullest_busy: f64,
    /// The same on average over the day and over shards.
    pub mean_busy: f64,
}

/// Machines.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Machines {
    /// Shards, each with a lane of its own.
    pub shards: u64,
    /// Shards on one server.
    pub shards_per_server: u64,
    /// Servers with stores, copies included.
    pub store_servers: u64,
    /// Cores for HTTP at the peak, headroom included.
    pub http_cores: u64,
    /// Servers for HTTP.
    pub http_servers: u64,
}

/// Disks, log and network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Flows {
    /// Bytes that a day adds, one copy.
    pub day_bytes: f64,
    /// Bytes on all disks after the retention, copies and free space included.
    pub disk_bytes: f64,
    /// The same for one store server.
    pub server_disk_bytes: f64,
    /// Packets in one shard after the retention.
    pub shard_packets: f64,
    /// Log a second at the peak, all shards, one copy.
    pub log_bytes: f64,
    /// Log a second at the peak of one shard.
    pub shard_log_bytes: f64,
    /// Network a second at the peak: users to servers.
    pub outside_bytes: f64,
    /// Network a second at the peak: servers to stores and stores to their copies.
    pub inside_bytes: f64,
}

/// The rates of `store`.
pub const fn engine(figures: &Figures, store: Store) -> &Engine {
    match store {
        Store::Sqlite => &figures.sqlite,
        Store::Postgres => &figures.postgres,
        Store::Citus => &figures.citus,
    }
}

/// Plans for `demand` with `figures`.
pub fn plan(demand: &Demand, figures: &Figures) -> Result<Plan, DemandError> {
    demand.check()?;
    let engine = engine(figures, demand.store);
    let (load, shards) = spread(demand, engine);
    let mut bytes = Bytes::of(demand.store);
    if let Some(measured) = &figures.postgres_wal
        && demand.store != Store::Sqlite
    {
        bytes.log_claim = measured.value;
    }
    let machines = machines(demand, figures, shards);
    let flows = flows(demand, &bytes, &machines);
    let fits = shards == 1 || demand.store.distributes();
    let mut plan = Plan {
        demand: demand.clone(),
        fits,
        warnings: Vec::new(),
        load,
        machines,
        bytes,
        flows,
        assumptions: Vec::new(),
    };
    plan.warnings = table::warnings(&plan, engine);
    plan.assumptions = table::assumptions(&plan, engine, figures);
    Ok(plan)
}

/// The lane of a shard, for the simulator: batches in the mix of claims and sends of the peak.
pub fn lane(demand: &Demand, figures: &Figures, bounds: Bounds) -> LaneSpec {
    let Bounds { batch_max, queue_max } = bounds;
    let engine = engine(figures, demand.store);
    let full = u32::try_from(batch_max).unwrap_or(u32::MAX);
    let rate = mixed(demand, engine);
    let service = match Service::through(&figures.batch_points) {
        // The measured curve has the right shape; its height follows the rate of the plan, which is
        // that of another store and of the mix.
        Some(curve) => {
            let factor = curve.rate(full) / rate;
            curve.slower(factor).at_least(1.0 / engine.single.value)
        }
        None => Service::from_rates(engine.single.value, rate, full),
    };
    LaneSpec { service, batch_max, queue_max }
}

/// Commands a second of one lane in full batches, in the mix of claims and sends of the peak.
pub fn lane_rate(demand: &Demand, figures: &Figures) -> u64 {
    num::whole(mixed(demand, engine(figures, demand.store)))
}

fn mixed(demand: &Demand, engine: &Engine) -> f64 {
    let seconds = 1.0 / engine.claims.value + demand.sends_per_claim / engine.sends.value;
    (1.0 + demand.sends_per_claim) / seconds
}

/// The load and how many shards it takes, so that the fullest has its headroom.
fn spread(demand: &Demand, engine: &Engine) -> (Load, u64) {
    let lane_commands = mixed(demand, engine);
    let peak_commands = demand.peak * (1.0 + demand.sends_per_claim);
    let busy_lanes = peak_commands / lane_commands;
    let allowed = 1.0 - demand.headroom;
    // A merchant shares its shard, and among others it gets less of a lane than alone.
    let of_one = allowed.min(engine.beside_others.value / engine.sends.value);
    let mut weights = demand.popularity().weights();
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let hot_parts = num::ceil(largest * busy_lanes / of_one).max(1);
    divide_large(&mut weights, of_one / busy_lanes);
    let mut shards = num::ceil(busy_lanes / allowed).max(1);
    let mut fullest = placement::place(&weights, shards).first().copied().unwrap_or(1.0);
    while fullest * busy_lanes > allowed + 1e-9 && shards < SHARDS_MAX {
        shards += shards.div_ceil(50);
        fullest = placement::place(&weights, shards).first().copied().unwrap_or(1.0);
    }
    let mean_commands = demand.packets_per_day * (1.0 + demand.claims_per_packet) / DAY_SECONDS;
    let load = Load {
        peak_commands,
        mean_commands,
        lane_commands,
        busy_lanes,
        hot_commands: peak_commands * largest,
        hot_parts,
        fullest_busy: fullest * busy_lanes,
        mean_busy: mean_commands / lane_commands / num::float(shards),
    };
    (load, shards)
}

/// Merchants above `largest` become as many equal ones as it takes.
fn divide_large(weights: &mut Vec<f64>, largest: f64) {
    let mut divided = Vec::new();
    for weight in weights.iter_mut().filter(|weight| **weight > largest) {
        let parts = num::ceil(*weight / largest);
        *weight /= num::float(parts);
        divided.extend((1..parts).map(|_| *weight));
    }
    weights.extend(divided);
}

fn machines(demand: &Demand, figures: &Figures, shards: u64) -> Machines {
    let shards_per_server = (demand.cores_per_server / demand.measured_cores).max(1);
    let per_core = figures.http_claims.value / num::float(demand.measured_cores);
    let commands = demand.peak * (1.0 + demand.sends_per_claim);
    let http_cores = num::ceil(commands / per_core / (1.0 - demand.headroom));
    Machines {
        shards,
        shards_per_server,
        store_servers: shards.div_ceil(shards_per_server) * demand.replication,
        http_cores,
        http_servers: http_cores.div_ceil(demand.cores_per_server),
    }
}

fn flows(demand: &Demand, bytes: &Bytes, machines: &Machines) -> Flows {
    let claims = demand.packets_per_day * demand.claims_per_packet;
    let day_bytes = demand.packets_per_day * bytes.packet + claims * bytes.claim;
    let kept = day_bytes * demand.retention_days + num::float(demand.users) * bytes.user;
    let copies = num::float(demand.replication);
    let disk_bytes = kept * copies / DISK_FULL;
    let shards = num::float(machines.shards);
    let sends = demand.peak * demand.sends_per_claim;
    let log_bytes = demand.peak * bytes.log_claim + sends * bytes.log_send;
    let wire = Wire::of(demand.store);
    let commands = demand.peak + sends;
    Flows {
        day_bytes,
        disk_bytes,
        server_disk_bytes: disk_bytes / num::float(machines.store_servers),
        shard_packets: demand.packets_per_day * demand.retention_days / shards,
        log_bytes,
        shard_log_bytes: log_bytes / shards,
        outside_bytes: commands * wire.outside,
        inside_bytes: commands * wire.inside + log_bytes * (copies - 1.0),
    }
}

/// A rate and where it is from, for the table.
fn described(figure: &Figure) -> String {
    let source = match figure.source {
        Source::File => "measured",
        Source::BuiltIn => "built in",
        Source::Assumed => "ASSUMED",
    };
    format!("{source}: {}", figure.note)
}
