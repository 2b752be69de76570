//! The story, as a stranger runs it, and what its logs say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::process::Command;

use common::{DemoProcess, HONGBAO, audit, private_directory};
use hongbao_wire::SignType;

fn story(data: &std::path::Path, log: &str) -> std::process::Output {
    Command::new(HONGBAO)
        .args(["demo", "--once", "--log", log, "--data"])
        .arg(data)
        .output()
        .unwrap()
}

#[test]
fn the_story_ends_well_and_can_be_told_again() {
    let dir = private_directory();
    for _ in 0..2 {
        let output = story(dir.path(), "warn");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("The story went as it should"), "{said}");
        assert!(!said.contains("FAIL"), "{said}");
    }
}

/// I-30, O-1: with logs at their most verbose, no secret of the installation is in them.
#[test]
fn no_secret_is_in_the_most_verbose_log() {
    let dir = private_directory();
    let output = story(dir.path(), "trace");
    assert!(output.status.success());
    let log = [output.stdout, output.stderr].concat();
    let log = String::from_utf8_lossy(&log);
    assert!(log.len() > 10_000, "the log is too short to prove anything: {}", log.len());
    let text = std::fs::read_to_string(dir.path().join("demo.json")).unwrap();
    let manifest: hongbao_server::demo::Manifest = serde_json::from_str(&text).unwrap();
    let mut secrets = vec![manifest.ops_token.clone()];
    for file in ["master.key", "user-token.secret"] {
        secrets.push(std::fs::read_to_string(dir.path().join(file)).unwrap());
    }
    for merchant in &manifest.merchants {
        secrets.push(merchant.v2_key.clone());
        let key = std::fs::read_to_string(&merchant.key_pem).unwrap();
        secrets.extend(key.lines().filter(|line| line.len() > 40).map(str::to_owned));
    }
    for user in &manifest.users {
        secrets.push(user.token.clone());
        secrets.push(user.openid.clone());
    }
    let found: Vec<_> = secrets.iter().filter(|secret| log.contains(secret.trim())).collect();
    assert!(found.is_empty(), "{} secrets are in the log", found.len());
}

/// a second process on the same store is refused, with a sentence that says what to do.
#[tokio::test]
async fn a_second_server_on_the_same_store_is_refused() {
    let dir = private_directory();
    let demo = DemoProcess::start(dir.path()).await;
    let second = story(dir.path(), "warn");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("hongbao.db"), "{said}");
    drop(demo);
}

/// SIGTERM ends the process well, and what was answered is in the store.
#[tokio::test]
async fn sigterm_ends_the_process_well() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let manifest = demo.clone_manifest();
    let client = common::v2_client(&manifest, 0, SignType::HmacSha256);
    let fields = common::send_fields(&manifest.merchants[0], &manifest.users[0], "TERM1", "100");
    let answer = client.call("/mmpaymkttransfers/sendredpack", &fields).await.unwrap();
    assert_eq!(answer.get("result_code"), Some("SUCCESS"), "{answer:?}");
    assert!(demo.terminate());
    assert!(audit(dir.path()).await.contains("TERM1"));
}

/// X2: verify looks at a store beside the running server, and tells of a forged row.
#[tokio::test]
async fn verify_reads_beside_a_running_server_and_tells_of_a_forged_row() {
    let dir = private_directory();
    let mut demo = DemoProcess::start(dir.path()).await;
    let verify = || {
        let output =
            Command::new(HONGBAO).arg("verify").arg("--data").arg(dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.lines().filter(|line| line.starts_with("I-")).count(), 32, "{said}");
        (output.status.success(), said)
    };
    let (good, said) = verify();
    assert!(good && !said.contains("FAIL"), "{said}");
    assert!(demo.terminate());
    let path = dir.path().join("hongbao.db");
    let hash = common::a_hash_inside(dir.path()).await;
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(hash.len()).position(|part| part == hash).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (good, said) = verify();
    assert!(!good && said.contains("I-18 FAIL"), "{said}");
}

/// A certificate that is revoked while the server runs is refused at the next call (J-4).
#[tokio::test]
async fn a_revoked_certificate_is_refused_at_the_next_call() {
    let dir = private_directory();
    let demo = DemoProcess::start(dir.path()).await;
    let manifest = demo.clone_manifest();
    let merchant = &manifest.merchants[0];
    let client = common::v2_client(&manifest, 0, SignType::Md5);
    let fields = common::query_fields(merchant, "NONE1");
    let before = client.call("/mmpaymkttransfers/gethbinfo", &fields).await.unwrap();
    assert_eq!(before.get("err_code"), Some("NOT_FOUND"));
    let operator = common::operator(&manifest);
    let path = format!("/ops/v1/merchants/{}/certificates", merchant.mch_id);
    let listed = operator.call("GET", &path, None).await.unwrap();
    let serial = listed["items"][0]["serial"].as_str().unwrap().to_owned();
    operator.call("DELETE", &format!("{path}/{serial}"), None).await.unwrap();
    let after = client.call("/mmpaymkttransfers/gethbinfo", &fields).await.unwrap();
    assert_eq!(after.get("err_code"), Some("CA_ERROR"));
}

/// O-3: a new key would open nothing that the old one sealed.
#[tokio::test]
async fn a_store_without_its_master_key_is_not_served() {
    let dir = private_directory();
    DemoProcess::start(dir.path()).await.kill();
    std::fs::remove_file(dir.path().join("master.key")).unwrap();
    std::fs::remove_dir_all(dir.path().join("ca")).unwrap();
    let served = Command::new(HONGBAO)
        .args(["serve", "--v2-listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0"])
        .args(["--ops-listen", "127.0.0.1:0", "--data"])
        .arg(dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&served.stderr);
    assert!(!served.status.success() && said.contains("put back the `master.key`"), "{said}");
}
