//! TLS to the server, by the words that libpq has for it in a URL.
//!
//! | `sslmode` | the connection is | of the server's certificate is checked |
//! | --- | --- | --- |
//! | `disable` | plain | |
//! | `prefer` | encrypted if the server offers it | nothing |
//! | `require` | encrypted | nothing; with `sslrootcert` as `verify-ca` |
//! | `verify-ca` | encrypted | that an authority of `sslrootcert` signed it |
//! | `verify-full` | encrypted | that, and that it is for the host of the URL |
//!
//! Where nothing is given, `prefer` is meant, and `verify-full` where `sslrootcert` is. Stricter
//! than libpq: a server that offers TLS is never spoken to in plain text because the handshake
//! failed; what would be without effect is refused, also TLS over a socket, which has none; and no
//! file of a home directory changes what a URL means.
//!
//! | file | what |
//! | --- | --- |
//! | `connector` | the files, and what is checked in a handshake |
//! | `advice` | what to do when it failed |

mod advice;
mod connector;

use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use percent_encoding::percent_decode_str;
use tokio_postgres::config::{Host, SslMode};

pub(crate) use advice::advice;
pub(super) use connector::Connector;

/// How much a connection must be protected, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn parse(word: &str) -> Result<Self, String> {
        match word {
            "disable" => Ok(Self::Disable),
            "prefer" => Ok(Self::Prefer),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(format!(
                "sslmode={word} is not known here: give disable, prefer, require, verify-ca or \
                 verify-full"
            )),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        })
    }
}

/// What a URL says about TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tls {
    mode: Mode,
    /// Certificates of the authorities to trust.
    root: Option<PathBuf>,
    /// Our certificate and its key.
    identity: Option<(PathBuf, PathBuf)>,
}

/// The words of a URL as they are found.
#[derive(Default)]
struct Words {
    mode: Option<Mode>,
    root: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Tls {
    /// Takes the words about TLS out of a URL. What is left is for the client library, which knows
    /// only some of them.
    pub(super) fn take(url: &str) -> Result<(String, Self), String> {
        // As the library reads it: whatever stands before the first @ is user and password.
        let (credentials, rest) = url.split_at(url.find('@').unwrap_or(0));
        let Some((place, parameters)) = rest.split_once('?') else {
            return Ok((url.to_owned(), Self::of(Words::default())?));
        };
        let mut words = Words::default();
        let mut left = Vec::new();
        for parameter in parameters.split('&') {
            if !words.take(parameter)? {
                left.push(parameter);
            }
        }
        let sign = if left.is_empty() { "" } else { "?" };
        let left = left.join("&");
        Ok((format!("{credentials}{place}{sign}{left}"), Self::of(words)?))
    }

    /// Refuses words that contradict each other, or that would be without effect.
    fn of(words: Words) -> Result<Self, String> {
        let Words { mode, root, cert, key } = words;
        let unsaid = if root.is_some() { Mode::VerifyFull } else { Mode::Prefer };
        let mode = mode.unwrap_or(unsaid);
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err("sslcert and sslkey go together: give both or none".to_owned()),
        };
        if mode >= Mode::VerifyCa && root.is_none() {
            return Err(format!(
                "sslmode={mode} checks the server's certificate against authorities, and none is \
                 named: give sslrootcert=FILE, in PEM"
            ));
        }
        if root.as_deref() == Some(Path::new("system")) {
            return Err("sslrootcert=system is not known here: give the file of the system's \
                        authorities, on Debian /etc/ssl/certs/ca-certificates.crt"
                .to_owned());
        }
        if mode < Mode::Require && (root.is_some() || identity.is_some()) {
            return Err(format!(
                "sslmode={mode} may end in a connection without certificates, and the URL names \
                 some: give sslmode=verify-full, or leave them out"
            ));
        }
        Ok(Self { mode, root, identity })
    }

    /// Refuses hosts that cannot do what is asked.
    pub(super) fn check_hosts(&self, hosts: &[Host]) -> Result<(), String> {
        for host in hosts {
            if let Host::Unix(path) = host
                && self.mode >= Mode::Require
            {
                return Err(format!(
                    "sslmode={} cannot hold on the socket in {}, which has no TLS and does not \
                     leave the machine: leave it out, or name a host",
                    self.mode,
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// Its `sslmode`.
    pub(super) const fn mode(&self) -> impl fmt::Display + use<> {
        self.mode
    }

    /// What the client library asks of a server: the rest is the connector's.
    pub(super) fn ssl_mode(&self, host: &Host) -> SslMode {
        match (host, self.mode) {
            (Host::Unix(_), _) | (_, Mode::Disable) => SslMode::Disable,
            (_, Mode::Prefer) => SslMode::Prefer,
            (_, Mode::Require | Mode::VerifyCa | Mode::VerifyFull) => SslMode::Require,
        }
    }

    /// Hosts whose identity nobody checks, other than this machine.
    pub(super) fn unchecked<'h>(&self, hosts: &'h [Host]) -> Option<&'h str> {
        let unchecked = self.mode < Mode::VerifyCa && self.root.is_none();
        let remote = |host: &'h Host| match host {
            Host::Tcp(name) => (!is_this_machine(name)).then_some(name.as_str()),
            Host::Unix(_) => None,
        };
        if unchecked { hosts.iter().find_map(remote) } else { None }
    }
}

impl Words {
    /// Takes a parameter if it is about TLS.
    fn take(&mut self, parameter: &str) -> Result<bool, String> {
        let Some((word, value)) = parameter.split_once('=') else { return Ok(false) };
        let text = |text| match percent_decode_str(text).decode_utf8() {
            Ok(text) => Ok(text.into_owned()),
            Err(error) => Err(format!("{parameter} is not UTF-8: {error}")),
        };
        let file = || match text(value)? {
            none if none.is_empty() => Err(format!("{parameter} names no file")),
            name => Ok(Some(PathBuf::from(name))),
        };
        match text(word)?.as_str() {
            "sslmode" => self.mode = Some(Mode::parse(&text(value)?)?),
            "sslrootcert" => self.root = file()?,
            "sslcert" => self.cert = file()?,
            "sslkey" => self.key = file()?,
            "sslnegotiation" if value != "postgres" => {
                return Err(format!("{parameter} is not known here: leave it out"));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
