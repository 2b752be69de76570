//! Figures as a table for people and JSON for programs.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{Plan, load::LoadResult};

/// Rates of one round, each a second.
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

/// Rates of one round on PostgreSQL, each a second.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PostgresRound {
    /// Claims through executor and store, over many merchants.
    pub engine_claims: f64,
    /// Sends of one merchant through executor and store.
    pub engine_sends: f64,
    /// Claims by stored procedure, over many merchants, at 1, 8 and 32 clients.
    pub procedure_claims: [f64; 3],
    /// Sends of one merchant by stored procedure, at 1, 8 and 32 clients.
    pub procedure_sends: [f64; 3],
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Packets stored before the first round.
    pub packets: u64,
    /// Users with wallets.
    pub users: u64,
    /// Connections of the load generator.
    pub connections: usize,
    /// Rates round by round.
    pub rounds: Vec<Round>,
    /// Rates on PostgreSQL, round by round; empty when not measured.
    pub postgres_rounds: Vec<PostgresRound>,
    /// Claims a second in a small and in a large store, round by round.
    pub size_rounds: Vec<[f64; 2]>,
    /// Waiting time of the median claim over HTTP at half of peak, in milliseconds.
    pub p50_ms: f64,
    /// Waiting time that 99 of 100 claims stay below at half of peak, in milliseconds.
    pub p99_ms: f64,
    /// The most memory that the process, load generator included, ever held.
    pub peak_memory_mib: u64,
}

impl Figures {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            packets: plan.packets,
            users: plan.users,
            connections: plan.connections,
            rounds: Vec::new(),
            postgres_rounds: Vec::new(),
            size_rounds: Vec::new(),
            p50_ms: 0.0,
            p99_ms: 0.0,
            peak_memory_mib: 0,
        }
    }

    pub(super) fn latency(&mut self, half: &LoadResult) {
        let millis = |elapsed: Duration| elapsed.as_secs_f64() * 1_000.0;
        self.p50_ms = millis(half.percentile(50));
        self.p99_ms = millis(half.percentile(99));
    }

    /// The median over rounds.
    pub(super) fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(figure))
    }

    fn postgres(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.postgres_rounds.is_empty() {
            return Ok(());
        }
        let of =
            |figure: fn(&PostgresRound) -> f64| median(self.postgres_rounds.iter().map(figure));
        let sqlite = self.median(|round| round.engine_claims);
        let claims = of(|round| best(round.procedure_claims));
        writeln!(f, "PostgreSQL: procedure, claims                {claims:>10.0}/s   yardstick")?;
        let engine = of(|round| round.engine_claims);
        let times = of(|round| round.engine_claims / best(round.procedure_claims));
        writeln!(
            f,
            "PostgreSQL: engine, durable claims           {engine:>10.0}/s   {times:.1} × (bar 2.5); SQLite {:.1} × (bar 7)",
            sqlite / claims
        )?;
        let sends = of(|round| best(round.procedure_sends));
        writeln!(f, "PostgreSQL: procedure, sends of one merchant {sends:>10.0}/s   yardstick")?;
        let engine = of(|round| round.engine_sends);
        let times = of(|round| round.engine_sends / best(round.procedure_sends));
        writeln!(
            f,
            "PostgreSQL: engine, sends of one merchant    {engine:>10.0}/s   {times:.1} × (bar 30)"
        )
    }

    /// How many times slower a claim is in the large store; `None` when not measured.
    fn size_ratio(&self) -> Option<f64> {
        let ratios = self.size_rounds.iter().map(|[small, large]| small / large);
        (!self.size_rounds.is_empty()).then(|| median(ratios))
    }
}

fn best(rates: [f64; 3]) -> f64 {
    rates.into_iter().fold(0.0, f64::max)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, rate: f64, against: String| {
            writeln!(f, "{name:<44} {rate:>10.0}/s   {against}")
        };
        let single = self.median(|round| round.single_claims);
        let claims = self.median(|round| round.engine_claims);
        let echo = self.median(|round| round.echo);
        let against = |figure: fn(&Round) -> f64, yardstick: fn(&Round) -> f64| {
            self.median(|round| figure(round) / yardstick(round))
        };
        writeln!(
            f,
            "medians of {} rounds; {} packets, {} users, {} connections",
            self.rounds.len(),
            self.packets,
            self.users,
            self.connections
        )?;
        row(
            f,
            "disk: 4 KiB append + fdatasync",
            self.median(|round| round.fdatasync),
            String::new(),
        )?;
        row(
            f,
            "store: one durable transaction per claim",
            single,
            "yardstick of the engine".to_owned(),
        )?;
        let times = against(|round| round.engine_claims, |round| round.single_claims);
        row(
            f,
            "engine: durable claims",
            claims,
            format!("{times:.1} × one per transaction (bar 20)"),
        )?;
        let times = against(|round| round.engine_sends, |round| round.engine_claims);
        let sends = self.median(|round| round.engine_sends);
        row(
            f,
            "engine: durable sends, one hot merchant",
            sends,
            format!("{times:.2} × claims (bar 1)"),
        )?;
        row(f, "HTTP: bare echo", echo, "yardstick of HTTP".to_owned())?;
        let times = against(|round| round.http_claims, |round| round.echo);
        let http = self.median(|round| round.http_claims);
        row(f, "HTTP: durable claims", http, format!("{times:.2} × echo (bar 0.20)"))?;
        writeln!(
            f,
            "HTTP claims at half of peak: p50 {:.1} ms, p99 {:.1} ms",
            self.p50_ms, self.p99_ms
        )?;
        self.postgres(f)?;
        if let Some(ratio) = self.size_ratio() {
            writeln!(
                f,
                "cost per claim, 10 M packets and 1 M users ÷ 100 k and 10 k: {ratio:.2} (bar 2)"
            )?;
        }
        write!(f, "peak memory, load generator included: {} MiB (bar 1024)", self.peak_memory_mib)
    }
}
