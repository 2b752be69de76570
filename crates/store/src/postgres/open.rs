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
//! somewhere else.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout_at},
};
use tokio_postgres::{
    Client, Config,
    config::{Host, SslMode},
};

use super::{
    pool,
    timeline::{self, Newest},
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

    /// The same database, with everything in a namespace (a PostgreSQL schema) of its own.
    #[must_use]
    pub fn in_namespace(&self, name: &str) -> Self {
        let sign = if self.0.contains('?') { '&' } else { '?' };
        Self(format!("{}{sign}options=-c%20search_path%3D{name}", self.0))
    }

    /// The hosts, each with its own configuration.
    pub(super) fn hosts(&self) -> Result<Hosts, OpenError> {
        let unreadable = |error: tokio_postgres::Error| OpenError::Unreachable(told(&error));
        let config: Config = self.0.parse().map_err(unreadable)?;
        Ok(Hosts { configs: each_host(&config), newest: Arc::default() })
    }
}

impl FromStr for PostgresUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "postgres://USER[:PASSWORD]@HOST[:PORT][,HOST…]/DATABASE";
        let config: Config =
            text.parse().map_err(|error| format!("not a store ({error}): give {form}"))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(
                "TLS to the database is not there yet: leave sslmode out, and use a socket, \
                        a private network or a tunnel"
                    .to_owned(),
            );
        }
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            return Err(format!("host or database is missing: give {form}"));
        }
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
        let mut asked: FuturesUnordered<_> = self.configs.iter().map(ask).collect();
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
            (None, None) => pool::connect(&Config::new()).await,
        }
    }
}

/// A connection to one server, and its timeline if it serves.
async fn ask(config: &Config) -> Result<(Option<u32>, Connected), tokio_postgres::Error> {
    let connected = pool::connect(config).await?;
    let timeline = check_server(&connected.0).await.ok();
    Ok((timeline, connected))
}

/// One configuration for each host, with what all have in common.
fn each_host(config: &Config) -> Vec<Config> {
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
            one.port(port.unwrap_or(5432));
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
