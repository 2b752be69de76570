//! What the tests of the binary share: a demo process and ways to call it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

pub mod load;
pub mod pair;

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use hongbao_app::{
    jobs::check_books,
    ports::{Clock, SystemClock},
};
use hongbao_domain::ledger::Owner;
use hongbao_server::{
    client::{JsonClient, V2Client},
    config::StoreUrl,
    demo::{Manifest, ManifestMerchant, ManifestUser},
    running::{open_store, open_store_read_only},
};
use hongbao_wire::SignType;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The binary under test.
pub const HONGBAO: &str = env!("CARGO_BIN_EXE_hongbao");

/// A demo in a process of its own, killed when dropped.
pub struct DemoProcess {
    child: Child,
    manifest: Manifest,
}

impl DemoProcess {
    /// Starts a demo on `data` and waits until it is ready.
    pub async fn start(data: &Path) -> Self {
        Self::start_on(data, &StoreUrl::in_directory(data)).await
    }

    /// The same, with its store elsewhere.
    pub async fn start_on(data: &Path, store: &StoreUrl) -> Self {
        Self::launch(data, store, &[]).await
    }

    /// As [`Self::start`], with these environment variables.
    pub async fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        Self::launch(data, &StoreUrl::in_directory(data), variables).await
    }

    async fn launch(data: &Path, store: &StoreUrl, variables: &[(&str, &str)]) -> Self {
        let file = data.join("demo.json");
        drop(std::fs::remove_file(&file));
        let mut child = Command::new(HONGBAO)
            .args(["demo", "--v2-listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0"])
            .args([
                "--ops-listen",
                "127.0.0.1:0",
                "--store",
                &String::from(store.clone()),
                "--data",
            ])
            .arg(data)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..600 {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("the demo ended with {status}");
            }
            if let Ok(text) = std::fs::read_to_string(&file) {
                return Self { child, manifest: serde_json::from_str(&text).unwrap() };
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(child.kill());
        panic!("the demo was not ready after 30 s");
    }

    /// Where it listens and how it is called.
    pub fn clone_manifest(&self) -> Manifest {
        self.manifest.clone()
    }

    /// Whether the process is still the one that was started.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; answers whether it ended well.
    pub fn terminate(&mut self) -> bool {
        self.ask_to_stop();
        self.child.wait().unwrap().success()
    }

    /// SIGTERM, without waiting.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it has ended, for so long at most.
    pub async fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let waiting = async {
            loop {
                if let Some(status) = self.ended() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(limit, waiting).await.ok()
    }
}

impl Drop for DemoProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A directory that nobody else can look into, as a data directory must be.
pub fn private_directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(private).tempdir().unwrap()
}

/// A count that an environment variable can set.
pub fn rounds(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A merchant's server.
pub fn v2_client(manifest: &Manifest, merchant: usize, sign_type: SignType) -> V2Client {
    let ca = std::fs::read_to_string(&manifest.ca_pem).unwrap();
    let address = manifest.v2_base.trim_start_matches("https://").to_owned();
    V2Client::new(address, &ca, &manifest.merchants[merchant], sign_type).unwrap()
}

/// A user's phone.
pub fn phone(manifest: &Manifest, user: usize) -> JsonClient {
    let address = manifest.web_base.trim_start_matches("http://").to_owned();
    JsonClient::new(address, &manifest.users[user].token)
}

/// An operator's tool.
pub fn operator(manifest: &Manifest) -> JsonClient {
    let address = manifest.ops_base.trim_start_matches("http://").to_owned();
    JsonClient::new(address, &manifest.ops_token)
}

/// What `/metrics` of a demo says.
pub async fn shown(demo: &DemoProcess) -> String {
    let base = demo.clone_manifest().ops_base;
    let mut socket = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
    let head = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    socket.write_all(head).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

/// The fields of `sendredpack`, unsigned.
pub fn send_fields<'a>(
    merchant: &'a ManifestMerchant,
    user: &'a ManifestUser,
    bill_no: &'a str,
    fen: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        ("mch_billno", bill_no),
        ("mch_id", &merchant.mch_id),
        ("wxappid", &user.appid),
        ("send_name", &merchant.name),
        ("re_openid", &user.openid),
        ("total_amount", fen),
        ("total_num", "1"),
        ("wishing", "恭喜发财"),
        ("client_ip", "127.0.0.1"),
        ("act_name", "测试"),
        ("remark", "test"),
    ]
}

/// The fields of `gethbinfo`, unsigned.
pub fn query_fields<'a>(
    merchant: &'a ManifestMerchant,
    bill_no: &'a str,
) -> Vec<(&'a str, &'a str)> {
    vec![
        ("nonce_str", "50780e0cca98c8c8e814883e5caa672e"),
        ("mch_billno", bill_no),
        ("mch_id", &merchant.mch_id),
        ("appid", &merchant.appid),
        ("bill_type", "MCHT"),
    ]
}

/// Checks the books of a store that no server has open; answers every funded order's number.
pub async fn audit(data: &Path) -> BTreeSet<String> {
    audit_of(&StoreUrl::in_directory(data)).await
}

/// The same of a store anywhere.
pub async fn audit_of(url: &StoreUrl) -> BTreeSet<String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let store = open_store_read_only(url, &clock).await.unwrap();
    let found = check_books(store.as_ref(), None).await.unwrap();
    assert!(found.clean(), "{}\n{:?}", found.report, found.structure);
    let mut source = store.audit_source().await.unwrap();
    let mut numbers = BTreeSet::new();
    for merchant in source.merchants().await.unwrap() {
        let orders = source.orders(merchant.id, "", 1_000_000).await.unwrap();
        numbers.extend(orders.into_iter().map(|(key, _)| key.bill_no.to_string()));
    }
    numbers
}

/// The hash of a journal row that another row follows, so that it stands in one place only.
pub async fn a_hash_inside(data: &Path) -> [u8; 32] {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    // As a server does: one that was stopped while a check read the store left its log beside the
    // file, and this folds it in.
    let store = open_store(&StoreUrl::in_directory(data), &clock).await.unwrap();
    for record in store.merchants().await.unwrap() {
        let owner = Owner::Merchant(record.merchant.id);
        if let [row, _next] = store.journal_after(owner, 0, 2).await.unwrap().as_slice() {
            return row.hash.0;
        }
    }
    panic!("no journal of the demo has two rows");
}
