//! `hongbao plan`.

use std::{fs, path::PathBuf};

use clap::{Args, ValueEnum};
use hongbao_app::executor::Pace;
use hongbao_plan::{
    capacity::{self, Bounds, Demand, Plan, Store},
    figures::Figures,
    sim::{
        self, Outcome,
        scenario::{SCENARIOS, Scenario},
    },
    svg,
};

use super::{Done, say};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Say how large an installation must be, and let it be simulated.
#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    /// Claims a second at the peak
    #[arg(long, value_name = "N", default_value_t = 760_000.0)]
    peak: f64,
    /// Packets sent a day
    #[arg(long, value_name = "N", default_value_t = 14_200_000_000.0)]
    packets_per_day: f64,
    /// Claims of a packet; 1 for normal ones
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    claims_per_packet: f64,
    /// Sends for each claim at the peak
    #[arg(long, value_name = "N", default_value_t = 0.39)]
    sends_per_claim: f64,
    /// The part of every lane that stays free at the peak
    #[arg(long, value_name = "PART", default_value_t = 0.33)]
    headroom: f64,
    /// Days that packets and journals stay on fast disks
    #[arg(long, value_name = "DAYS", default_value_t = 30.0)]
    retention_days: f64,
    /// Copies of everything stored, the first included
    #[arg(long, value_name = "N", default_value_t = 3)]
    replication: u64,
    /// Merchants
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    merchants: u64,
    /// Users with wallets
    #[arg(long, value_name = "N", default_value_t = 800_000_000)]
    users: u64,
    /// The part of all load that the largest merchant has
    #[arg(long, value_name = "PART", default_value_t = 0.005)]
    hot_merchant_share: f64,
    /// How unlike the other merchants are: the exponent of Zipf's law, 0 for all alike
    #[arg(long, value_name = "S", default_value_t = 0.6)]
    zipf: f64,
    /// What holds the money
    #[arg(long, value_name = "STORE", default_value = "citus")]
    store: StoreName,
    /// Cores of one server
    #[arg(long, value_name = "N", default_value_t = 32)]
    cores_per_server: u64,
    /// Cores of the machine on which the figures were measured
    #[arg(long, value_name = "N", default_value_t = 2)]
    measured_cores: u64,
    /// Figures that `hongbao bench` wrote; without it those of docs/BENCHMARKS.md
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,
    /// Print JSON instead of a table; with a simulation, its series too
    #[arg(long)]
    json: bool,
    /// Also simulate: new-years-eve, hot-merchant, dead-shard or over-plan
    #[arg(long, value_name = "SCENARIO")]
    simulate: Option<String>,
    /// Another row of random numbers
    #[arg(long, value_name = "N", requires = "simulate")]
    seed: Option<u64>,
    /// Where the drawing of the simulation goes
    #[arg(long, value_name = "FILE", requires = "simulate")]
    svg: Option<PathBuf>,
    /// Where the series of the simulation goes as JSON
    #[arg(long, value_name = "FILE", requires = "simulate")]
    series: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StoreName {
    /// One file, one writer, one server
    Sqlite,
    /// One primary, any number of servers
    Postgres,
    /// As many workers as it takes
    Citus,
}

impl PlanCommand {
    pub(super) fn run(&self) -> Done {
        let figures = self.read_figures()?;
        let demand = self.demand();
        let plan = capacity::plan(&demand, &figures).map_err(|error| format!("--{error}"))?;
        let simulated = match &self.simulate {
            Some(name) => Some(self.simulate(name, &plan, &figures)?),
            None => None,
        };
        if self.json {
            let both = serde_json::json!({ "plan": plan, "simulation": simulated });
            return Ok(say(&serde_json::to_string_pretty(&both)?)?);
        }
        say(&plan.to_string())?;
        let from = self.figures.as_ref().map_or("built in".to_owned(), |f| f.display().to_string());
        say(&format!("figures: {from}"))?;
        if let Some(outcome) = &simulated {
            say(&told(outcome))?;
        }
        Ok(())
    }

    fn read_figures(&self) -> Result<Figures, Error> {
        let Some(path) = &self.figures else { return Ok(Figures::built_in()) };
        let name = path.display().to_string();
        let json = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        Ok(Figures::read(&json, &name).map_err(|error| format!("{name}: {error}"))?)
    }

    fn demand(&self) -> Demand {
        Demand {
            peak: self.peak,
            packets_per_day: self.packets_per_day,
            claims_per_packet: self.claims_per_packet,
            sends_per_claim: self.sends_per_claim,
            headroom: self.headroom,
            retention_days: self.retention_days,
            replication: self.replication,
            merchants: self.merchants,
            users: self.users,
            hot_share: self.hot_merchant_share,
            zipf: self.zipf,
            store: match self.store {
                StoreName::Sqlite => Store::Sqlite,
                StoreName::Postgres => Store::Postgres,
                StoreName::Citus => Store::Citus,
            },
            cores_per_server: self.cores_per_server,
            measured_cores: self.measured_cores,
        }
    }

    fn simulate(&self, name: &str, plan: &Plan, figures: &Figures) -> Result<Outcome, Error> {
        let known = SCENARIOS.iter().find(|(known, _)| *known == name);
        let names = SCENARIOS.map(|(known, _)| known).join(", ");
        let unknown = || format!("--simulate: there is no {name}; there are {names}");
        let (_, about) = known.ok_or_else(unknown)?;
        let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let pace = Pace::of_rate(capacity::lane_rate(&plan.demand, figures));
        let bounds = Bounds { batch_max: size(pace.batch_max()), queue_max: size(pace.places()) };
        let lane = capacity::lane(&plan.demand, figures, bounds);
        let (peak, shards) = (plan.load.peak_commands, plan.machines.shards);
        let mut scenario = Scenario::named(name, peak, shards, lane, plan.demand.popularity())
            .ok_or_else(unknown)?;
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        let outcome = sim::run(&scenario)?;
        if let Some(path) = &self.svg {
            write(path, &svg::draw(&scenario, about, &outcome)?)?;
        }
        if let Some(path) = &self.series {
            write(path, &serde_json::to_string(&outcome)?)?;
        }
        Ok(outcome)
    }
}

fn write(path: &PathBuf, text: &str) -> Result<(), Error> {
    Ok(fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// A simulation in a few lines.
fn told(outcome: &Outcome) -> String {
    let total = &outcome.total;
    let millis = |nanos: u64| std::time::Duration::from_nanos(nanos).as_secs_f64() * 1e3;
    format!(
        "\nsimulated {}: {} shards, seed {}\n  \
         {} callers, {} tries: {} accepted, {} sent away, {} failed, {} inside at the end\n  \
         {} callers gave up, {} were between two tries at the end\n  \
         waits of accepted tries: p50 {:.0} ms, p99 {:.0} ms, p99.9 {:.0} ms\n  \
         most inside one shard: {}; commands of a batch on average: {:.0}",
        outcome.scenario,
        outcome.shards,
        outcome.seed,
        total.callers,
        total.offered,
        total.accepted,
        total.shed,
        total.failed,
        total.inside,
        total.gave_up,
        total.between_tries,
        millis(total.p50_nanos),
        millis(total.p99_nanos),
        millis(total.p999_nanos),
        total.fullest,
        total.mean_batch(),
    )
}
