//! Servers with certificates, and what becomes of connections to them.

use std::sync::Arc;

use hongbao_app::ports::Clock;
use hongbao_testkit::{ManualClock, builders::a_merchant};

use super::*;
use crate::{
    moving::{self, Place},
    postgres::{
        PostgresStore,
        tests::{a_recharge, basic_fen, counted},
    },
    sqlite::SqliteStore,
};

#[tokio::test]
async fn each_mode_checks_what_it_says() {
    let (ours, other) = (Authority::new(), Authority::named("another authority"));
    let twin = Authority::new();
    let Some(server) = a_server(&ours.server("localhost"), ANY) else { return };
    let (right, wrong, namesake) = (ours.root(), other.root(), twin.root());
    let (encrypted_, plain) = (Ok(true), Ok(false));
    let stranger = Err("no authority in sslrootcert signed");
    let forged = Err("another authority than the one of this name");
    let name = Err("not for the host of the URL");
    for (words, by_its_name, by_another) in [
        ("", encrypted_, encrypted_),
        ("sslmode=disable", plain, plain),
        ("sslmode=prefer", encrypted_, encrypted_),
        ("sslmode=require", encrypted_, encrypted_),
        (&format!("sslmode=require&{right}"), encrypted_, encrypted_),
        (&format!("sslmode=require&{wrong}"), stranger, stranger),
        (&format!("sslmode=verify-ca&{right}"), encrypted_, encrypted_),
        (&format!("sslmode=verify-ca&{wrong}"), stranger, stranger),
        (&format!("sslmode=verify-ca&{namesake}"), forged, forged),
        (&format!("sslmode=verify-full&{right}"), encrypted_, name),
        (&format!("sslmode=verify-full&{wrong}"), stranger, stranger),
        (&right, encrypted_, name),
        (&wrong, stranger, stranger),
    ] {
        for (host, expected) in [("localhost", by_its_name), ("127.0.0.1", by_another)] {
            let found = encrypted(&url(&server, host, words)).await;
            match (&found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(*found, expected, "{words} {host}"),
                (Err(found), Err(why)) => assert!(found.contains(why), "{words} {host}: {found}"),
                _ => panic!("{words} {host}: {found:?} instead of {expected:?}"),
            }
        }
    }
}

/// The address is where to go, the host is who must be there.
#[tokio::test]
async fn the_name_is_checked_whatever_address_is_given() {
    let ours = Authority::new();
    let Some(server) = a_server(&ours.server("db.example"), ANY) else { return };
    let words = |address| format!("{}&hostaddr={address}", ours.root());
    assert_eq!(encrypted(&url(&server, "db.example", &words("127.0.0.1"))).await, Ok(true));
    let wrong = encrypted(&url(&server, "db2.example", &words("127.0.0.1"))).await.unwrap_err();
    assert!(wrong.contains("not for the host of the URL"), "{wrong}");
}

/// The server lets nobody in without TLS: whatever went another way would fail.
#[tokio::test]
async fn everything_that_a_store_does_goes_encrypted() {
    let ours = Authority::new();
    let Some(server) = a_server(&ours.server("localhost"), ONLY_ENCRYPTED) else { return };
    let refused = encrypted(&url(&server, "localhost", "sslmode=disable")).await.unwrap_err();
    assert!(refused.contains("no encryption"), "{refused}");
    let url = url(&server, "localhost", &format!("sslmode=verify-full&{}", ours.root()));

    PostgresStore::migrate(&url).await.unwrap();
    let store = PostgresStore::open(&url).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    let recharges = (0..8).map(|no| a_recharge(merchant, 100, &format!("r{no}")));
    for recharge in recharges {
        counted(&store, recharge).await.0.unwrap().unwrap();
    }
    assert_eq!(basic_fen(&store, merchant).await, 1_800);

    let watching = connect(&server.url().parse().unwrap()).await;
    let sessions = "
        SELECT count(*), count(*) FILTER (WHERE ssl), min(version)
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'hongbao' AND client_addr IS NOT NULL";
    let row = watching.query_one(sessions, &[]).await.unwrap();
    let (all, over_tls, version): (i64, i64, &str) = (row.get(0), row.get(1), row.get(2));
    assert!(all > 0 && all == over_tls, "{over_tls} of {all} sessions are encrypted");
    assert_eq!(version, "TLSv1.3");
    drop(store);
    there_and_back(&url, &ours).await;
}

