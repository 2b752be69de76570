//! Platforms for measuring, and where their files lie.

use std::{path::PathBuf, sync::Arc};

use hongbao_app::{
    App,
    ports::{Clock, SystemClock, SystemRng},
    vault::Vault,
};
use hongbao_store::postgres::PostgresUrl;

use super::{
    BenchError, Plan,
    dataset::{Dataset, scatter},
    psql,
};
use crate::{
    commands::say,
    config::StoreUrl,
    running::{migrate_store, open_store},
};

/// Merchants where one would not show what there is to see.
pub(super) const MERCHANTS: u64 = 1_000;

/// Drops the namespaces of the process `PID`.
const DROP_NAMESPACES: &str = r"DO $$
DECLARE namespace text;
BEGIN
    FOR namespace IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'bench\_%\_PID' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', namespace);
    END LOOP;
END $$";

/// What a store for measuring holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) merchants: u64,
    pub(super) users: u64,
    pub(super) packets: u64,
}

/// Most packets that are sent for rounds to come.
const SENT_AHEAD_MAX: usize = 1_000_000;

/// A platform for measuring, and the packets not claimed yet in scattered order.
pub(super) struct Bench {
    pub(super) app: Arc<App>,
    pub(super) data: Dataset,
    pub(super) unclaimed: Vec<u64>,
}

impl Bench {
    /// An empty store at `url`, filled.
    pub(super) async fn create(url: &StoreUrl, size: Size) -> Result<Self, BenchError> {
        let Size { merchants, users, packets } = size;
        migrate_store(url).await.map_err(BenchError::other)?;
        let app = open(url).await?;
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
            // For some rounds to come, but an overload takes millions and has one.
            let more = count.max(SENT_AHEAD_MAX.min(4 * count));
            let (first, more) = (self.data.packets + 1, u64::try_from(more).unwrap_or(0));
            self.data.send(&self.app, more).await?;
            self.unclaimed.extend(first..first + more);
            self.unclaimed.sort_unstable_by_key(|&no| scatter(no));
        }
        let from = self.unclaimed.len() - count;
        Ok(self.unclaimed.split_off(from))
    }
}

/// The use cases over the store at `url`, under a master key that nobody keeps.
pub(super) async fn open(url: &StoreUrl) -> Result<Arc<App>, BenchError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let store = open_store(url, &clock).await.map_err(BenchError::other)?;
    let rng = Arc::new(SystemRng);
    let vault = Vault::open_with(&Vault::new_master_key(rng.as_ref()));
    Ok(App::start(store, clock, rng, vault.map_err(BenchError::other)?))
}

/// A place for stores: a directory, and namespaces on the PostgreSQL server that the plan names.
/// What nobody asked to keep goes when it is dropped.
pub(super) struct Scratch {
    pub(super) path: PathBuf,
    postgres: Option<PostgresUrl>,
    keep: bool,
}

impl Scratch {
    pub(super) fn make(plan: &Plan) -> Result<Self, BenchError> {
        let own = std::env::temp_dir().join(format!("hongbao-bench-{}", std::process::id()));
        let path = plan.data.clone().unwrap_or(own);
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, postgres: plan.postgres.clone(), keep: plan.data.is_some() })
    }

    /// Where the store `name` of this kind lies.
    pub(super) fn store(&self, kind: Kind, name: &str) -> Result<StoreUrl, BenchError> {
        Ok(match kind {
            Kind::Sqlite => StoreUrl::in_directory(&self.path.join(name)),
            Kind::Postgres => StoreUrl::Postgres(self.namespace(name)?),
        })
    }

    /// The namespace `name` on the PostgreSQL server.
    pub(super) fn namespace(&self, name: &str) -> Result<PostgresUrl, BenchError> {
        let none = || BenchError::Other("no PostgreSQL server is named".to_owned());
        let url = self.postgres.as_ref().ok_or_else(none)?;
        Ok(url.in_namespace(&format!("bench_{name}_{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // What cannot be removed is a temporary file more, or a namespace with a telling name.
        drop(std::fs::remove_dir_all(&self.path));
        if let Some(url) = &self.postgres {
            drop(psql::run(url, &DROP_NAMESPACES.replace("PID", &std::process::id().to_string())));
        }
    }
}

/// The kinds of store that a plan measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// Those that `plan` asks for.
    pub(super) fn of(plan: &Plan) -> Vec<Self> {
        let sqlite = (!plan.only_postgres).then_some(Self::Sqlite);
        let postgres = plan.postgres.is_some().then_some(Self::Postgres);
        sqlite.into_iter().chain(postgres).collect()
    }

    /// Makes a filled store `name` of this kind.
    pub(super) async fn fill(
        self,
        scratch: &Scratch,
        name: &str,
        size: Size,
    ) -> Result<Bench, BenchError> {
        let Size { merchants, users, packets } = size;
        say(&format!(
            "filling {}: {packets} packets of {merchants} merchants, {users} users …",
            self.name()
        ))?;
        let url = scratch.store(self, name)?;
        Bench::create(&url, size).await
    }
}
