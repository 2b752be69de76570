//! Traces, as a collector gets them from the binary.
#![cfg(feature = "otel")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::{
    process::Command,
    sync::{Arc, Mutex},
};

use common::{DemoProcess, HONGBAO, private_directory};
use hongbao_wire::SignType;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// The trace of a caller.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Heads and bodies of what was posted.
type Posted = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector: takes every POST and keeps it.
struct Collector {
    endpoint: String,
    posted: Posted,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let posted = Posted::default();
        let kept = Arc::clone(&posted);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(take(socket, Arc::clone(&kept)));
            }
        });
        Self { endpoint, posted }
    }

    /// Heads and bodies of everything that came, texts in protobuf being plain bytes.
    fn everything(&self) -> (String, Vec<u8>) {
        let posted = self.posted.lock().unwrap();
        let heads = posted.iter().map(|(head, _)| head.as_str()).collect();
        (heads, posted.iter().flat_map(|(_, body)| body.clone()).collect())
    }
}

async fn take(socket: TcpStream, kept: Posted) {
    let mut socket = BufReader::new(socket);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    kept.lock().unwrap().push((head, body));
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Asks for the wallet as a caller that traces.
async fn ask_with_traceparent(manifest: &hongbao_server::demo::Manifest) {
    let address = manifest.web_base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /pocket/v1/wallet HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\nconnection: close\r\n\r\n",
        manifest.users[0].token
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_gets_the_spans_of_a_send_and_no_secret() {
    let collector = Collector::start().await;
    let dir = private_directory();
    let named = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str())];
    let mut demo = DemoProcess::start_with(dir.path(), &named).await;
    let manifest = demo.clone_manifest();
    let (merchant, user) = (&manifest.merchants[1], &manifest.users[0]);
    let client = common::v2_client(&manifest, 1, SignType::Md5);
    let fields = common::send_fields(merchant, user, "TRACE0000000001", "100");
    let answer = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
    assert_eq!(answer.get("result_code"), Some("SUCCESS"));
    ask_with_traceparent(&manifest).await;
    // What waits is sent at the end.
    assert!(demo.terminate());
    let (heads, spans) = collector.everything();
    assert!(heads.starts_with("POST /v1/traces HTTP/1.1"), "{heads}");
    assert!(heads.contains("application/x-protobuf"), "{heads}");
    for text in [
        "service.name",
        "hongbao",
        "POST /mmpaymkttransfers/sendredpack",
        "send_packet",
        "batch",
        "decide",
        "GET /pocket/v1/wallet",
        "SUCCESS",
    ] {
        assert!(holds(&spans, text.as_bytes()), "{text} was not exported");
    }
    let trace = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    assert!(holds(&spans, &trace), "the caller's trace was not continued");
    let users = manifest.users.iter().flat_map(|user| [&user.token, &user.openid]);
    let keys = manifest.merchants.iter().map(|merchant| &merchant.v2_key);
    for secret in users.chain(keys).chain([&manifest.ops_token]) {
        assert!(!holds(&spans, secret.as_bytes()), "a secret was exported");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_holds_nothing_up() {
    let dir = private_directory();
    let nobody = [("HONGBAO_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let mut demo = DemoProcess::start_with(dir.path(), &nobody).await;
    let wallet = common::phone(&demo.clone_manifest(), 0);
    wallet.call("GET", "/pocket/v1/wallet", None).await.unwrap();
    assert!(demo.terminate());
}

#[test]
fn an_endpoint_that_spans_cannot_be_sent_to_is_refused_at_the_start() {
    let dir = private_directory();
    let output = Command::new(HONGBAO)
        .args(["demo", "--once", "--data"])
        .arg(dir.path())
        .env("HONGBAO_OTLP_ENDPOINT", "https://collector.example")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("https://collector.example"), "{said}");
}
