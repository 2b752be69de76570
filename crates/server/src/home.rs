//! The data directory: the secrets of an installation, readable by its owner only.
//!
//! | file | what | made |
//! | --- | --- | --- |
//! | `master.key` | seals V2 keys and the authority's key | at first start; never lose it |
//! | `user-token.secret` | signs user tokens where the host app has no key set | at first start |
//! | `operators.json` | hashes and permissions of operator tokens | at first start |
//! | `ca/` | the certificate authority | at first start |
//! | `hongbao.db` | the store, unless it is elsewhere | by the store |

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use hongbao_app::{
    ports::{Clock, Rng, random_bytes},
    vault::{Vault, VaultError},
};
use zeroize::Zeroizing;

use crate::ca::{Authority, CaError, KeySeal, SealError};

/// Owner may read and write, nobody else anything (O-6).
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;
/// Where a master key comes from when it shall not lie on the disk.
const MASTER_KEY_VARIABLE: &str = "HONGBAO_MASTER_KEY";

/// Why an installation's secrets cannot be used. Says which file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file or directory cannot be read or made.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read a secret.
    #[error("{path} has mode {mode:o}, and others must not read it: run `chmod 600 {path}`")]
    Open {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The store has data and the master key that opens it is gone.
    #[error(
        "{path} is missing, but this installation was started before: restore it from your backup \
         (a new key would open nothing that the old one sealed)"
    )]
    MasterKeyLost {
        /// Where it should be.
        path: PathBuf,
    },
    /// A demo was asked for in the directory of a real installation.
    #[error("{path} belongs to a platform that is served, not to a demo: give another --data")]
    NotADemo {
        /// Which directory.
        path: PathBuf,
    },
    /// The master key is not one, or not the one.
    #[error("the master key: {0}")]
    Vault(#[from] VaultError),
    /// The authority cannot be made or loaded.
    #[error("the certificate authority: {0}")]
    Authority(#[from] CaError),
}

/// An installation's data directory.
#[derive(Clone, Debug)]
pub struct Home {
    directory: PathBuf,
}

impl Home {
    /// Opens `directory`, and makes it if it is not there.
    pub fn open(directory: &Path) -> Result<Self, HomeError> {
        let made = fs::DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory);
        made.map_err(io_error(directory))?;
        let directory = directory.canonicalize().map_err(io_error(directory))?;
        Ok(Self { directory })
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The vault under the installation's master key, made at the first start.
    pub fn vault(&self, rng: &dyn Rng) -> Result<Vault, HomeError> {
        if let Ok(text) = std::env::var(MASTER_KEY_VARIABLE) {
            return Ok(Vault::open_with(&Zeroizing::new(text))?);
        }
        let path = self.path("master.key");
        if !path.exists() && self.path("ca").exists() {
            return Err(HomeError::MasterKeyLost { path });
        }
        let text = self.secret("master.key", || Vault::new_master_key(rng))?;
        Ok(Vault::open_with(&text)?)
    }

    /// The certificate authority, made at the first start.
    pub fn authority(
        &self,
        vault: Vault,
        clock: &dyn Clock,
        rng: Arc<dyn Rng>,
    ) -> Result<Authority, HomeError> {
        let seal = VaultSeal { vault, rng };
        if self.path("ca/ca.pem").exists() {
            Ok(Authority::load(&self.directory, &seal)?)
        } else {
            Ok(Authority::create(&self.directory, clock.now(), &seal)?)
        }
    }

    /// The shared secret of user tokens, made at the first start.
    pub fn user_token_secret(&self, rng: &dyn Rng) -> Result<Zeroizing<String>, HomeError> {
        self.secret("user-token.secret", || {
            Zeroizing::new(hex::encode(Zeroizing::new(random_bytes::<32>(rng))))
        })
    }

    /// The secret in the file `name`; `make` gives the first one.
    pub fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> Zeroizing<String>,
    ) -> Result<Zeroizing<String>, HomeError> {
        let path = self.path(name);
        if path.exists() {
            check_private(&path)?;
            return fs::read_to_string(&path).map(Zeroizing::new).map_err(io_error(&path));
        }
        let text = make();
        self.write_private(name, text.as_bytes())?;
        Ok(text)
    }

    /// Writes a file that only its owner may read, replacing it as a whole.
    pub fn write_private(&self, name: &str, content: &[u8]) -> Result<PathBuf, HomeError> {
        let (path, next) = (self.path(name), self.path(&format!("{name}.next")));
        let write = || -> io::Result<()> {
            let mut options = fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(FILE_MODE);
            let mut file = options.open(&next)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&next, &path)?;
            // The new name is durable only with its directory.
            fs::File::open(&self.directory)?.sync_all()
        };
        write().map_err(io_error(&path))?;
        Ok(path)
    }
}

/// The six lowest bits of a mode are what group and others may do.
fn check_private(path: &Path) -> Result<(), HomeError> {
    let mode = fs::metadata(path).map_err(io_error(path))?.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(HomeError::Open { path: path.to_owned(), mode })
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::Io { path, source }
}

/// The vault as the authority's way to seal its key.
struct VaultSeal {
    vault: Vault,
    rng: Arc<dyn Rng>,
}

impl KeySeal for VaultSeal {
    fn seal(&self, label: &str, plain: &[u8]) -> Vec<u8> {
        // Sealing a few bytes under a fresh nonce has no way to fail; an empty seal never opens.
        self.vault.seal(self.rng.as_ref(), label, plain).unwrap_or_default()
    }

    fn open(&self, label: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.vault.open(label, sealed).map(|plain| plain.to_vec()).map_err(|_opaque| SealError)
    }
}

#[cfg(test)]
mod tests {
    use hongbao_app::ports::SystemRng;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("data")).unwrap();
        let first = home.user_token_secret(&SystemRng).unwrap();
        assert_eq!(home.user_token_secret(&SystemRng).unwrap(), first);
        let path = home.path("user-token.secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = home.user_token_secret(&SystemRng).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_lost_master_key_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        home.vault(&SystemRng).unwrap();
        fs::create_dir(home.path("ca")).unwrap();
        fs::remove_file(home.path("master.key")).unwrap();
        assert!(matches!(home.vault(&SystemRng), Err(HomeError::MasterKeyLost { .. })));
    }
}
