//! What an installation keeps beside its store: without the master key sealed keys do not open,
//! and with both in one place the seal protects nothing (J-10). So they are left out of a backup
//! unless asked for, and then lie in a file of their own.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    BackupError,
    disk::{self, at},
    in_the_way, unusable,
};

/// The files, as they lie in a data directory. Nothing else is ever written there by a restore.
const FILES: [&str; 5] =
    ["master.key", "user-token.secret", "operators.json", "ca/ca.pem", "ca/ca.key.sealed"];

/// Secrets of an installation.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Secrets {
    hongbao_secrets: u32,
    files: Vec<SecretFile>,
}

#[derive(Serialize, Deserialize)]
struct SecretFile {
    name: String,
    base64: String,
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        self.base64.zeroize();
    }
}

impl std::fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretFile({})", self.name)
    }
}

impl Secrets {
    /// The names of those files that `data` has.
    pub fn names(data: &Path) -> Vec<&'static str> {
        FILES.into_iter().filter(|name| data.join(name).exists()).collect()
    }

    /// Reads the secrets in `data`.
    pub fn read(data: &Path) -> Result<Self, BackupError> {
        let mut files = Vec::new();
        for name in Self::names(data) {
            let path = data.join(name);
            let bytes = fs::read(&path).map(Zeroizing::new).map_err(at(&path))?;
            let base64 = STANDARD.encode(bytes.as_slice());
            files.push(SecretFile { name: name.to_owned(), base64 });
        }
        if files.is_empty() {
            return Err(unusable(data, "has no secrets: is it the data directory?"));
        }
        Ok(Self { hongbao_secrets: 1, files })
    }

    /// As text for a file.
    pub(super) fn text(&self) -> Result<Zeroizing<String>, BackupError> {
        let text = serde_json::to_string_pretty(self).map(Zeroizing::new);
        text.map_err(|error| unusable(super::SECRETS, error.to_string()))
    }

    /// Reads what [`Secrets::text`] wrote to `path`.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, BackupError> {
        let secrets: Self = serde_json::from_str(text)
            .map_err(|error| unusable(path, format!("is not whole: {error}")))?;
        match secrets.files.iter().find(|file| !FILES.contains(&file.name.as_str())) {
            Some(file) => Err(unusable(path, format!("{:?} is no secret's name", file.name))),
            None if secrets.hongbao_secrets == 1 => Ok(secrets),
            None => Err(unusable(path, "was made by a newer program: restore it with that one")),
        }
    }

    /// Puts every file into `data`, where none of them may be.
    pub(super) fn put_into(&self, data: &Path) -> Result<(), BackupError> {
        let authority = data.join("ca");
        if self.files.iter().any(|file| file.name.starts_with("ca/")) && !authority.exists() {
            disk::make_folder(&authority).map_err(at(&authority))?;
        }
        for file in &self.files {
            let path = data.join(&file.name);
            if path.exists() {
                return Err(in_the_way(path, "is there already and is left as it is"));
            }
            let bytes = STANDARD.decode(file.base64.as_bytes()).map(Zeroizing::new);
            let bytes = bytes.map_err(|error| unusable(&path, error.to_string()))?;
            disk::write(&path, &bytes)?;
        }
        if authority.exists() {
            disk::sync_folder(&authority)?;
        }
        disk::sync_folder(data)
    }
}
