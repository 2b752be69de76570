//! Secrets at rest: sealed under a master key that is not in the store (O-2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroizing;

use crate::ports::{Rng, random_bytes};

const NONCE_BYTES: usize = 24;
const KEY_BYTES: usize = 32;

/// A secret could not be sealed or opened. Says nothing about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The master key's text is not 32 bytes in base64.
    #[error("the master key is not 32 bytes in base64")]
    BadMasterKey,
    /// Sealed under another master key or for another label, or damaged.
    #[error("a secret does not open: wrong master key, or a damaged or moved row")]
    DoesNotOpen,
}

/// Seals secrets with XChaCha20-Poly1305. The label (which row it belongs to) is bound in, so
/// that a sealed secret cannot be moved to another row.
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// A new master key, as text to be kept in a file or a secret manager.
    pub fn new_master_key(rng: &dyn Rng) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(Zeroizing::new(random_bytes::<KEY_BYTES>(rng))))
    }

    /// A vault under the master key `text`.
    pub fn open_with(text: &str) -> Result<Self, VaultError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_bad| VaultError::BadMasterKey)?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_bad| VaultError::BadMasterKey)?;
        let bytes = Zeroizing::new(bytes);
        Ok(Self { cipher: XChaCha20Poly1305::new(&Key::from(*bytes)) })
    }

    /// Seals `plain` for the row named by `label`.
    pub fn seal(&self, rng: &dyn Rng, label: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random_bytes::<NONCE_BYTES>(rng);
        let payload = Payload { msg: plain, aad: label.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_opaque| VaultError::DoesNotOpen)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the row named by `label`.
    pub fn open(&self, label: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) =
            sealed.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::DoesNotOpen)?;
        let payload = Payload { msg: sealed, aad: label.as_bytes() };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_opaque| VaultError::DoesNotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRng;

    #[test]
    fn a_secret_opens_under_its_own_label_and_key_only() {
        let vault = Vault::open_with(&Vault::new_master_key(&SystemRng)).unwrap();
        let sealed = vault.seal(&SystemRng, "merchant/1/v2-key", b"secret").unwrap();
        assert_eq!(vault.open("merchant/1/v2-key", &sealed).unwrap().as_slice(), b"secret");
        assert_eq!(vault.open("merchant/2/v2-key", &sealed), Err(VaultError::DoesNotOpen));
        let other = Vault::open_with(&Vault::new_master_key(&SystemRng)).unwrap();
        assert_eq!(other.open("merchant/1/v2-key", &sealed), Err(VaultError::DoesNotOpen));
        assert_eq!(vault.open("merchant/1/v2-key", b"short"), Err(VaultError::DoesNotOpen));
    }

    #[test]
    fn a_master_key_of_another_length_is_refused() {
        assert!(matches!(Vault::open_with("c2hvcnQ="), Err(VaultError::BadMasterKey)));
        assert!(matches!(Vault::open_with(""), Err(VaultError::BadMasterKey)));
    }
}
