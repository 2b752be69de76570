//! Configuration: flags over environment over file over defaults.

use std::{ffi::OsStr, fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{
    builder::{TypedValueParser, ValueParserFactory},
    error::ErrorKind,
};
use figment::{
    Figment,
    providers::{Env, Format as _, Serialized, Toml},
};
use hongbao_store::postgres::PostgresUrl;
use serde::{Deserialize, Serialize};

/// Which store, as a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StoreUrl {
    /// `sqlite:PATH`, a file on a local disk.
    Sqlite(PathBuf),
    /// `postgres://…`, a database that several servers may share.
    Postgres(PostgresUrl),
}

impl StoreUrl {
    /// The SQLite store in a data directory.
    pub fn in_directory(data: &std::path::Path) -> Self {
        Self::Sqlite(data.join("hongbao.db"))
    }

    /// The same store, named so that it is found from any directory.
    pub fn absolute(&self) -> std::io::Result<Self> {
        match self {
            Self::Sqlite(path) => std::path::absolute(path).map(Self::Sqlite),
            Self::Postgres(url) => Ok(Self::Postgres(url.clone())),
        }
    }
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => {
                Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path))))
            }
            Some(("postgres" | "postgresql", _)) => text.parse().map(Self::Postgres),
            _ => Err("this names no store: give sqlite:PATH or postgres://…".to_owned()),
        }
    }
}

/// Reads a URL from the command line. What clap would say of a wrong one shows it whole, password and
/// all.
#[derive(Clone, Debug)]
pub struct StoreUrlParser;

impl TypedValueParser for StoreUrlParser {
    type Value = StoreUrl;

    fn parse_ref(
        &self,
        command: &clap::Command,
        flag: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<StoreUrl, clap::Error> {
        let read = value.to_str().ok_or_else(|| "not UTF-8".to_owned()).and_then(str::parse);
        read.map_err(|why| {
            let flag = flag.map_or_else(String::new, |flag| format!(" for {flag}"));
            let why = format!("invalid value{flag}: {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, why).with_cmd(command)
        })
    }
}

impl ValueParserFactory for StoreUrl {
    type Parser = StoreUrlParser;

    fn value_parser() -> StoreUrlParser {
        StoreUrlParser
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Whole, with the password: for configuration and private files.
impl From<StoreUrl> for String {
    fn from(url: StoreUrl) -> Self {
        match url {
            StoreUrl::Sqlite(_) => url.to_string(),
            StoreUrl::Postgres(url) => url.with_password().to_owned(),
        }
    }
}

/// Without the password.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// What a server needs to know. Secrets are not in it: they lie in files of the data directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Keys, certificates and, by default, the store.
    pub data: PathBuf,
    /// The store; the SQLite file in `data` by default.
    pub store: Option<StoreUrl>,
    /// Where the V2 interface listens, by TLS with client certificates.
    pub v2_listen: SocketAddr,
    /// Names and addresses in the V2 listener's own certificate.
    pub v2_names: Vec<String>,
    /// Where users' phones reach the pocket.
    pub web_listen: SocketAddr,
    /// Where operators and monitors reach the platform; keep it inside.
    pub ops_listen: SocketAddr,
    /// A JSON Web Key Set file of the host app, for user tokens; without it tokens are signed
    /// with the shared secret in the data directory.
    pub user_jwks: Option<PathBuf>,
    /// Log filter, for example `info` or `hongbao_app=debug,info`.
    pub log: String,
    /// Logs as JSON lines instead of text.
    pub log_json: bool,
    /// Where traces go by OTLP, `http://HOST:PORT` of a collector; without it to what
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` names, or nowhere.
    pub otlp_endpoint: Option<String>,
    /// From the signal to stop until connections are refused, in seconds: for a load balancer to
    /// see that the server is not ready any more. At most a minute.
    pub stop_delay_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            data: PathBuf::from("hongbao-data"),
            store: None,
            v2_listen: local(8443),
            v2_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            web_listen: local(8080),
            ops_listen: local(8081),
            user_jwks: None,
            log: "info".to_owned(),
            log_json: false,
            otlp_endpoint: None,
            stop_delay_seconds: 0,
        }
    }
}

/// Flags that every server command takes. What is not given comes from the environment
/// (`HONGBAO_WEB_LISTEN`), the file, or the default.
#[derive(Clone, Debug, Default, clap::Args, Serialize)]
pub struct ConfigFlags {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Directory of keys, certificates and, by default, the store
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// The store: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreUrl>,
    /// Address of the V2 interface
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v2_listen: Option<SocketAddr>,
    /// Address of the users' pages and JSON
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_listen: Option<SocketAddr>,
    /// Address of health and the operators' JSON
    #[arg(long, value_name = "ADDR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ops_listen: Option<SocketAddr>,
    /// Log filter, for example info
    #[arg(long, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

impl Config {
    /// Flags over environment over file over defaults.
    ///
    /// # Errors
    /// Names the setting, where it came from and what is expected.
    #[expect(clippy::result_large_err, reason = "made once, at start")]
    pub fn load(flags: &ConfigFlags) -> Result<Self, figment::Error> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = &flags.config {
            figment = figment.merge(Toml::file_exact(file));
        }
        // The master key is read where it is used; what begins with test is for tests.
        let outside = Env::prefixed("HONGBAO_")
            .ignore(&["master_key"])
            .filter(|key| !key.as_str().to_ascii_lowercase().starts_with("test_"));
        figment.merge(outside).merge(Serialized::defaults(flags)).extract()
    }

    /// The store to open.
    pub fn store_url(&self) -> StoreUrl {
        self.store.clone().unwrap_or_else(|| StoreUrl::in_directory(&self.data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hongbao.toml");
        std::fs::write(&file, "log = \"debug\"\nweb_listen = \"127.0.0.1:1\"\n").unwrap();
        let flags = ConfigFlags {
            config: Some(file),
            log: Some("warn".to_owned()),
            ..ConfigFlags::default()
        };
        let config = Config::load(&flags).unwrap();
        assert_eq!(config.log, "warn");
        assert_eq!(config.web_listen.port(), 1);
        assert_eq!(config.ops_listen.port(), 8081);
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hongbao.toml");
        std::fs::write(&file, "web_lisen = \"127.0.0.1:1\"\n").unwrap();
        let flags = ConfigFlags { config: Some(file), ..ConfigFlags::default() };
        assert!(Config::load(&flags).unwrap_err().to_string().contains("web_lisen"));
    }

    #[test]
    fn a_store_url_is_read_back_as_written() {
        let url: StoreUrl = "sqlite:/var/lib/hongbao.db".parse().unwrap();
        assert_eq!(url.to_string(), "sqlite:/var/lib/hongbao.db");
        assert!("mysql:x".parse::<StoreUrl>().unwrap_err().contains("postgres://"));
        assert!("postgres://host".parse::<StoreUrl>().unwrap_err().contains("missing"));
        let tls = "postgres://me@host/bank?sslmode=verify-full".parse::<StoreUrl>();
        assert!(tls.unwrap_err().contains("sslrootcert=FILE"));
    }

    #[test]
    fn a_password_is_kept_and_not_shown() {
        let text = "postgres://me:secret@one,two:5433/bank?options=-c%20search_path%3Dx";
        let url: StoreUrl = text.parse().unwrap();
        assert_eq!(url.to_string(), "postgres://me@one,two:5433/bank");
        assert!(!format!("{url:?}").contains("secret"));
        assert_eq!(String::from(url), text);
    }
}
