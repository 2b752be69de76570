//! `apiclient_cert.p12`: key, certificate and root under one password.

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
    PrivateKeyChain,
};

use super::CaError;

/// The name of the entry, as Java's key stores show it.
const ALIAS: &str = "apiclient";

/// How a p12 is encrypted. The root in it lets clients that take trust from it (Node) trust a
/// server certificate of the same authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum P12Profile {
    /// AES-256 and SHA-256: OpenSSL 1.1 and later without its legacy provider, Java 8u301 and
    /// later, current Windows and macOS.
    #[default]
    Modern,
    /// Triple DES and SHA-1, for Java before 8u301 and Windows Server 2012. OpenSSL 3 still opens
    /// it without its legacy provider (it is RC2 that it does not).
    Legacy,
}

/// What goes into the file.
pub(super) struct Contents<'a> {
    pub(super) key: &'a [u8],
    pub(super) certificate: &'a [u8],
    pub(super) root: &'a [u8],
    pub(super) password: &'a str,
    pub(super) profile: P12Profile,
}

/// The file's bytes.
pub(super) fn bundle(contents: &Contents<'_>) -> Result<Vec<u8>, CaError> {
    let chain =
        [Certificate::from_der(contents.certificate)?, Certificate::from_der(contents.root)?];
    let key = PrivateKey::from_der(contents.key)?;
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(ALIAS, key, chain);
    store.add_entry(ALIAS, KeyStoreEntry::PrivateKeyChain(entry));
    let (encryption, mac) = match contents.profile {
        P12Profile::Modern => {
            (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256)
        }
        P12Profile::Legacy => {
            (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1)
        }
    };
    Ok(store
        .writer(contents.password)
        .encryption_algorithm(encryption)
        .mac_algorithm(mac)
        .write()?)
}
