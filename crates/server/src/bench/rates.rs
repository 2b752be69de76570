//! Claims and sends a second on SQLite, of the engine and over HTTP.

use std::{path::Path, sync::Arc, time::Duration};

use super::{
    BenchError, Plan, disk, engine, per_second, percentile_ms,
    platform::{Bench, Kind, Scratch, Size},
    report::{HalfOfPeak, Round, SqliteFigures, median},
    web::WebBench,
};
use crate::commands::say;

/// Single transactions before the engine's claims, and as many after them: a second's worth or two each,
/// for from one second to the next the disk takes half or twice as long.
const SINGLE_CLAIMS: u64 = 5_000;
/// Synced appends of one round.
const APPENDS: u32 = 2_000;

/// All rounds, and the waits at half of the peak.
pub(super) async fn run(
    plan: &Plan,
    scratch: &Scratch,
    figures: &mut SqliteFigures,
) -> Result<(), BenchError> {
    let size = Size { merchants: 1, users: plan.users, packets: plan.packets };
    let mut bench = Kind::Sqlite.fill(scratch, "rates", size).await?;
    let web = WebBench::start(&bench.app).await?;
    bench.data.introduce(&bench.app).await?;
    for number in 1..=plan.rounds {
        say(&format!("SQLite: round {number} of {} …", plan.rounds))?;
        figures.rounds.push(round(plan, &scratch.path, &mut bench, &web).await?);
    }
    let peak = median(figures.rounds.iter().map(|round| round.http_claims));
    let packets = bench.take(plan.claims).await?;
    let half = web.claims(&bench.data, &packets, plan.connections, Some(peak / 2.0)).await?;
    figures.half_of_peak = Some(HalfOfPeak {
        p50_ms: percentile_ms(&half.latencies, 50),
        p99_ms: percentile_ms(&half.latencies, 99),
    });
    Ok(())
}

async fn round(
    plan: &Plan,
    directory: &Path,
    bench: &mut Bench,
    web: &WebBench,
) -> Result<Round, BenchError> {
    let appends = usize::try_from(APPENDS).map_err(BenchError::other)?;
    let fdatasync = per_second(appends, disk::synced_appends(directory, APPENDS)?);
    let singles_before = one_by_one(bench).await?;
    let packets = bench.take(plan.claims).await?;
    let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
    let engine_claims = per_second(packets.len(), elapsed);
    let singles = singles_before + one_by_one(bench).await?;
    let count = usize::try_from(2 * SINGLE_CLAIMS).map_err(BenchError::other)?;
    let single_claims = per_second(count, singles);
    let first = bench.data.packets + 1;
    let elapsed = bench.data.send(&bench.app, plan.claims).await?;
    let engine_sends = per_second(packets.len(), elapsed);
    bench.unclaimed.splice(0..0, first..first + plan.claims);
    let packets = bench.take(plan.claims).await?;
    let http = web.claims(&bench.data, &packets, plan.connections, None).await?;
    let echo = web.echo(packets.len(), plan.connections).await?;
    Ok(Round {
        fdatasync,
        single_claims,
        engine_claims,
        engine_sends,
        http_claims: http.rate(),
        echo: echo.rate(),
    })
}

/// How long single transactions take for [`SINGLE_CLAIMS`].
async fn one_by_one(bench: &mut Bench) -> Result<Duration, BenchError> {
    let packets = bench.take(SINGLE_CLAIMS).await?;
    let store = Arc::clone(bench.app.store());
    engine::claims_one_by_one(store.as_ref(), &bench.data, &packets).await
}
