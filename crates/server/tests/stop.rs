//! SIGTERM under load: what runs is finished within ten seconds, what was acknowledged is
//! there, and the process ends well. A second signal does not wait.

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
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{DemoProcess, HONGBAO, audit, private_directory};
use hongbao_server::{client::JsonClient, demo::Manifest};
use hongbao_wire::SignType;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Callers that send at once; as many more open packets.
const CALLERS: usize = 6;

/// What callers were told.
#[derive(Default)]
struct Told {
    sent: Mutex<BTreeSet<String>>,
    /// Packet code and user → fen.
    opened: Mutex<BTreeMap<(String, usize), i64>>,
    next: AtomicU64,
    /// Answers that no caller should get from a server that stops.
    wrong: Mutex<Vec<String>>,
    enough: AtomicBool,
}

fn load(manifest: &Manifest, told: &Arc<Told>) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for user in 0..CALLERS {
        callers.spawn(send_until_enough(manifest.clone(), Arc::clone(told)));
        callers.spawn(open_until_enough(manifest.clone(), user, Arc::clone(told)));
    }
    callers
}

async fn send_until_enough(manifest: Manifest, told: Arc<Told>) {
    let client = common::v2_client(&manifest, 1, SignType::Md5);
    while !told.enough.load(Ordering::Relaxed) {
        let number = told.next.fetch_add(1, Ordering::Relaxed);
        let bill_no = format!("STOP{number:010}");
        let user = &manifest.users[usize::try_from(number).unwrap() % 12];
        let fields = common::send_fields(&manifest.merchants[1], user, &bill_no, "100");
        let Ok(answer) = client.call("/mmpaymkttransfers/sendredpack", &fields).await else {
            sleep(Duration::from_millis(5)).await;
            continue;
        };
        if answer.get("result_code") == Some("SUCCESS") {
            told.sent.lock().unwrap().insert(bill_no);
        } else {
            told.wrong.lock().unwrap().push(format!("{bill_no}: {answer:?}"));
        }
    }
}

async fn open_until_enough(manifest: Manifest, user: usize, told: Arc<Told>) {
    let phone = common::phone(&manifest, user);
    while !told.enough.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(5)).await;
        let Ok(inbox) = phone.call("GET", "/pocket/v1/messages?limit=50", None).await else {
            continue;
        };
        for line in inbox["items"].as_array().unwrap().iter().filter(|it| it["status"] == "sent") {
            let code = line["code"].as_str().unwrap().to_owned();
            if let Some((fen, _)) = open(&phone, &code).await {
                told.opened.lock().unwrap().insert((code, user), fen);
            }
        }
    }
}

/// How much was in it, and whether an earlier call had opened it.
async fn open(phone: &JsonClient, code: &str) -> Option<(i64, bool)> {
    let path = format!("/pocket/v1/packets/{code}/open");
    let opened = phone.call("POST", &path, None).await.ok()?;
    Some((opened["amount"]["amount"].as_i64().unwrap(), opened["replayed"].as_bool().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_finishes_what_runs_and_loses_nothing() {
    let dir = private_directory();
    let delay = [("HONGBAO_STOP_DELAY_SECONDS", "1")];
    let mut demo = DemoProcess::start_with(dir.path(), &delay).await;
    let manifest = demo.clone_manifest();
    let told = Arc::new(Told::default());
    let mut callers = load(&manifest, &told);
    sleep(Duration::from_secs(1)).await;
    demo.ask_to_stop();
    sleep(Duration::from_millis(200)).await;
    let ready = common::operator(&manifest).call("GET", "/readyz", None).await;
    let ready = ready.expect_err("it says that it is not ready").to_string();
    assert!(ready.contains("stopping"), "{ready}");
    let acknowledged = told.sent.lock().unwrap().len();
    let status = demo.ends_within(Duration::from_secs(12)).await.expect("it ends in time");
    assert!(status.success(), "{status}");
    told.enough.store(true, Ordering::Relaxed);
    while callers.join_next().await.is_some() {}
    assert_eq!(*told.wrong.lock().unwrap(), Vec::<String>::new());
    let (sent, opened) = (told.sent.lock().unwrap().clone(), told.opened.lock().unwrap().clone());
    println!("{} sends and {} claims acknowledged", sent.len(), opened.len());
    assert!(sent.len() > acknowledged, "until the delay is over it takes calls as ever");
    assert!(sent.len() > 50 && opened.len() > 20, "the load was not a load");
    let stored = audit(dir.path()).await;
    assert!(sent.is_subset(&stored), "{:?} are lost", sent.difference(&stored));
    let verified = Command::new(HONGBAO).arg("verify").arg("--data").arg(dir.path()).output();
    assert!(verified.unwrap().status.success(), "the books do not add up");
    let mut again = DemoProcess::start(dir.path()).await;
    let manifest = again.clone_manifest();
    for ((code, user), fen) in opened {
        let replay = open(&common::phone(&manifest, user), &code).await;
        assert_eq!(replay, Some((fen, true)), "a claim was lost: {code}");
    }
    assert!(again.terminate());
}

/// The head of a transfer whose body of two bytes has not come yet: a request that runs.
async fn a_request_that_runs(manifest: &Manifest) -> TcpStream {
    let address = manifest.web_base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /pocket/v1/transfers HTTP/1.1\r\nhost: localhost\r\n\
         authorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n",
        manifest.users[0].token
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // Until the server has read it.
    sleep(Duration::from_millis(300)).await;
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_runs_is_answered_before_the_process_ends() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let manifest = demo.clone_manifest();
    let mut socket = a_request_that_runs(&manifest).await;
    demo.ask_to_stop();
    sleep(Duration::from_millis(500)).await;
    assert!(demo.ended().is_none(), "it waits for what runs");
    let address = manifest.web_base.trim_start_matches("http://");
    assert!(TcpStream::connect(address).await.is_err(), "it takes no more connections");
    let ready = common::operator(&manifest).call("GET", "/readyz", None).await;
    assert!(ready.unwrap_err().to_string().contains("stopping"), "operators still see why");
    socket.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let status = demo.ends_within(Duration::from_secs(3)).await.expect("nothing runs any more");
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_ends_is_cut_and_the_process_ends_well() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let _socket = a_request_that_runs(&demo.clone_manifest()).await;
    demo.ask_to_stop();
    let status = demo.ends_within(Duration::from_secs(12)).await.expect("it ends in time");
    assert!(status.success(), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_cuts_at_once() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let _socket = a_request_that_runs(&demo.clone_manifest()).await;
    demo.ask_to_stop();
    sleep(Duration::from_millis(500)).await;
    assert!(demo.ended().is_none(), "it waits for what runs");
    demo.ask_to_stop();
    let status = demo.ends_within(Duration::from_secs(3)).await.expect("it does not wait");
    assert!(!status.success(), "what was cut is no good end");
    audit(dir.path()).await;
}
