//! What a backup says of itself.

use std::{fs, path::Path};

use hongbao_app::{
    heads::Heads,
    ports::{AuditSource, StoreError},
};
use hongbao_domain::ledger::Owner;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, MANIFEST, disk::at, unusable};
use crate::heads;

/// The form of manifest and folder; a newer one is refused.
const FORMAT: u32 = 1;

/// What a backup says of itself. It finds damage, not forgery: whoever can write the store of a
/// backup can write this too. Heads that are kept elsewhere find that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub hongbao_backup: u32,
    /// The program that made it.
    pub program: String,
    /// The newest migration in the store.
    pub schema: i64,
    /// The moment that it shows: everything that was answered before is in it.
    pub taken_at: String,
    /// The store.
    pub database: Database,
    /// SHA-256 of `secrets.json`, if that belongs to the backup.
    pub secrets_sha256: Option<String>,
    /// The journals at that moment.
    pub heads: HeadsSummary,
}

/// The store of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its file in the folder.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// Every journal of a store in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsSummary {
    /// Heads of merchants' journals, as they are exported.
    pub merchants: Vec<serde_json::Value>,
    /// The journals of users.
    pub users: UserHeads,
    /// SHA-256 over all journals, merchants' first: a line `journal seq hash` each.
    pub digest: String,
}

/// Users' journals: too many to name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserHeads {
    /// How many.
    pub journals: u64,
    /// SHA-256 over them, like the one over all.
    pub digest: String,
}

impl Manifest {
    /// A manifest of this program's form.
    pub(super) fn new(
        taken_at: String,
        schema: i64,
        database: Database,
        heads: HeadsSummary,
    ) -> Self {
        Self {
            hongbao_backup: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            schema,
            taken_at,
            database,
            secrets_sha256: None,
            heads,
        }
    }

    /// The manifest of the backup in `folder`.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(MANIFEST);
        if !path.exists() {
            return Err(unusable(
                folder,
                "is no backup, or one that was not finished: it has no manifest.json",
            ));
        }
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let value: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| unusable(&path, format!("is not whole: {error}")))?;
        let format = value.get("hongbao_backup").and_then(serde_json::Value::as_u64);
        match format {
            Some(format) if format > u64::from(FORMAT) => {
                Err(unusable(path, "was made by a newer program: restore it with that one"))
            }
            Some(_) => serde_json::from_value(value)
                .map_err(|error| unusable(path, format!("is not whole: {error}"))),
            None => Err(unusable(path, "is not the manifest of a backup")),
        }
    }

    /// Writes it as text.
    pub(super) fn text(&self) -> Result<String, BackupError> {
        let text = serde_json::to_string_pretty(self);
        text.map_err(|error| unusable(MANIFEST, error.to_string()))
    }
}

impl HeadsSummary {
    /// The journals of `source`.
    pub async fn of(source: &mut dyn AuditSource) -> Result<Self, StoreError> {
        let mut pages = Heads::of(source);
        let mut merchants = Vec::new();
        let (mut all, mut of_users, mut journals) = (Sha256::new(), Sha256::new(), 0_u64);
        while let Some(page) = pages.page().await? {
            for (journal, head) in page {
                let line = format!("{journal} {} {}\n", head.seq, head.hash);
                all.update(&line);
                match journal {
                    Owner::Merchant(_) => merchants.push(heads::line(journal, &head)),
                    Owner::User(_) => {
                        of_users.update(&line);
                        journals = journals.saturating_add(1);
                    }
                }
            }
        }
        Ok(Self {
            merchants,
            users: UserHeads { journals, digest: hex::encode(of_users.finalize()) },
            digest: hex::encode(all.finalize()),
        })
    }

    /// In what `found` is another; empty when it is the same.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut sentences = Vec::new();
        let (wanted, others) = (self.merchants.iter(), &found.merchants);
        for line in wanted.filter(|line| !others.contains(line)) {
            sentences.push(format!("the manifest has the head {line} and the store has not"));
        }
        if self.users != found.users {
            sentences.push(format!(
                "the manifest has {} journals of users and the store {}, or they have other heads",
                self.users.journals, found.users.journals
            ));
        }
        if sentences.is_empty() && self != found {
            sentences.push("the store has journals that are not in the manifest".to_owned());
        }
        sentences
    }
}
