//! A running platform: store, executor, jobs and three listeners in one process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hongbao_app::{
    App, AppError, jobs,
    ports::{Clock, InstantPayout, Rng, Store, StoreError, SystemClock, SystemRng, random_bytes},
    users::Inbox,
};
use hongbao_http::{
    ops::{self, OpsState},
    pocket::{self, PocketState},
    v2,
};
use hongbao_store::{OpenError, postgres::PostgresStore, sqlite::SqliteStore};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    ca::{Authority, CaError, Terms},
    config::{Config, StoreUrl},
    home::{Home, HomeError},
    issuing::Issuing,
    logging::LostLines,
    net::{self, Limits, Listener, ListenerConfig, Stopped, Tls, TlsError},
    watching::{self, Face, RequestMetrics},
};

/// The listener's own certificate is made anew at every start, so a year is plenty.
const SERVER_CERTIFICATE_VALIDITY: Duration = Duration::from_hours(366 * 24);

/// Listeners drain for ten seconds; one more for jobs to end their turn.
const STOP_TIMEOUT: Duration = Duration::from_secs(11);

/// The operators' port is the last to close: `/readyz` says why until then.
const OPS_DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// No load balancer looks less often.
const STOP_DELAY_SECONDS_MAX: u32 = 60;

/// Why the platform does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error("{url}: {source}")]
    Store {
        /// Which store.
        url: StoreUrl,
        /// Why.
        source: OpenError,
    },
    /// The store is open and does not answer.
    #[error(transparent)]
    Check(#[from] StoreError),
    /// The store belongs to another master key.
    #[error(
        "the keys in the store do not open under this master key ({0}): put back the `master.key` \
         that belongs to this store, from your backup"
    )]
    MasterKey(AppError),
    /// Secrets cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The listener's certificate cannot be made.
    #[error("the listener's certificate: {0}")]
    Certificate(#[from] CaError),
    /// TLS cannot be set up.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("{address}: {source}; give another address with --{flag}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Operator tokens or the key set of user tokens cannot be read.
    #[error("{0}")]
    Tokens(String),
}

/// The parts of a platform before it serves.
pub struct Platform {
    /// The use cases.
    pub app: Arc<App>,
    /// The data directory.
    pub home: Home,
    /// The certificate authority.
    pub authority: Arc<Authority>,
    /// The process clock.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub rng: Arc<dyn Rng>,
    /// Counts lost log lines, where somebody logs.
    pub lines_lost: Option<LostLines>,
}

impl Platform {
    /// Opens store and secrets, and starts the executor.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let home = Home::open(&config.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let vault = home.vault(rng.as_ref())?;
        let authority =
            home.authority(home.vault(rng.as_ref())?, clock.as_ref(), Arc::clone(&rng))?;
        let store = open_store(&config.store_url(), &clock).await?;
        let app = App::start(store, Arc::clone(&clock), Arc::clone(&rng), vault);
        Ok(Self { app, home, authority: Arc::new(authority), clock, rng, lines_lost: None })
    }
}

