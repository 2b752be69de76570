//! The engine on PostgreSQL, beside the best stored procedure for the same claim and the same send.
//!
//! Both have 1,000 merchants, so that claims are not held up by one merchant's row; sends are one
//! merchant's, which is the hard case. The procedure runs one transaction a call, as callers of a
//! procedure do, from `pgbench` at 1, 8 and 32 clients; its best figure is the yardstick.

use std::{fs, path::Path, process::Command};

use hongbao_store::postgres::PostgresUrl;

use super::{
    BenchError, Plan, engine, per_second,
    report::PostgresRound,
    rounds::{Bench, Size},
};
use crate::{commands::say, config::StoreUrl};

/// Merchants, as many as a busy day has at once.
pub(super) const MERCHANTS: u64 = 1_000;
/// Clients of the procedure; the best counts.
const CLIENTS: [u32; 3] = [1, 8, 32];
/// How long each number of clients runs.
const SECONDS: u32 = 4;
const PROCEDURE: &str = include_str!("procedure.sql");
/// The hot merchant of the procedure, and the number below the first merchant.
const HOT: u64 = 1_900_000_000;

/// Two databases of the same size: the engine's and the procedure's.
pub(super) struct PostgresBench {
    engine: Bench,
    hot: super::dataset::Dataset,
    procedure: PostgresUrl,
    size: Size,
}

impl PostgresBench {
    /// Fills both on the server at `url`, each in a namespace of its own.
    pub(super) async fn create(plan: &Plan, url: &PostgresUrl) -> Result<Self, BenchError> {
        let size = Size { merchants: MERCHANTS, users: plan.users, packets: plan.packets };
        say("filling a PostgreSQL store for the engine and one for the procedure …")?;
        let namespace =
            |name: &str| url.in_namespace(&format!("bench_{name}_{}", std::process::id()));
        let procedure = namespace("procedure");
        let other = Bench::create(&StoreUrl::Postgres(procedure.clone()), size).await?;
        other.data.hot_merchant(&other.app).await?;
        drop(other);
        run_sql(&procedure, PROCEDURE)?;
        let engine = Bench::create(&StoreUrl::Postgres(namespace("engine")), size).await?;
        let hot = engine.data.hot_merchant(&engine.app).await?;
        run_sql(&procedure, "VACUUM ANALYZE\n\nCHECKPOINT")?;
        Ok(Self { engine, hot, procedure, size })
    }

    /// One round of all figures.
    pub(super) async fn round(
        &mut self,
        plan: &Plan,
        directory: &Path,
    ) -> Result<PostgresRound, BenchError> {
        let packets = self.engine.take(plan.claims).await?;
        let elapsed = engine::claims(&self.engine.app, &self.engine.data, &packets).await?;
        let engine_claims = per_second(packets.len(), elapsed);
        let elapsed = self.hot.send(&self.engine.app, plan.claims).await?;
        let engine_sends = per_second(packets.len(), elapsed);
        let Size { merchants, users, packets } = self.size;
        let claim = format!("SELECT bench_claim({packets}, {merchants}, {HOT});");
        let send = format!("SELECT bench_send({HOT}, {users});");
        Ok(PostgresRound {
            engine_claims,
            engine_sends,
            procedure_claims: self.procedure_rates(directory, &claim)?,
            procedure_sends: self.procedure_rates(directory, &send)?,
        })
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

/// Runs statements that a blank line parts, each by itself.
fn run_sql(url: &PostgresUrl, sql: &str) -> Result<(), BenchError> {
    let mut command = Command::new("psql");
    command.args(["-q", "-v", "ON_ERROR_STOP=1"]).arg(url.for_programs());
    for statement in sql.split("\n\n") {
        command.arg("-c").arg(statement);
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(BenchError::Other(format!("psql: {}", String::from_utf8_lossy(&output.stderr))))
}
