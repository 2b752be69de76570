//! A load of sends and claims over HTTP, and what its clients were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt as _, future::ready, stream};
use hongbao_server::{
    client::{CallError, JsonClient, V2Client},
    demo::Manifest,
};
use hongbao_wire::SignType;
use tokio::time::timeout;

use super::{phone, query_fields, send_fields, v2_client};

/// Callers that send at once; as many more open packets.
const CALLERS: usize = 6;
/// Calls at once when everything is looked for.
const AT_ONCE: usize = 16;
/// A client gives up after so long; what it asked for may still happen.
const PATIENCE: Duration = Duration::from_mins(1);

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
    /// When sends were acknowledged, in milliseconds since 1970.
    acknowledged_at: Mutex<BTreeSet<u64>>,
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

    /// The first acknowledgement from `millis` on.
    pub fn first_since(&self, millis: u64) -> Option<u64> {
        self.acknowledged_at.lock().unwrap().range(millis..).next().copied()
    }
}

/// Milliseconds since 1970, as the scripts write them.
#[expect(clippy::disallowed_methods, reason = "measures real time against the watcher's")]
pub fn now_millis() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Clients that call until they are told to stop.
pub struct Callers {
    tasks: tokio::task::JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Callers {
    /// As fast as they can.
    pub fn start(manifest: &Manifest, ledger: &Arc<Ledger>) -> Self {
        Self::start_with_pause(manifest, ledger, Duration::ZERO)
    }

    /// Each with a pause after each send.
    pub fn start_with_pause(manifest: &Manifest, ledger: &Arc<Ledger>, pause: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = tokio::task::JoinSet::new();
        for user in 0..CALLERS {
            let (of, on) = (manifest.clone(), Arc::clone(&stop));
            tasks.spawn(send_until(of, Arc::clone(ledger), on, pause));
            let (of, on) = (manifest.clone(), Arc::clone(&stop));
            tasks.spawn(open_until(of, user, Arc::clone(ledger), on));
        }
        Self { tasks, stop }
    }

    /// Returns when all calls have ended.
    pub async fn stop(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn send_until(
    manifest: Manifest,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
    pause: Duration,
) {
    let merchant = &manifest.merchants[1];
    let client = client(&manifest);
    while !stop.load(Ordering::Relaxed) {
        let number = ledger.next.fetch_add(1, Ordering::Relaxed);
        let bill_no = format!("KILL{number:010}");
        let user = &manifest.users[usize::try_from(number).unwrap() % 12];
        ledger.issued.lock().unwrap().insert(bill_no.clone());
        let fields = send_fields(merchant, user, &bill_no, "100");
        let call = client.call("/mmpaymkttransfers/sendredpack", &fields);
        let Ok(Ok(answer)) = timeout(PATIENCE, call).await else { continue };
        match (answer.get("result_code"), answer.get("send_listid")) {
            (Some("SUCCESS"), Some(list_id)) => {
                ledger.sent.lock().unwrap().insert(bill_no, list_id.to_owned());
                ledger.acknowledged_at.lock().unwrap().insert(now_millis());
            }
            _ if answer.get("err_code") == Some("SYSTEMERROR") => {}
            _ => ledger.broken.lock().unwrap().push(format!("{bill_no}: {answer:?}")),
        }
        tokio::time::sleep(pause).await;
    }
}

async fn open_until(manifest: Manifest, user: usize, ledger: Arc<Ledger>, stop: Arc<AtomicBool>) {
    let phone = phone(&manifest, user);
    while !stop.load(Ordering::Relaxed) {
        let call = phone.call("GET", "/pocket/v1/messages?limit=50", None);
        let Ok(Ok(inbox)) = timeout(PATIENCE, call).await else { continue };
        for line in inbox["items"].as_array().cloned().unwrap_or_default() {
            if line["status"] != "sent" || stop.load(Ordering::Relaxed) {
                continue;
            }
            let code = line["code"].as_str().unwrap().to_owned();
            if let Ok(Ok((fen, _))) = timeout(PATIENCE, open(&phone, &code)).await {
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

/// Sends that were acknowledged and that the platform does not know as they were.
pub async fn lost_sends(manifest: &Manifest, ledger: &Ledger) -> Vec<String> {
    let merchant = &manifest.merchants[1];
    let client = &client(manifest);
    let sent = ledger.sent.lock().unwrap().clone();
    let lost = stream::iter(sent).map(|(bill_no, list_id)| async move {
        let fields = query_fields(merchant, &bill_no);
        let answer = client.call("/mmpaymkttransfers/gethbinfo", &fields).await.unwrap();
        let known = answer.get("detail_id") == Some(list_id.as_str())
            && matches!(answer.get("status"), Some("SENT" | "RECEIVED"));
        (!known).then(|| format!("{bill_no}: {answer:?}"))
    });
    lost.buffer_unordered(AT_ONCE).filter_map(ready).collect().await
}

/// Every send and every claim that was acknowledged is there, and no claim can be made again.
pub async fn everything_acknowledged_is_there(manifest: &Manifest, ledger: &Ledger) {
    let lost = lost_sends(manifest, ledger).await;
    assert!(lost.is_empty(), "{} sends are lost: {lost:?}", lost.len());
    let opened = ledger.opened.lock().unwrap().clone();
    let again = stream::iter(opened).map(|((code, user), fen)| async move {
        let again = open(&phone(manifest, user), &code).await.unwrap();
        // A claim that was lost would succeed now, and not be a replay.
        assert_eq!(again, (fen, true), "{code}");
    });
    again.buffer_unordered(AT_ONCE).for_each(ready).await;
}

fn client(manifest: &Manifest) -> V2Client {
    v2_client(manifest, 1, SignType::Md5)
}
