//! One consistent view of everything: a read transaction on a connection of its own.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use hongbao_app::ports::{AuditFinding, AuditSource, StoreError};
use hongbao_domain::{
    MerchantId, PacketKey, UserId,
    ledger::{JournalRow, Owner},
    limit::DayUse,
    merchant::Merchant,
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::Wallet,
};
use rusqlite::Connection;

use super::{open, schema};
use crate::{
    error::{Failure, Outcome},
    queries::{audit, journal},
    session::ready,
    settings::SettingsCache,
};

/// The view. Its connection travels to a blocking thread and back with every call.
pub(super) struct Snapshot {
    connection: Option<Connection>,
    settings: Arc<SettingsCache>,
}

impl Snapshot {
    /// Opens a connection and fixes what it sees.
    pub(super) async fn open(
        path: &Path,
        settings: Arc<SettingsCache>,
    ) -> Result<Self, StoreError> {
        let path = path.to_owned();
        let opening = move || {
            let unavailable = |error: open::OpenError| StoreError::Unavailable(error.to_string());
            let connection = open::auditor(&path).map_err(unavailable)?;
            // The snapshot is taken by the first read, not by BEGIN.
            let begun = connection
                .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
                .map_err(|error| Failure::from(error).into_store());
            begun.map(|()| connection)
        };
        let connection = tokio::task::spawn_blocking(opening).await;
        let connection =
            connection.map_err(|error| StoreError::Unavailable(error.to_string()))??;
        Ok(Self { connection: Some(connection), settings })
    }

    /// Runs `query` on the view, away from the async threads.
    pub(super) async fn read<T: Send + 'static>(
        &mut self,
        query: impl FnOnce(&Connection, &SettingsCache) -> Outcome<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let lost = || StoreError::Unavailable("the snapshot was given up half-way".to_owned());
        let connection = self.connection.take().ok_or_else(lost)?;
        let settings = Arc::clone(&self.settings);
        let reading = move || {
            let result = query(&connection, &settings);
            (connection, result)
        };
        let read = tokio::task::spawn_blocking(reading).await;
        let (connection, result) =
            read.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.connection = Some(connection);
        result.map_err(Failure::into_store)
    }
}

#[async_trait]
impl AuditSource for Snapshot {
    async fn structure(&mut self) -> Result<Vec<String>, StoreError> {
        self.read(|connection, _| structure(connection)).await
    }

    async fn merchants(&mut self) -> Result<Vec<Merchant>, StoreError> {
        self.read(|tx, settings| ready(audit::merchants(tx, settings))).await
    }

    async fn journal(
        &mut self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        self.read(move |tx, _| ready(journal::after(tx, owner, seq, limit))).await
    }

    async fn wallets(&mut self, user: UserId, limit: u32) -> Result<Vec<Wallet>, StoreError> {
        self.read(move |tx, _| ready(audit::wallets(tx, user, limit))).await
    }

    async fn packets(
        &mut self,
        merchant: MerchantId,
        no: u64,
        limit: u32,
    ) -> Result<Vec<Packet>, StoreError> {
        self.read(move |tx, _| ready(audit::packets(tx, merchant, no, limit))).await
    }

    async fn group_claims(
        &mut self,
        merchant: MerchantId,
        after: (u64, u32),
        limit: u32,
    ) -> Result<Vec<(PacketKey, GroupClaim)>, StoreError> {
        self.read(move |tx, _| ready(audit::group_claims(tx, merchant, after, limit))).await
    }

    async fn user_days(
        &mut self,
        merchant: MerchantId,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<(UserId, DayUse)>, StoreError> {
        self.read(move |tx, _| ready(audit::user_days(tx, merchant, user, limit))).await
    }

    async fn orders(
        &mut self,
        caller: MerchantId,
        bill_no: &str,
        limit: u32,
    ) -> Result<Vec<(OrderKey, Order)>, StoreError> {
        let bill_no = bill_no.to_owned();
        self.read(move |tx, _| ready(audit::orders(tx, caller, &bill_no, limit))).await
    }

    async fn projections(&mut self) -> Result<Vec<AuditFinding>, StoreError> {
        self.read(|tx, _| ready(audit::projections(tx))).await
    }
}

fn structure(connection: &Connection) -> Outcome<Vec<String>> {
    let mut sentences = Vec::new();
    let mut check = connection.prepare_cached("PRAGMA integrity_check(100)")?;
    let found = check.query_map((), |row| row.get::<_, String>(0))?;
    for sentence in found {
        let sentence = sentence?;
        if sentence != "ok" {
            sentences.push(sentence);
        }
    }
    match schema::differences(connection) {
        Ok(differences) => sentences.extend(differences),
        Err(error) => sentences.push(error.to_string()),
    }
    let settings = [open::check_version(), open::check_settings(connection)];
    sentences.extend(settings.into_iter().filter_map(Result::err).map(|error| error.to_string()));
    Ok(sentences)
}
