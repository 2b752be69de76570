//! The authority on a real directory.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use hongbao_domain::{MerchantId, Timestamp};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tempfile::TempDir;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::*;

/// 2026-11-23T12:00:00.500Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_435_200_500);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Seals nothing well, but knows its key and its label.
struct Xor(u8);

impl KeySeal for Xor {
    fn seal(&self, label: &str, plain: &[u8]) -> Vec<u8> {
        let text = [label.as_bytes(), &[self.0], plain].concat();
        text.into_iter().map(|b| b ^ self.0).collect()
    }

    fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let text: Vec<u8> = sealed.iter().map(|b| b ^ self.0).collect();
        let head = [label.as_bytes(), &[self.0]].concat();
        text.strip_prefix(head.as_slice()).map(<[u8]>::to_vec).ok_or(SealError)
    }
}

fn authority() -> (TempDir, Authority) {
    let dir = tempfile::tempdir().unwrap();
    let made = Authority::create(dir.path(), NOW, &Xor(7)).unwrap();
    (dir, made)
}

fn merchant() -> MerchantId {
    "10000098".parse().unwrap()
}

fn terms(serial: u8) -> Terms {
    Terms { now: NOW, validity: YEAR, serial: [serial; 16] }
}

fn issue(authority: &Authority, profile: P12Profile, password: Option<&str>) -> IssuedCertificate {
    let subject = MerchantSubject { merchant: merchant(), name: "测试商户", password, profile };
    authority.issue_merchant(&subject, &terms(0xab)).unwrap()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_issued_reads_back_as_the_merchant_with_its_serial_and_end() {
    let (_dir, authority) = authority();
    let issued = issue(&authority, P12Profile::Modern, None);
    let cert = der(&issued.cert_pem);
    let identity = merchant_of(&cert).unwrap();
    assert_eq!(identity.merchant, merchant());
    assert_eq!(identity.serial_hex, issued.serial_hex);
    assert_eq!(identity.not_after, issued.not_after);
    assert_eq!(issued.not_after.millis(), NOW.millis() - 500 + 365 * 86_400_000);

    let (_, parsed) = X509Certificate::from_der(&cert).unwrap();
    let organization = parsed.subject().iter_organization().next().unwrap();
    assert_eq!(organization.as_str().unwrap(), "测试商户");
    assert!(!parsed.is_ca());
}

#[test]
fn every_serial_number_is_positive_and_prints_as_32_digits() {
    let (_dir, authority) = authority();
    for (bytes, hex) in
        [(0x00, "40000000000000000000000000000000"), (0xff, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")]
    {
        let issued = authority.issue_server(&["localhost".to_owned()], &terms(bytes)).unwrap();
        let cert = der(&issued.cert_pem);
        let (_, parsed) = X509Certificate::from_der(&cert).unwrap();
        assert_eq!(issued.serial_hex, hex);
        assert_eq!(hex::encode_upper(parsed.raw_serial()), hex);
    }
}

#[test]
fn the_p12_opens_with_the_merchant_number_and_nothing_else() {
    let (_dir, authority) = authority();
    for profile in [P12Profile::Modern, P12Profile::Legacy] {
        let issued = issue(&authority, profile, None);
        let open =
            |password| KeyStore::from_pkcs12(&issued.p12, password, Pkcs12ImportPolicy::Strict);
        assert!(open("10000099").is_err(), "{profile:?}");
        let store = open("10000098").unwrap();
        let (_, chain) = store.private_key_chain().unwrap();
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        assert_eq!(chain.key().as_der(), key.secret_der());
        let certs: Vec<_> = chain.certs().iter().map(|cert| cert.as_der().to_vec()).collect();
        assert_eq!(certs, [der(&issued.cert_pem).to_vec(), der(authority.root_pem()).to_vec()]);
    }
}

#[test]
fn only_a_legacy_p12_is_encrypted_with_triple_des() {
    let (_dir, authority) = authority();
    // 1.2.840.113549.1.12.1.3, pbeWithSHAAnd3-KeyTripleDES-CBC.
    let oid = [0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
    for (profile, found) in [(P12Profile::Modern, false), (P12Profile::Legacy, true)] {
        let issued = issue(&authority, profile, None);
        assert_eq!(issued.p12.windows(oid.len()).any(|part| part == oid), found, "{profile:?}");
    }
}

#[test]
fn a_given_password_replaces_the_merchant_number() {
    let (_dir, authority) = authority();
    let issued = issue(&authority, P12Profile::Modern, Some("correct horse"));
    let open = |password| KeyStore::from_pkcs12(&issued.p12, password, Pkcs12ImportPolicy::Strict);
    assert!(open("correct horse").is_ok());
    assert!(open("10000098").is_err());
}

#[test]
fn a_server_certificate_has_its_names_and_addresses_and_names_no_merchant() {
    let (_dir, authority) = authority();
    let names = ["10000098".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let issued = authority.issue_server(&names, &terms(1)).unwrap();
    let cert = der(&issued.cert_pem);
    let (_, parsed) = X509Certificate::from_der(&cert).unwrap();
    let alternatives = parsed.subject_alternative_name().unwrap().unwrap();
    let v6 = std::net::Ipv6Addr::LOCALHOST.octets();
    assert_eq!(
        alternatives.value.general_names,
        [
            GeneralName::DNSName("10000098"),
            GeneralName::IPAddress(&[127, 0, 0, 1]),
            GeneralName::IPAddress(&v6),
        ]
    );
    assert!(matches!(merchant_of(&cert), Err(IdentityError::Usage)));
}

#[test]
fn no_certificate_outlives_the_root() {
    let (_dir, authority) = authority();
    let long = Terms { validity: Duration::from_hours(100 * 365 * 24), ..terms(1) };
    let issued = authority.issue_server(&["localhost".to_owned()], &long).unwrap();
    assert_eq!(issued.not_after, authority.not_after());
}

#[test]
fn a_loaded_authority_is_the_one_created() {
    let (dir, created) = authority();
    let loaded = Authority::load(dir.path(), &Xor(7)).unwrap();
    assert_eq!(loaded.root_pem(), created.root_pem());
    let cert = der(&issue(&loaded, P12Profile::Modern, None).cert_pem);
    let root = der(created.root_pem());
    let (_, parsed) = X509Certificate::from_der(&cert).unwrap();
    let (_, root) = X509Certificate::from_der(&root).unwrap();
    parsed.verify_signature(Some(root.public_key())).unwrap();
    assert_eq!(parsed.issuer(), root.subject());
}

#[test]
fn the_key_is_sealed_and_nobody_else_reads_it() {
    let (dir, authority) = authority();
    let ca = dir.path().join("ca");
    assert_eq!(mode(&ca), 0o700);
    assert_eq!(mode(&ca.join("ca.pem")), 0o644);
    assert_eq!(mode(&ca.join("ca.key.sealed")), 0o600);
    let sealed = fs::read(ca.join("ca.key.sealed")).unwrap();
    let key = authority.issuer().key().serialized_der();
    assert!(!sealed.windows(key.len()).any(|part| part == key));
    assert_eq!(fs::read_dir(ca).unwrap().count(), 2);
}

#[test]
fn an_authority_is_never_overwritten() {
    let (dir, _) = authority();
    let again = Authority::create(dir.path(), NOW, &Xor(7));
    assert!(matches!(again, Err(CaError::AlreadyExists(_))));
}

#[test]
fn a_creation_that_was_cut_short_can_be_repeated() {
    let (dir, _) = authority();
    fs::remove_file(dir.path().join("ca/ca.pem")).unwrap();
    Authority::create(dir.path(), NOW, &Xor(7)).unwrap();
    Authority::load(dir.path(), &Xor(7)).unwrap();
}

#[test]
fn another_master_key_another_root_or_an_open_key_file_are_refused() {
    let (dir, _) = authority();
    let (other, _) = authority();
    let load = || Authority::load(dir.path(), &Xor(7));
    assert!(matches!(Authority::load(dir.path(), &Xor(8)), Err(CaError::Seal(SealError))));

    let (cert, key) = (dir.path().join("ca/ca.pem"), dir.path().join("ca/ca.key.sealed"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(load(), Err(CaError::Permissions { mode: 0o640, .. })));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    load().unwrap();

    fs::copy(other.path().join("ca/ca.pem"), &cert).unwrap();
    assert!(matches!(load(), Err(CaError::KeyMismatch)));
}

#[test]
fn the_certificate_pack_is_written_for_its_owner_only() {
    let (dir, authority) = authority();
    let issued = issue(&authority, P12Profile::Modern, None);
    let pack = dir.path().join("pack");
    issued.write_to(&pack).unwrap();
    issued.write_to(&pack).unwrap();
    let expected: [(&str, &[u8]); 4] = [
        ("apiclient_cert.pem", issued.cert_pem.as_bytes()),
        ("apiclient_key.pem", issued.key_pem.as_bytes()),
        ("apiclient_cert.p12", &issued.p12),
        ("rootca.pem", authority.root_pem().as_bytes()),
    ];
    for (name, bytes) in expected {
        assert_eq!(fs::read(pack.join(name)).unwrap(), bytes, "{name}");
        assert_eq!(mode(&pack.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read_dir(&pack).unwrap().count(), 4);
}

#[test]
fn debug_output_holds_no_key() {
    let (_dir, authority) = authority();
    let issued = issue(&authority, P12Profile::Modern, None);
    let shown = format!("{authority:?} {issued:?}");
    assert!(!shown.contains("PRIVATE") && !shown.contains("p12"), "{shown}");
}
