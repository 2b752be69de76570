//! The way to the server: what is encrypted, whose certificates are taken, and that nothing is said
//! to a server which was not.

mod certificates;
mod handshakes;
mod words;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use hongbao_testkit::postgres::{Cluster, statement};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tempfile::TempDir;

use super::{PostgresUrl, connect};

/// A certificate with its key, in PEM.
struct Leaf {
    cert: String,
    key: String,
}

/// An authority, and a folder for what it signed.
struct Authority {
    folder: TempDir,
    root: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        Self::named("an authority")
    }

    fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let root = params.self_signed(&key).unwrap().pem();
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        let authority = Self { folder, root, issuer: Issuer::new(params, key) };
        authority.file("root.pem", &authority.root, 0o644);
        authority
    }

    /// A certificate for the server, by this name only.
    fn server(&self, name: &str) -> Leaf {
        self.sign(&CertificateParams::new(vec![name.to_owned()]).unwrap())
    }

    /// A certificate for a user of the database.
    fn user(&self, name: &str) -> Leaf {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// Its own certificate, as a URL names it.
    fn root(&self) -> String {
        format!("sslrootcert={}", self.folder.path().join("root.pem").display())
    }

    /// Writes a file.
    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.folder.path().join(name);
        a_file(&path, text, mode);
        path
    }
}

fn a_file(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A server with this certificate, which lets in by port whom `access` lets in, and everybody by
/// its socket.
fn a_server(leaf: &Leaf, access: &str) -> Option<Cluster> {
    a_server_with(leaf, access, |_| ())
}

fn a_server_with(leaf: &Leaf, access: &str, more: impl FnOnce(&Cluster)) -> Option<Cluster> {
    Cluster::start_on_a_port(|cluster| {
        cluster.append("ssl = on\n");
        cluster.put("server.crt", &leaf.cert);
        cluster.put("server.key", &leaf.key);
        cluster.put("pg_hba.conf", &format!("local all all trust\n{access}\n"));
        more(cluster);
    })
}

const ONLY_ENCRYPTED: &str = "hostssl all all 127.0.0.1/32 trust";
const ANY: &str = "host all all 127.0.0.1/32 trust";

/// The server by a host's name, with words for TLS.
fn url(server: &Cluster, host: &str, words: &str) -> PostgresUrl {
    let sign = if words.is_empty() { "" } else { "?" };
    format!("{}{sign}{words}", server.url_at(host)).parse().unwrap()
}

/// Whether a new connection is encrypted, or why there is none.
async fn encrypted(url: &PostgresUrl) -> Result<bool, String> {
    let hosts = url.hosts().map_err(|error| error.to_string())?;
    let (client, _) = hosts.connect().await.map_err(|error| crate::error::told(&error))?;
    let own = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(client.query_one(own, &[]).await.unwrap().get(0))
}