/// A move reads and writes by connections of its own.
async fn there_and_back(url: &PostgresUrl, ours: &Authority) {
    let file = ours.folder.path().join("moved.db");
    let (there, here) = (Place::Postgres(url.clone()), Place::Sqlite(file.clone()));
    let go_on = &mut |_: &moving::Step<'_>| std::ops::ControlFlow::Continue(());
    let clock: Arc<dyn Clock> = ManualClock::morning();
    moving::run(&there, &here, &clock, go_on).await.unwrap();
    let back = Place::Postgres(url.in_namespace("back"));
    let made = "CREATE SCHEMA back";
    connect(url).await.batch_execute(made).await.unwrap();
    moving::run(&here, &back, &clock, go_on).await.unwrap();
    let merchant = hongbao_testkit::builders::merchant_id(10_000_098);
    assert!(SqliteStore::open(&file, clock).is_err(), "a store that was moved opens for no server");
    let moved = PostgresStore::open(&url.in_namespace("back")).await.unwrap();
    assert_eq!(basic_fen(&moved, merchant).await, 1_800);
}

#[tokio::test]
async fn a_certificate_that_no_client_can_take_says_so() {
    let ours = Authority::new();
    let expired = {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        ours.sign(&params)
    };
    let of_an_authority = {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ours.sign(&params)
    };
    for (leaf, why) in [
        (expired, "renew the server's certificate"),
        (of_an_authority, "basicConstraints=CA:FALSE"),
    ] {
        let Some(server) = a_server(&leaf, ANY) else { return };
        let refused = encrypted(&url(&server, "localhost", &ours.root())).await.unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(encrypted(&url(&server, "localhost", "sslmode=require")).await, Ok(true));
    }
}

/// As the manual of PostgreSQL has it for a first try.
#[tokio::test]
async fn a_certificate_that_signed_itself_is_its_own_authority() {
    let ours = Authority::new();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = Leaf { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() };
    let Some(server) = a_server(&leaf, ANY) else { return };
    let file = ours.file("self.pem", &leaf.cert, 0o644);
    let words = format!("sslmode=verify-full&sslrootcert={}", file.display());
    assert_eq!(encrypted(&url(&server, "localhost", &words)).await, Ok(true));
    assert!(encrypted(&url(&server, "localhost", &ours.root())).await.is_err());
}

#[tokio::test]
async fn a_user_is_known_by_certificate() {
    let ours = Authority::new();
    let access = "hostssl all all 127.0.0.1/32 cert";
    let server = a_server_with(&ours.server("localhost"), access, |cluster| {
        cluster.append("ssl_ca_file = 'root.crt'\n");
        cluster.put("root.crt", &ours.root);
    });
    let Some(server) = server else { return };
    let identity = |who: &str, leaf: &Leaf| {
        let cert = ours.file(&format!("{who}.crt"), &leaf.cert, 0o644);
        let key = ours.file(&format!("{who}.key"), &leaf.key, 0o600);
        format!("{}&sslcert={}&sslkey={}", ours.root(), cert.display(), key.display())
    };
    let as_whom = |words: &str| url(&server, "localhost", words);
    let known = as_whom(&identity("hongbao", &ours.user("hongbao")));
    assert_eq!(encrypted(&known).await, Ok(true));
    let another = as_whom(&identity("mallory", &ours.user("mallory")));
    let refused = encrypted(&another).await.unwrap_err();
    assert!(refused.contains("certificate authentication failed"), "{refused}");
    let forged = as_whom(&identity("forged", &Authority::new().user("hongbao")));
    let refused = encrypted(&forged).await.unwrap_err();
    assert!(refused.contains("stands in its log"), "{refused}");
    let refused = encrypted(&as_whom(&ours.root())).await.unwrap_err();
    assert!(refused.contains("valid client certificate"), "{refused}");
}

/// The password is bound to the server's certificate, so nobody in between can pass it on.
#[tokio::test]
async fn a_password_is_bound_to_the_certificate() {
    let ours = Authority::new();
    let access = "host all all 127.0.0.1/32 scram-sha-256";
    let Some(server) = a_server(&ours.server("localhost"), access) else { return };
    statement(&server.url(), "ALTER ROLE hongbao PASSWORD 'secret'");
    let with = |password: &str, words: &str| -> PostgresUrl {
        let url = url(&server, "localhost", words);
        let (user, rest) = url.with_password().split_once('@').unwrap();
        format!("{user}:{password}@{rest}").parse().unwrap()
    };
    let bound = "channel_binding=require&sslmode";
    assert_eq!(encrypted(&with("secret", &format!("{bound}=require"))).await, Ok(true));
    let full = format!("{bound}=verify-full&{}", ours.root());
    assert_eq!(encrypted(&with("secret", &full)).await, Ok(true));
    let refused = encrypted(&with("guess", &full)).await.unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    let unbound = encrypted(&with("secret", &format!("{bound}=disable"))).await.unwrap_err();
    assert!(unbound.contains("channel binding"), "{unbound}");
}
