//! Opening: what must hold before the first command is taken.
//!
//! | checked | because |
//! | --- | --- |
//! | PostgreSQL ≥ 15 | what the migrations and the tests know |
//! | `fsync`, `full_page_writes`, `synchronous_commit` | an answer given must survive a power cut, and the loss of the primary where it has a synchronous standby |
//! | not in recovery, not read-only | a standby shows what may never have been decided |
//! | not on a timeline that another server left behind | after a failover the old primary may come back |
//! | encoding UTF8 | texts come back as they were sent |
//! | schema version and description | a constraint that somebody dropped protects nobody |
//!
//! All but the schema is checked on every new connection, for after a failover it may lead
//! somewhere else. What is asked of TLS, in `tls`, is asked of every one, too.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_postgres::{
    Client, Config,
    config::{ChannelBinding, Host},
};

use super::{
    pool,
    timeline::{self, Newest},
    tls::{Connector, Tls},
};
use crate::error::{Failure, told};

/// The oldest server that is known to do what is needed.
const VERSION_MIN: i32 = 150_000;
/// What sessions run with. A lock that is not had in ten seconds is asked for again; a server that
/// froze inside a transaction holds its locks for a minute at most.
const SESSION: &str = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s \
                       -c timezone=UTC -c client_min_messages=warning";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection whose other end fell silent is given up after about twenty seconds.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(3);
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(15);
/// Once a server was found that serves, the others have so long to be a newer primary.
const NEWER: Duration = Duration::from_millis(250);

const SERVER: &str = "
SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(),
       current_setting('default_transaction_read_only'), current_setting('server_encoding'),
       current_setting('fsync'), current_setting('full_page_writes'),
       current_setting('synchronous_commit'),
       CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END";

/// Why a database cannot be opened. Says what, why and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody answers, or whoever does says no.
    #[error("the database is not reachable: {0}")]
    Unreachable(String),
    /// A file that the URL names for TLS cannot be used.
    #[error("no TLS to the database can be made, so none was tried without: {0}")]
    Tls(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {found}: 15 or newer is needed")]
    TooOld {
        /// The server's number.
        found: i32,
    },
    /// The server is a standby, or refuses to write.
    #[error(
        "the server only reads ({why}): give the address of the primary, or the addresses of all, \
         separated by commas"
    )]
    ReadsOnly {
        /// How it says so.
        why: &'static str,
    },
    /// A setting is not what durability needs.
    #[error("{setting} is {found:?} on the server, and then an answer can be lost: set it to on")]
    Setting {
        /// Which.
        setting: &'static str,
        /// Its value.
        found: String,
    },
    /// Another server took over from this one.
    #[error(
        "the server is on timeline {found}, and timeline {newest} was seen: it is an old primary \
         that another server took over from; stop it, and make it a standby"
    )]
    LeftBehind {
        /// The server's timeline.
        found: u32,
        /// The newest one that was seen.
        newest: u32,
    },
    /// Another encoding.
    #[error("the database's encoding is {found}: make one with `ENCODING 'UTF8'`")]
    Encoding {
        /// Its encoding.
        found: String,
    },
    /// The schema is older than this program, or there is none.
    #[error(
        "the database has schema {found} and this program needs {needed}: run `hongbao migrate`"
    )]
    SchemaTooOld {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        needed: i64,
    },
    /// The schema is newer than this program.
    #[error(
        "the database has schema {found}, newer than this program's {needed}: run a newer `hongbao`"
    )]
    SchemaTooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        needed: i64,
    },
    /// The schema is not what the migrations made.
    #[error("the schema was changed by hand, so its constraints protect nobody: {0}")]
    SchemaChanged(String),
    /// A move into it has not ended.
    #[error(
        "a move into this store has not ended, and half a store must not be served: run the same \
         `hongbao move` again, or remove it and move from the start"
    )]
    Moving,
    /// It was moved away.
    #[error(
        "this store was moved to {to}, and two stores that go on from one moment cannot be put \
         together: serve that one. If that one was never served, `hongbao move --undo` with the \
         --from and --to of the move takes it back"
    )]
    Moved {
        /// Where to.
        to: String,
    },
    /// A move from it or into it is under way.
    #[error("a move of this store is under way: let it end, or stop it, before serving")]
    BeingMoved,
    /// The database cannot be distributed.
    #[error(
        "the database has no Citus extension: install it on all machines, run \
         `CREATE EXTENSION citus` and add the workers, then distribute again"
    )]
    NoCitus,
    /// A table cannot be distributed.
    #[error("the tables are not all distributed, run it again when this is put right: {0}")]
    Distribution(String),
    /// A migration failed.
    #[error("a migration failed and left nothing: {0}")]
    Migration(String),
}

