//! The binary on a database that lets nobody in without TLS: whatever a command does there, it does
//! encrypted, and to the right server only.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a surprise in a test is its failure"
)]

mod common;

use std::process::{Command, Output};

use common::{DemoProcess, HONGBAO, private_directory};
use hongbao_server::config::StoreUrl;
use hongbao_testkit::postgres::{Cluster, statement};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A server with a certificate for `localhost`, and the certificate of the authority that signed it.
fn a_server() -> Option<(Cluster, String)> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "the bank's authority");
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let cert = leaf.signed_by(&key, &issuer).unwrap();
    let server = Cluster::start_on_a_port(|cluster| {
        cluster.append("ssl = on\n");
        cluster.put("server.crt", &cert.pem());
        cluster.put("server.key", &key.serialize_pem());
        let access = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        cluster.put("pg_hba.conf", access);
    })?;
    statement(&server.url(), "ALTER ROLE hongbao PASSWORD 'secret'");
    Some((server, root))
}

fn hongbao(arguments: &[&str]) -> Output {
    Command::new(HONGBAO).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn every_command_goes_encrypted_to_the_right_server() {
    let Some((server, root)) = a_server() else { return };
    let dir = private_directory();
    let file = dir.path().join("root.pem");
    std::fs::write(&file, root).unwrap();
    let at = |host: &str, words: &str| {
        let url = server.url_at(host).replace("hongbao@", "hongbao:secret@");
        format!("{url}?{words}")
    };
    let checked = format!("sslmode=verify-full&sslrootcert={}", file.display());
    let store = at("localhost", &checked);

    let migrated = hongbao(&["migrate", "--store", &store]);
    assert!(migrated.status.success(), "{}", said(&migrated));
    let mut demo = DemoProcess::start_on(dir.path(), &store.parse::<StoreUrl>().unwrap()).await;
    assert!(demo.terminate());
    let moved = format!("sqlite:{}", dir.path().join("moved.db").display());
    for command in [
        &["verify", "--store", &store] as &[&str],
        &["heads", "--store", &store],
        &["move", "--from", &store, "--to", &moved],
        &["verify", "--store", &moved],
    ] {
        let done = hongbao(command);
        assert!(done.status.success(), "{command:?}: {}", said(&done));
    }
    for (wrong, why) in [
        (at("127.0.0.1", &checked), "not for the host of the URL"),
        (at("localhost", "sslmode=disable"), "no encryption"),
        (at("localhost", "sslmode=verify-full"), "give sslrootcert=FILE"),
        (at("localhost", "sslrootcert=absent.pem"), "absent.pem: No such file"),
    ] {
        let refused = hongbao(&["verify", "--store", &wrong]);
        assert!(!refused.status.success(), "{wrong}");
        assert!(said(&refused).contains(why), "{wrong}: {}", said(&refused));
        assert!(!said(&refused).contains("secret"), "{}", said(&refused));
    }
}
