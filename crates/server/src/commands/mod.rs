//! The commands of `hongbao`, one file each.

mod backup;
mod bench;
mod ca;
mod demo;
mod heads;
mod health;
mod migrate;
mod moving;
mod plan;
mod restore;
mod serve;
mod verify;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};

use crate::config::StoreUrl;

/// Cash red packets 现金红包: every fen accounted for.
#[derive(Debug, Parser)]
#[command(name = "hongbao", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a platform
    Serve(serve::Serve),
    /// Serve a platform with seeded merchants, users and money, and say what to try
    Demo(demo::Demo),
    /// Bring a store's schema up to date
    Migrate(migrate::Migrate),
    /// Ask a server on this machine whether it is alive; fails if not
    Health(health::Health),
    /// Check the books of a store, one line per invariant; fails if any is broken
    Verify(verify::Verify),
    /// Print the head of every journal, to be kept away from the store
    Heads(heads::Heads),
    /// Copy a store at one moment into a new folder, beside a running server
    Backup(backup::Backup),
    /// Put a backup in place: checked in full first, and never over anything
    Restore(restore::Restore),
    /// Move a store to another database: SQLite to PostgreSQL, or back
    Move(moving::Move),
    /// Issue, list and revoke merchants' certificates
    Ca(ca::Ca),
    /// Measure this machine and print the figures
    Bench(bench::Bench),
    /// Claim what a file says, at the word of the benchmark that started it
    #[command(hide = true)]
    BenchClaims(bench::BenchClaims),
    /// Say how large an installation must be, and simulate it under load
    Plan(plan::PlanCommand),
}

/// For closing the store after a command: folding a log of 256 MiB takes under a second.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a command ends with: nothing to say, or a sentence for a person.
type Done = Result<(), Failed>;

/// A sentence for a person.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(serve) => serve.run().await,
            Command::Demo(demo) => demo.run().await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Health(health) => health.run().await,
            Command::Verify(verify) => verify.run().await,
            Command::Heads(heads) => heads.run().await,
            Command::Backup(backup) => backup.run().await,
            Command::Restore(restore) => restore.run().await,
            Command::Move(moving) => moving.run().await,
            Command::Ca(ca) => ca.run().await,
            Command::Bench(bench) => bench.run().await,
            Command::BenchClaims(claims) => claims.run().await,
            Command::Plan(plan) => plan.run(),
        }
    });
    // Long enough for the store to be closed and its log folded in. A full check that still reads is
    // not waited for: nothing durable depends on it.
    runtime.shutdown_timeout(CLOSE_TIMEOUT);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    // With the terminal gone there is nobody to tell.
    drop(writeln!(io::stderr(), "hongbao: {error}"));
    ExitCode::FAILURE
}

/// Prints a line to the terminal.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Which store a command looks at.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StoreFlags {
    /// The store: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL", required_unless_present = "data")]
    store: Option<StoreUrl>,
    /// Short for the SQLite store in this directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl StoreFlags {
    /// The store; a data directory's is `hongbao.db`.
    fn url(&self) -> StoreUrl {
        match (&self.store, &self.data) {
            (Some(url), _) => url.clone(),
            (None, Some(data)) => StoreUrl::in_directory(data),
            (None, None) => StoreUrl::in_directory(std::path::Path::new(".")),
        }
    }
}