impl OpenError {
    pub(super) fn unreachable(failure: Failure) -> Self {
        Self::Unreachable(failure.into_store().to_string())
    }
}

impl From<tokio_postgres::Error> for OpenError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Unreachable(told(&error))
    }
}

/// Where a database is: `postgres://user:password@host:port,host:port/name`.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// With its password: for files that only their owner reads.
    pub fn with_password(&self) -> &str {
        &self.0
    }

    /// The same, with its password, for programs of PostgreSQL: what is meant of TLS where the URL
    /// says nothing is said.
    pub fn for_programs(&self) -> String {
        let sign = if self.0.contains('?') { '&' } else { '?' };
        match Tls::take(&self.0) {
            Ok((_, tls)) => format!("{}{sign}sslmode={}", self.0, tls.mode()),
            // It was read when it was made.
            Err(_) => self.0.clone(),
        }
    }

    /// The same database, with everything in a namespace (a PostgreSQL schema) of its own.
    #[must_use]
    pub fn in_namespace(&self, name: &str) -> Self {
        let sign = if self.0.contains('?') { '&' } else { '?' };
        Self(format!("{}{sign}options=-c%20search_path%3D{name}", self.0))
    }

    /// Settings of its sessions, of which the namespace is one.
    pub(crate) fn options(&self) -> Option<String> {
        let (config, _) = parse(&self.0).ok()?;
        config.get_options().map(str::to_owned)
    }

    /// The hosts, each with its own configuration.
    pub(super) fn hosts(&self) -> Result<Hosts, OpenError> {
        let (config, tls) = parse(&self.0).map_err(OpenError::Unreachable)?;
        // A password that is bound to the certificate checks it, too.
        let bound = config.get_channel_binding() == ChannelBinding::Require;
        if let Some(host) = tls.unchecked(config.get_hosts()).filter(|_| !bound) {
            tracing::warn!(
                host,
                "nobody checks who answers as the database: give sslmode=verify-full and \
                 sslrootcert, unless the network is this platform's own"
            );
        }
        let connector = tls.connector()?;
        Ok(Hosts { configs: each_host(&config, &tls), connector, newest: Arc::default() })
    }
}

const FORM: &str = "postgres://USER[:PASSWORD]@HOST[:PORT][,HOST…]/DATABASE";

/// What a URL says, for the client library and for TLS.
fn parse(url: &str) -> Result<(Config, Tls), String> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(format!("not a store: give {FORM}"));
    }
    let (url, tls) = Tls::take(url)?;
    let config: Config =
        url.parse().map_err(|error| format!("not a store ({}): give {FORM}", told(&error)))?;
    if config.get_hosts().is_empty() || config.get_dbname().is_none() {
        return Err(format!("host or database is missing: give {FORM}"));
    }
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let socket = |host: &Host| matches!(host, Host::Unix(_));
    let unpaired = addresses.len() != hosts.len() || hosts.iter().any(socket);
    if !addresses.is_empty() && unpaired {
        return Err("hostaddr gives each host its address: give as many, and no sockets".to_owned());
    }
    tls.check_hosts(hosts)?;
    Ok((config, tls))
}

