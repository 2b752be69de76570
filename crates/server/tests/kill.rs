//! kill -9 under load (A-1, I-19, I-20): what was acknowledged is there, what is there was asked
//! for, and the books add up. Thirty cycles by default; `HONGBAO_TEST_KILL_CYCLES` sets another count.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{DemoProcess, audit, private_directory, rounds};
use hongbao_server::client::{JsonClient, V2Client};
use hongbao_wire::SignType;

/// Callers that send at once; as many more open packets.
const CALLERS: usize = 6;

/// What clients know.
#[derive(Default)]
struct Ledger {
    issued: Mutex<BTreeSet<String>>,
    /// Order number → platform's number.
    sent: Mutex<BTreeMap<String, String>>,
    /// Packet code and user → fen.
    opened: Mutex<BTreeMap<(String, usize), i64>>,
    next: AtomicU64,
    /// Answers that tell of a broken promise.
    broken: Mutex<Vec<String>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_nine() {
    let cycles = rounds("HONGBAO_TEST_KILL_CYCLES", 30);
    let dir = private_directory();
    let ledger = Arc::new(Ledger::default());
    for cycle in 0..cycles {
        let mut demo = DemoProcess::start(dir.path()).await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = tokio::task::JoinSet::new();
        for number in 0..CALLERS {
            callers.spawn(send_until(
                demo.clone_manifest(),
                Arc::clone(&ledger),
                Arc::clone(&stop),
            ));
            let user = number;
            callers.spawn(open_until(
                demo.clone_manifest(),
                user,
                Arc::clone(&ledger),
                Arc::clone(&stop),
            ));
        }
        // Another moment of the batch's life in every cycle.
        tokio::time::sleep(Duration::from_millis(150 + (cycle * 37) % 400)).await;
        demo.kill();
        stop.store(true, Ordering::Relaxed);
        while callers.join_next().await.is_some() {}
    }
    let broken = ledger.broken.lock().unwrap().clone();
    assert!(broken.is_empty(), "{broken:?}");
    let mut demo = DemoProcess::start(dir.path()).await;
    everything_acknowledged_is_there(&demo, &ledger).await;
    demo.kill();
    let sent = ledger.sent.lock().unwrap().len();
    let opened = ledger.opened.lock().unwrap().len();
    println!("{cycles} kills, {sent} sends and {opened} claims acknowledged, none lost");
    assert!(sent > 50 && opened > 20, "the load was not a load: {sent} sends, {opened} claims");
    let stored = audit(dir.path()).await;
    let issued = ledger.issued.lock().unwrap().clone();
    let ghosts: Vec<_> = stored.difference(&issued).collect();
    assert!(ghosts.is_empty(), "orders that nobody asked for: {ghosts:?}");
}

async fn send_until(
    manifest: hongbao_server::demo::Manifest,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
) {
    let merchant = &manifest.merchants[1];
    let client = client(&manifest);
    while !stop.load(Ordering::Relaxed) {
        let number = ledger.next.fetch_add(1, Ordering::Relaxed);
        let bill_no = format!("KILL{number:010}");
        let user = &manifest.users[usize::try_from(number).unwrap() % 12];
        ledger.issued.lock().unwrap().insert(bill_no.clone());
        let answer = client
            .call(
                "/mmpaymkttransfers/sendredpack",
                &common::send_fields(merchant, user, &bill_no, "100"),
            )
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

async fn open_until(
    manifest: hongbao_server::demo::Manifest,
    user: usize,
    ledger: Arc<Ledger>,
    stop: Arc<AtomicBool>,
) {
    let phone = common::phone(&manifest, user);
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
async fn open(
    phone: &JsonClient,
    code: &str,
) -> Result<(i64, bool), hongbao_server::client::CallError> {
    let opened = phone.call("POST", &format!("/pocket/v1/packets/{code}/open"), None).await?;
    Ok((opened["amount"]["amount"].as_i64().unwrap(), opened["replayed"].as_bool().unwrap()))
}

async fn everything_acknowledged_is_there(demo: &DemoProcess, ledger: &Ledger) {
    let manifest = demo.clone_manifest();
    let merchant = &manifest.merchants[1];
    let client = client(&manifest);
    let sent = ledger.sent.lock().unwrap().clone();
    for (bill_no, list_id) in sent {
        let fields = common::query_fields(merchant, &bill_no);
        let answer = client.call("/mmpaymkttransfers/gethbinfo", &fields).await.unwrap();
        assert_eq!(answer.get("detail_id"), Some(list_id.as_str()), "{bill_no}");
        assert!(matches!(answer.get("status"), Some("SENT" | "RECEIVED")), "{answer:?}");
    }
    let opened = ledger.opened.lock().unwrap().clone();
    for ((code, user), fen) in opened {
        let again = open(&common::phone(&manifest, user), &code).await.unwrap();
        // A claim that was lost would succeed now, and not be a replay.
        assert_eq!(again, (fen, true), "{code}");
    }
}

fn client(manifest: &hongbao_server::demo::Manifest) -> V2Client {
    common::v2_client(manifest, 1, SignType::Md5)
}
