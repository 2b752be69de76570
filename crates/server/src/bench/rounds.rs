//! The rounds of a run.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use hongbao_app::{
    App,
    ports::{Clock, SystemClock, SystemRng},
    vault::Vault,
};

use super::{
    BenchError, Figures, Plan,
    dataset::{Dataset, scatter},
    disk, engine, per_second,
    postgres::PostgresBench,
    report::Round,
    web::WebBench,
};
use crate::{
    commands::say,
    config::StoreUrl,
    running::{migrate_store, open_store},
};

/// Single transactions of one round: about a second's worth.
const SINGLE_CLAIMS: u64 = 2_000;
/// Synced appends of one round.
const APPENDS: u32 = 2_000;
/// The two sizes whose cost per claim is compared.
const SMALL: Size = Size { merchants: 1, users: 10_000, packets: 100_000 };
const LARGE: Size = Size { merchants: 1, users: 1_000_000, packets: 10_000_000 };

/// What a store for measuring holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) merchants: u64,
    pub(super) users: u64,
    pub(super) packets: u64,
}

/// A platform for measuring, and the packets not claimed yet in scattered order.
pub(super) struct Bench {
    pub(super) app: Arc<App>,
    pub(super) data: Dataset,
    pub(super) unclaimed: Vec<u64>,
}

impl Bench {
    pub(super) async fn create(url: &StoreUrl, size: Size) -> Result<Self, BenchError> {
        let Size { merchants, users, packets } = size;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        migrate_store(url).await.map_err(BenchError::other)?;
        let store = open_store(url, &clock).await.map_err(BenchError::other)?;
        let rng = Arc::new(SystemRng);
        let vault = Vault::open_with(&Vault::new_master_key(rng.as_ref()));
        let app = App::start(store, clock, rng, vault.map_err(BenchError::other)?);
        let mut data = Dataset::create(&app, merchants, users).await?;
        data.send(&app, packets).await?;
        let mut unclaimed: Vec<u64> = (1..=packets).collect();
        unclaimed.sort_unstable_by_key(|&no| scatter(no));
        Ok(Self { app, data, unclaimed })
    }

    /// Takes packets to claim; when few are left, sends more first.
    pub(super) async fn take(&mut self, count: u64) -> Result<Vec<u64>, BenchError> {
        let count = usize::try_from(count).map_err(BenchError::other)?;
        if self.unclaimed.len() < count {
            let (first, more) = (self.data.packets + 1, u64::try_from(4 * count).unwrap_or(0));
            self.data.send(&self.app, more).await?;
            self.unclaimed.extend(first..first + more);
        }
        let from = self.unclaimed.len() - count;
        Ok(self.unclaimed.split_off(from))
    }
}

/// Runs everything in `plan`.
pub(super) async fn run(plan: &Plan) -> Result<Figures, BenchError> {
    let directory = Scratch::make(plan.data.as_deref())?;
    let mut figures = Figures::new(plan);
    if !plan.only_postgres {
        sqlite(plan, &directory.path, &mut figures).await?;
    }
    if let Some(url) = &plan.postgres {
        let mut bench = PostgresBench::create(plan, url).await?;
        for number in 1..=plan.rounds {
            say(&format!("PostgreSQL round {number} of {} …", plan.rounds))?;
            figures.postgres_rounds.push(bench.round(plan, &directory.path).await?);
        }
    }
    if plan.scale {
        compare_sizes(plan, &directory.path, &mut figures).await?;
    }
    figures.peak_memory_mib = peak_memory_mib();
    Ok(figures)
}

/// Engine and HTTP on SQLite.
async fn sqlite(plan: &Plan, directory: &Path, figures: &mut Figures) -> Result<(), BenchError> {
    say(&format!("filling a store with {} packets and {} users …", plan.packets, plan.users))?;
    let store = directory.join("main");
    let size = Size { merchants: 1, users: plan.users, packets: plan.packets };
    let mut bench = Bench::create(&StoreUrl::in_directory(&store), size).await?;
    let web = WebBench::start(&bench.app).await?;
    for number in 1..=plan.rounds {
        say(&format!("round {number} of {} …", plan.rounds))?;
        figures.rounds.push(round(plan, directory, &mut bench, &web).await?);
    }
    let peak = figures.median(|round| round.http_claims);
    let packets = bench.take(plan.claims).await?;
    let half = web.claims(&bench.data, &packets, plan.connections, Some(peak / 2.0)).await?;
    figures.latency(&half);
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
    let packets = bench.take(SINGLE_CLAIMS).await?;
    let store = Arc::clone(bench.app.store());
    let elapsed = engine::claims_one_by_one(store.as_ref(), &bench.data, &packets).await?;
    let single_claims = per_second(packets.len(), elapsed);
    let packets = bench.take(plan.claims).await?;
    let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
    let engine_claims = per_second(packets.len(), elapsed);
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

/// Cost per claim in a large store against a small one, round by round in turn.
async fn compare_sizes(
    plan: &Plan,
    directory: &Path,
    figures: &mut Figures,
) -> Result<(), BenchError> {
    say("filling a small and a large store …")?;
    let store = |name| StoreUrl::in_directory(&directory.join(name));
    let mut small = Bench::create(&store("small"), SMALL).await?;
    let mut large = Bench::create(&store("large"), LARGE).await?;
    for number in 1..=plan.rounds {
        say(&format!("size round {number} of {} …", plan.rounds))?;
        let mut rates = [0.0; 2];
        for (rate, bench) in rates.iter_mut().zip([&mut small, &mut large]) {
            // A tenth of the small store a round, so that it stays what it is.
            let packets = bench.take(SMALL.packets / 10).await?;
            let elapsed = engine::claims(&bench.app, &bench.data, &packets).await?;
            *rate = per_second(packets.len(), elapsed);
        }
        figures.size_rounds.push(rates);
    }
    Ok(())
}

/// The most memory this process ever held, in MiB; 0 where the system does not tell.
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1_024
}

/// A directory that goes away at the end, unless a person named it.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    keep: bool,
}

impl Scratch {
    pub(super) fn make(named: Option<&Path>) -> Result<Self, BenchError> {
        let keep = named.is_some();
        let own = std::env::temp_dir().join(format!("hongbao-bench-{}", std::process::id()));
        let path = named.map_or(own, Path::to_path_buf);
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, keep })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is a temporary file more.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