impl FromStr for PostgresUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// Without its password, for logs and messages.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("postgres", ""));
        let (user, place) = rest.split_once('@').unwrap_or(("", rest));
        let place = place.split('?').next().unwrap_or_default();
        match user.split(':').next().unwrap_or_default() {
            "" => write!(f, "{scheme}://{place}"),
            user => write!(f, "{scheme}://{user}@{place}"),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The servers of one database: one of them is the primary.
#[derive(Debug)]
pub(super) struct Hosts {
    configs: Vec<Config>,
    connector: Connector,
    newest: Arc<Newest>,
}

type Connected = (Client, JoinHandle<()>);

impl Hosts {
    /// What was seen of timelines.
    pub(super) fn newest(&self) -> Arc<Newest> {
        Arc::clone(&self.newest)
    }

    /// A connection to the server that may be written; to the one on the newest timeline when
    /// there are several, for then all others are old primaries. When there is none, to any,
    /// whose check then says why it cannot be used.
    ///
    /// All are asked at once: one that is frozen, and so never answers, stops nobody.
    pub(super) async fn connect(&self) -> Result<Connected, tokio_postgres::Error> {
        let mut asked: FuturesUnordered<_> =
            self.configs.iter().map(|config| ask(config, &self.connector)).collect();
        let mut best: Option<(u32, Connected)> = None;
        let (mut reached, mut failed, mut until) = (None, None, None);
        loop {
            let answer = match until {
                None => asked.next().await,
                Some(until) => timeout_at(until, asked.next()).await.unwrap_or_default(),
            };
            match answer {
                Some(Ok((Some(timeline), connected))) => {
                    until = until.or_else(|| Some(Instant::now() + NEWER));
                    if best.as_ref().is_none_or(|(newest, _)| *newest < timeline) {
                        best = Some((timeline, connected));
                    }
                }
                Some(Ok((None, connected))) => reached = Some(connected),
                Some(Err(error)) => failed = Some(error),
                None => break,
            }
        }
        match (best.map(|(_, connected)| connected).or(reached), failed) {
            (Some(connected), _) => Ok(connected),
            (None, Some(error)) => Err(error),
            // A URL names at least one host; a configuration without says so itself.
            (None, None) => pool::connect(&Config::new(), &self.connector).await,
        }
    }
}

/// A connection to one server, and its timeline if it serves.
async fn ask(
    config: &Config,
    connector: &Connector,
) -> Result<(Option<u32>, Connected), tokio_postgres::Error> {
    let connected = pool::connect(config, connector).await?;
    let timeline = check_server(&connected.0).await.ok();
    Ok((timeline, connected))
}

/// One configuration for each host, with what all have in common.
fn each_host(config: &Config, tls: &Tls) -> Vec<Config> {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate();
    hosts
        .map(|(place, host)| {
            let mut one = Config::new();
            match host {
                Host::Tcp(name) => one.host(name),
                #[cfg(unix)]
                Host::Unix(path) => one.host_path(path),
            };
            let port = ports.get(place).or_else(|| ports.first()).copied();
            one.port(port.unwrap_or(5432))
                .ssl_mode(tls.ssl_mode(host))
                .channel_binding(config.get_channel_binding());
            if let Some(address) = config.get_hostaddrs().get(place) {
                one.hostaddr(*address);
            }
            if let Some(user) = config.get_user() {
                one.user(user);
            }
            if let Some(password) = config.get_password() {
                one.password(password);
            }
            if let Some(name) = config.get_dbname() {
                one.dbname(name);
            }
            let options = config.get_options().unwrap_or_default();
            one.options(format!("{SESSION} {options}"))
                .application_name(config.get_application_name().unwrap_or("hongbao"))
                .connect_timeout(CONNECT_TIMEOUT)
                .keepalives_idle(KEEPALIVES_IDLE)
                .keepalives_interval(KEEPALIVES_INTERVAL)
                .tcp_user_timeout(TCP_USER_TIMEOUT);
            one
        })
        .collect()
}

/// Refuses a server that can lose what was answered, or that shows what was not decided. Answers
/// the timeline that it writes.
pub(super) async fn check_server(client: &Client) -> Result<u32, OpenError> {
    let row = client.query_one(SERVER, &[]).await?;
    let version: i32 = row.try_get(0)?;
    if version < VERSION_MIN {
        return Err(OpenError::TooOld { found: version });
    }
    if row.try_get(1)? {
        return Err(OpenError::ReadsOnly { why: "it is in recovery" });
    }
    if row.try_get::<_, &str>(2)? == "on" {
        return Err(OpenError::ReadsOnly { why: "default_transaction_read_only is on" });
    }
    let encoding: &str = row.try_get(3)?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { found: encoding.to_owned() });
    }
    for (column, setting, safe) in [
        (4, "fsync", &["on"] as &[&str]),
        (5, "full_page_writes", &["on"]),
        (6, "synchronous_commit", &["on", "remote_apply"]),
    ] {
        let found: &str = row.try_get(column)?;
        if !safe.contains(&found) {
            return Err(OpenError::Setting { setting, found: found.to_owned() });
        }
    }
    let segment: &str = row.try_get(7)?;
    timeline::of_segment(segment)
        .ok_or_else(|| OpenError::Unreachable(format!("no timeline in {segment:?}")))
}
