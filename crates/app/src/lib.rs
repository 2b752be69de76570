//! Use cases: what people and programs can do with the platform, one file each.
//!
//! A use case takes typed input from a face, asks the [`executor`] to decide what moves money,
//! reads the store for what does not, and answers in domain words. It knows nothing of HTTP, XML
//! or SQL.

pub mod executor;
pub mod heads;
pub mod jobs;
pub mod merchants;
pub mod metrics;
pub mod packets;
pub mod ports;
pub mod spans;
pub mod users;
pub mod vault;

use std::sync::Arc;

use executor::{Executor, Failure, Gate};
use hongbao_domain::Refusal;
use merchants::RateLimiter;
use metrics::Metrics;
use ports::{Clock, Rng, Store, StoreError, Transact};
use users::Directory;
use vault::{Vault, VaultError};

/// Everything a use case works with. One per process, shared by all faces.
pub struct App {
    store: Arc<dyn Store>,
    executor: Executor,
    rng: Arc<dyn Rng>,
    clock: Arc<dyn Clock>,
    vault: Vault,
    rates: RateLimiter,
    directory: Directory,
    metrics: Metrics,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("executor", &self.executor).finish_non_exhaustive()
    }
}

/// Why a use case has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A command failed or was refused.
    #[error(transparent)]
    Command(#[from] Failure),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed or opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What was asked for does not exist, or belongs to somebody else: the two look alike.
    #[error("there is no such {what}")]
    NotFound {
        /// Which kind of thing.
        what: &'static str,
    },
    /// What was asked for breaks a rule of its own field.
    #[error("{field}: {rule}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is allowed.
        rule: String,
    },
    /// Too many calls; try again a little later.
    #[error("too many calls a second")]
    RateExceeded,
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Command(Failure::Refused(refusal))
    }
}

impl App {
    /// Puts the parts together and starts the executor. Runs inside a tokio runtime.
    pub fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        vault: Vault,
    ) -> Arc<Self> {
        let transact: Arc<dyn Transact> = Arc::<dyn Store>::clone(&store);
        let executor = Executor::start(&transact, Gate::default());
        let directory = Directory::start(Arc::clone(&store));
        let metrics = Metrics { commands: Arc::clone(executor.metrics()), ..Metrics::default() };
        Arc::new(Self {
            store,
            executor,
            rng,
            clock,
            vault,
            rates: RateLimiter::default(),
            directory,
            metrics,
        })
    }

    /// The store, for jobs and checks.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The executor, for jobs and checks.
    pub const fn executor(&self) -> &Executor {
        &self.executor
    }

    /// What the platform counts about itself.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The process clock: for ages and rates, never for decisions about money.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
}
