//! The engine on PostgreSQL, beside the best stored procedure for the same claim and the same send.
//!
//! Both have 1,000 merchants, so that claims are not held up by one merchant's row; sends are one
//! merchant's, which is the hard case. The procedure runs one transaction a call, as callers of a
//! procedure do, from `pgbench` at 1, 8 and 32 clients; its best figure is the yardstick.

use std::{fs, path::Path, process::Command, sync::Arc};

use hongbao_store::postgres::PostgresUrl;

use super::{
    BenchError, Plan,
    dataset::Dataset,
    engine, float, per_second,
    platform::{Bench, MERCHANTS, Scratch, Size},
    processes, psql,
    report::{PostgresFigures, PostgresRound},
};
use crate::{commands::say, config::StoreUrl};

/// Clients of the procedure; the best counts.
const CLIENTS: [u32; 3] = [1, 8, 32];
/// How long each number of clients runs.
const SECONDS: u32 = 4;
const PROCEDURE: &str = include_str!("procedure.sql");
/// The hot merchant of the procedure, and the number below the first merchant.
const HOT: u64 = 1_900_000_000;

/// Claims with one transaction each: about a second's worth.
const SINGLE_CLAIMS: u64 = 1_000;

/// All rounds.
pub(super) async fn run(
    plan: &Plan,
    scratch: &Scratch,
    figures: &mut PostgresFigures,
) -> Result<(), BenchError> {
    let mut bench = PostgresBench::create(plan, scratch).await?;
    for number in 1..=plan.rounds {
        say(&format!("PostgreSQL: round {number} of {} …", plan.rounds))?;
        figures.rounds.push(bench.round(plan, &scratch.path).await?);
    }
    Ok(())
}

/// Two databases of the same size: the engine's and the procedure's.
struct PostgresBench {
    engine: Bench,
    url: PostgresUrl,
    hot: Dataset,
    procedure: PostgresUrl,
    size: Size,
}

impl PostgresBench {
    /// Fills both, each in a namespace of its own.
    async fn create(plan: &Plan, scratch: &Scratch) -> Result<Self, BenchError> {
        let size = Size { merchants: MERCHANTS, users: plan.users, packets: plan.packets };
        say("filling a PostgreSQL store for the engine and one for the procedure …")?;
        let procedure = scratch.namespace("procedure")?;
        let other = Bench::create(&StoreUrl::Postgres(procedure.clone()), size).await?;
        other.data.hot_merchant(&other.app).await?;
        drop(other);
        psql::run(&procedure, PROCEDURE)?;
        let url = scratch.namespace("engine")?;
        let engine = Bench::create(&StoreUrl::Postgres(url.clone()), size).await?;
        let hot = engine.data.hot_merchant(&engine.app).await?;
        psql::run(&procedure, "VACUUM ANALYZE\n\nCHECKPOINT")?;
        Ok(Self { engine, url, hot, procedure, size })
    }

    /// One round of all figures.
    async fn round(&mut self, plan: &Plan, directory: &Path) -> Result<PostgresRound, BenchError> {
        let packets = self.engine.take(SINGLE_CLAIMS).await?;
        let store = Arc::clone(self.engine.app.store());
        let elapsed =
            engine::claims_one_by_one(store.as_ref(), &self.engine.data, &packets).await?;
        let single_claims = per_second(packets.len(), elapsed);
        let packets = self.engine.take(plan.claims).await?;
        let log_before = log_position(&self.url)?;
        let elapsed = engine::claims(&self.engine.app, &self.engine.data, &packets).await?;
        let wal_bytes = log_position(&self.url)? - log_before;
        let engine_claims = per_second(packets.len(), elapsed);
        let elapsed = self.hot.send(&self.engine.app, plan.claims).await?;
        let engine_sends = per_second(packets.len(), elapsed);
        let one_process = self.process_claims(plan, directory, 1).await?;
        let two_processes = self.process_claims(plan, directory, 2).await?;
        let Size { merchants, users, packets: stored } = self.size;
        let claim = format!("SELECT bench_claim({stored}, {merchants}, {HOT});");
        let send = format!("SELECT bench_send({HOT}, {users});");
        Ok(PostgresRound {
            single_claims,
            engine_claims,
            engine_sends,
            wal_bytes_per_claim: wal_bytes / float(packets.len()),
            one_process,
            two_processes,
            procedure_claims: self.procedure_rates(directory, &claim)?,
            procedure_sends: self.procedure_rates(directory, &send)?,
        })
    }

    /// Claims a second by processes of their own.
    async fn process_claims(
        &mut self,
        plan: &Plan,
        directory: &Path,
        processes: usize,
    ) -> Result<f64, BenchError> {
        let packets = self.engine.take(plan.claims).await?;
        let data = &self.engine.data;
        let elapsed = processes::claims(&self.url, directory, data, &packets, processes).await?;
        Ok(per_second(packets.len(), elapsed))
    }

    fn procedure_rates(&self, directory: &Path, call: &str) -> Result<[f64; 3], BenchError> {
        let script = directory.join("procedure.pgbench");
        fs::write(&script, call)?;
        let mut rates = [0.0; 3];
        for (rate, clients) in rates.iter_mut().zip(CLIENTS) {
            *rate = pgbench(&self.procedure, &script, clients)?;
        }
        Ok(rates)
    }
}

/// Transactions a second. `pgbench` fails when a call does, so every one counted took effect.
fn pgbench(url: &PostgresUrl, script: &Path, clients: u32) -> Result<f64, BenchError> {
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-j", "2", "-T"])
        .arg(SECONDS.to_string())
        .args(["-c", &clients.to_string(), "-f"])
        .arg(script)
        .arg(url.for_programs())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    tps.filter(|_| output.status.success()).ok_or_else(|| {
        BenchError::Other(format!("pgbench: {}{text}", String::from_utf8_lossy(&output.stderr)))
    })
}

/// How many bytes of log the server has written. Whatever else it does meanwhile is in it.
fn log_position(url: &PostgresUrl) -> Result<f64, BenchError> {
    let position = psql::run(url, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")?;
    position.trim().parse().map_err(BenchError::other)
}