/// Opens the store for a server: its schema and settings checked. A SQLite store that does not
/// exist is made; an older schema is left to `hongbao migrate`, for that is a person's decision.
pub async fn open_store(
    url: &StoreUrl,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, StartError> {
    if let StoreUrl::Sqlite(path) = url
        && !path.exists()
    {
        migrate_store(url).await?;
    }
    let opened = match url {
        StoreUrl::Sqlite(path) => shared(SqliteStore::open(path, Arc::clone(clock))),
        StoreUrl::Postgres(url) => shared(PostgresStore::open(url).await),
    };
    opened.map_err(|source| StartError::Store { url: url.clone(), source })
}

/// Opens the store for looking only, beside running servers.
pub async fn open_store_read_only(
    url: &StoreUrl,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, StartError> {
    let opened = match url {
        StoreUrl::Sqlite(path) => shared(SqliteStore::open_read_only(path, Arc::clone(clock))),
        StoreUrl::Postgres(url) => shared(PostgresStore::open_read_only(url).await),
    };
    opened.map_err(|source| StartError::Store { url: url.clone(), source })
}

fn shared<E: Into<OpenError>>(opened: Result<impl Store, E>) -> Result<Arc<dyn Store>, OpenError> {
    opened.map(|store| Arc::new(store) as Arc<dyn Store>).map_err(Into::into)
}

/// Brings a store's schema up to this program's.
pub async fn migrate_store(url: &StoreUrl) -> Result<(), StartError> {
    let migrated = match url {
        StoreUrl::Sqlite(path) => SqliteStore::migrate(path).map_err(OpenError::from),
        StoreUrl::Postgres(url) => PostgresStore::migrate(url).await.map_err(OpenError::from),
    };
    migrated.map_err(|source| StartError::Store { url: url.clone(), source })
}

/// Brings a store's schema up to this program's, and distributes it over many machines.
pub async fn distribute_store(url: &StoreUrl) -> Result<(), StartError> {
    let distributed = match url {
        StoreUrl::Sqlite(_) => Err(OpenError::NotDistributable),
        StoreUrl::Postgres(url) => {
            PostgresStore::migrate_and_distribute(url).await.map_err(OpenError::from)
        }
    };
    distributed.map_err(|source| StartError::Store { url: url.clone(), source })
}

/// A platform that serves.
#[derive(Debug)]
pub struct Running {
    /// Where the V2 interface listens.
    pub v2: SocketAddr,
    /// Where users' phones reach it.
    pub web: SocketAddr,
    /// Where operators reach it.
    pub ops: SocketAddr,
    stop_delay: Duration,
    /// Turns `/readyz` to no.
    asked: watch::Sender<bool>,
    /// Ends what moves money.
    stop: watch::Sender<bool>,
    faces: [JoinHandle<Stopped>; 2],
    jobs: JoinHandle<()>,
    /// Ends the operators' port.
    stop_ops: watch::Sender<bool>,
    ops_face: JoinHandle<Stopped>,
}

impl Running {
    /// Binds all listeners, then serves on them and runs the jobs.
    pub async fn start(platform: &Platform, config: &Config) -> Result<Self, StartError> {
        platform.app.store().check().await?;
        platform.app.check_master_key().await.map_err(StartError::MasterKey)?;
        let tls = mutual_tls(platform, &config.v2_names)?;
        let v2 = bind(config.v2_listen, Some(tls), "v2-listen").await?;
        let web = bind(config.web_listen, None, "web-listen").await?;
        let ops = bind(config.ops_listen, None, "ops-listen").await?;
        let address = |listener: &Listener, address, flag| {
            listener.local_addr().map_err(|source| StartError::Listen { address, flag, source })
        };
        let addresses = (
            address(&v2, config.v2_listen, "v2-listen")?,
            address(&web, config.web_listen, "web-listen")?,
            address(&ops, config.ops_listen, "ops-listen")?,
        );
        let (asked, stop_asked) = watch::channel(false);
        let (stop, stopping) = watch::channel(false);
        let (stop_ops, ops_stopping) = watch::channel(false);
        let app = &platform.app;
        let lines_lost = platform.lines_lost.clone();
        let (metrics, requests) = watching::registry(app.metrics(), lines_lost);
        let users = crate::tokens::user_tokens(&platform.home, config, platform.rng.as_ref())?;
        let pocket_state = PocketState { app: Arc::clone(app), tokens: Arc::new(users) };
        let ops_state = OpsState {
            app: Arc::clone(app),
            operators: crate::tokens::operators(&platform.home)?.into(),
            issuer: Some(Arc::new(Issuing::new(platform))),
            metrics,
            stopping: stop_asked,
        };
        let (v2_router, web_router) = (v2::router(Arc::clone(app)), pocket::router(pocket_state));
        let faces = [
            Served { face: Face::V2, listener: v2 }.run(v2_router, &requests, stopping.clone()),
            Served { face: Face::Web, listener: web }.run(web_router, &requests, stopping.clone()),
        ];
        let ops_face = Served { face: Face::Ops, listener: ops };
        let ops_face = ops_face.run(ops::router(ops_state), &requests, ops_stopping);
        let inbox = Arc::new(Inbox(Arc::clone(app.store())));
        let jobs = jobs::run(Arc::clone(app), inbox, Arc::new(InstantPayout), stopping);
        let jobs = tokio::spawn(jobs);
        let (v2, web, ops) = addresses;
        let delay = config.stop_delay_seconds.min(STOP_DELAY_SECONDS_MAX);
        let stop_delay = Duration::from_secs(delay.into());
        Ok(Self { v2, web, ops, stop_delay, asked, stop, faces, jobs, stop_ops, ops_face })
    }

    /// Says that it is not ready, then takes no more connections, lets what runs finish, and ends.
    /// Answers how many connections had to be cut.
    pub async fn stop(self) -> Stopped {
        self.asked.send_replace(true);
        tokio::time::sleep(self.stop_delay).await;
        self.stop.send_replace(true);
        let mut cut = 0_usize;
        let ended = async {
            for face in self.faces {
                cut = cut.saturating_add(cut_by(face).await);
            }
            if let Err(error) = self.jobs.await {
                tracing::error!(%error, "the jobs ended badly");
            }
        };
        if tokio::time::timeout(STOP_TIMEOUT, ended).await.is_err() {
            tracing::warn!("some tasks did not end in time and are cut");
        }
        self.stop_ops.send_replace(true);
        cut = cut.saturating_add(cut_by(self.ops_face).await);
        Stopped { cut }
    }
}

async fn cut_by(face: JoinHandle<Stopped>) -> usize {
    match face.await {
        Ok(Stopped { cut }) => cut,
        Err(error) => {
            tracing::error!(%error, "a listener ended badly");
            0
        }
    }
}

fn mutual_tls(platform: &Platform, names: &[String]) -> Result<Tls, StartError> {
    let terms = Terms {
        now: platform.clock.now(),
        validity: SERVER_CERTIFICATE_VALIDITY,
        serial: random_bytes(platform.rng.as_ref()),
    };
    let server = platform.authority.issue_server(names, &terms)?;
    let root = platform.authority.root_pem();
    Ok(Tls::mutual(&server.cert_pem, &server.key_pem, root, Arc::clone(&platform.clock))?)
}

async fn bind(
    address: SocketAddr,
    tls: Option<Tls>,
    flag: &'static str,
) -> Result<Listener, StartError> {
    Listener::bind(ListenerConfig { address, tls }).await.map_err(|source| StartError::Listen {
        address,
        flag,
        source,
    })
}

/// A face on its port.
struct Served {
    face: Face,
    listener: Listener,
}

impl Served {
    fn run(
        self,
        router: axum::Router,
        requests: &RequestMetrics,
        mut stopping: watch::Receiver<bool>,
    ) -> JoinHandle<Stopped> {
        let mut limits = Limits::default();
        if self.face == Face::Ops {
            limits.drain_timeout = OPS_DRAIN_TIMEOUT;
        }
        let router = watching::watched(router, self.face, requests, &limits);
        tokio::spawn(async move {
            let shutdown = async move {
                // A dropped sender means that the platform is gone: stop as well.
                drop(stopping.wait_for(|stop| *stop).await);
            };
            net::serve_bounded(self.listener, router, limits, shutdown).await
        })
    }
}
