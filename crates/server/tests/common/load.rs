//! Load on a server, and what its clients know of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hongbao_server::{
    client::{CallError, JsonClient, V2Client},
    demo::Manifest,
};
use hongbao_wire::SignType;
use tokio::task::JoinSet;

use super::{DemoProcess, phone, query_fields, send_fields, v2_client};

/// Callers that send at once; as many more open packets.
const CALLERS: usize = 6;

/// What clients know.
#[derive(Default)]
pub struct Ledger {
    pub issued: Mutex<BTreeSet<String>>,
    /// Order number → platform's number.
    pub sent: Mutex<BTreeMap<String, String>>,
    /// Packet code and user → fen.
    pub opened: Mutex<BTreeMap<(String, usize), i64>>,
    next: AtomicU64,
    /// Answers that tell of a broken promise.
    pub broken: Mutex<Vec<String>>,
}

/// Callers of one server.
pub struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<()>,
}

impl Load {
    /// Starts calling.
    pub fn on(demo: &DemoProcess, ledger: &Arc<Ledger>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for user in 0..CALLERS {
            let (ledger, stop) = (Arc::clone(ledger), Arc::clone(&stop));
            callers.spawn(send_until(
                demo.clone_manifest(),
                Arc::clone(&ledger),
                Arc::clone(&stop),
            ));
            callers.spawn(open_until(demo.clone_manifest(), user, ledger, stop));
        }
        Self { stop, callers }
    }

    /// Stops calling, and waits for what was called.
    pub async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while self.callers.join_next().await.is_some() {}
    }
}

impl Ledger {
    /// Sends and claims that were acknowledged.
    pub fn acknowledged(&self) -> (usize, usize) {
        (self.sent.lock().unwrap().len(), self.opened.lock().unwrap().len())
    }

    /// No answer was wrong, and every order in the store was asked for.
    pub fn agrees_with(&self, stored: &BTreeSet<String>) {
        let broken = self.broken.lock().unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let issued = self.issued.lock().unwrap();
        let ghosts: Vec<_> = stored.difference(&issued).collect();
        assert!(ghosts.is_empty(), "orders that nobody asked for: {ghosts:?}");
    }
}

async fn send_until(manifest: Manifest, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) {
    let merchant = &manifest.merchants[1];
    let client = client(&manifest);
    while !stop.load(Ordering::Relaxed) {
        let number = ledger.next.fetch_add(1, Ordering::Relaxed);
        let bill_no = format!("KILL{number:010}");
        let user = &manifest.users[usize::try_from(number).unwrap() % 12];
        ledger.issued.lock().unwrap().insert(bill_no.clone());
        let answer = client
            .call("/mmpaymkttransfers/sendredpack", &send_fields(merchant, user, &bill_no, "100"))
            .await;
        let Ok(answer) = answer else { continue };
        match (answer.get("result_code"), answer.get("send_listid")) {
            (Some("SUCCESS"), Some(list_id)) => {
                ledger.sent.lock().unwrap().insert(bill_no, list_id.to_owned());
            }
            _ if answer.get("err_code") == Some("SYSTEMERROR") => {}
            _ => ledger.broken.lock().unwrap().push(format!("{bill_no}: {answer:?}")),
        }
    }
}

async fn open_until(manifest: Manifest, user: usize, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) {
    let phone = phone(&manifest, user);
    while !stop.load(Ordering::Relaxed) {
        let Ok(inbox) = phone.call("GET", "/pocket/v1/messages?limit=50", None).await else {
            continue;
        };
        for line in inbox["items"].as_array().cloned().unwrap_or_default() {
            if line["status"] != "sent" {
                continue;
            }
            let code = line["code"].as_str().unwrap().to_owned();
            if let Ok((fen, _)) = open(&phone, &code).await {
                ledger.opened.lock().unwrap().insert((code, user), fen);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How much was in it, and whether an earlier call had opened it.
async fn open(phone: &JsonClient, code: &str) -> Result<(i64, bool), CallError> {
    let opened = phone.call("POST", &format!("/pocket/v1/packets/{code}/open"), None).await?;
    Ok((opened["amount"]["amount"].as_i64().unwrap(), opened["replayed"].as_bool().unwrap()))
}

/// Asks for each by its number, dealt out to these servers.
pub async fn everything_acknowledged_is_there(demos: &[DemoProcess], ledger: &Ledger) {
    let manifests: Vec<Manifest> = demos.iter().map(DemoProcess::clone_manifest).collect();
    let sent = ledger.sent.lock().unwrap().clone();
    for ((bill_no, list_id), manifest) in sent.into_iter().zip(manifests.iter().cycle()) {
        let fields = query_fields(&manifest.merchants[1], &bill_no);
        let answer = client(manifest).call("/mmpaymkttransfers/gethbinfo", &fields).await.unwrap();
        assert_eq!(answer.get("detail_id"), Some(list_id.as_str()), "{bill_no}");
        assert!(matches!(answer.get("status"), Some("SENT" | "RECEIVED")), "{answer:?}");
    }
    let opened = ledger.opened.lock().unwrap().clone();
    for (((code, user), fen), manifest) in opened.into_iter().zip(manifests.iter().cycle()) {
        let again = open(&phone(manifest, user), &code).await.unwrap();
        // A claim that was lost would succeed now, and not be a replay.
        assert_eq!(again, (fen, true), "{code}");
    }
}

fn client(manifest: &Manifest) -> V2Client {
    v2_client(manifest, 1, SignType::Md5)
}
