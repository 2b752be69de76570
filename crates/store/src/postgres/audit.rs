//! One consistent view of everything: a snapshot on a connection of its own.

use std::sync::Arc;

use async_trait::async_trait;
use hongbao_app::ports::{AuditFinding, AuditSource, Spread, StoreError};
use hongbao_domain::{
    MerchantId, PacketKey, UserId,
    ledger::{JournalRow, Owner},
    limit::DayUse,
    merchant::Merchant,
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::Wallet,
};

use super::{distribute, open, pool::Mode, pool::Transaction, prepared, schema, store::Shared};
use crate::{
    error::{Failure, Outcome},
    queries::{audit, journal},
};

/// The view.
pub(super) struct Snapshot {
    transaction: Transaction,
    shared: Arc<Shared>,
}

impl Snapshot {
    /// Fixes what is seen.
    pub(super) async fn open(shared: Arc<Shared>) -> Outcome<Self> {
        let transaction = shared.connections.begin(Mode::Snapshot).await?;
        // The snapshot is taken by the first read, not by BEGIN.
        let _taken: i32 = super::session::scalar(&transaction, "SELECT 1").await?;
        if transaction.distributed() {
            let client = transaction.client()?;
            distribute::hold_up_writers(client).await?;
            prepared::none_hangs(client).await?;
            distribute::fix_view(client).await?;
        }
        Ok(Self { transaction, shared })
    }
}

#[async_trait]
impl AuditSource for Snapshot {
    async fn structure(&mut self) -> Result<Vec<String>, StoreError> {
        let client = self.transaction.client().map_err(Failure::into_store)?;
        let mut sentences = match schema::differences(client).await {
            Ok(differences) => differences,
            Err(error) => vec![error.to_string()],
        };
        sentences.extend(open::check_server(client).await.err().map(|error| error.to_string()));
        Ok(sentences)
    }

    async fn merchants(&mut self) -> Result<Vec<Merchant>, StoreError> {
        let found = audit::merchants(&self.transaction, &self.shared.settings).await;
        found.map_err(Failure::into_store)
    }

    async fn journal(
        &mut self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let found = journal::after(&self.transaction, owner, seq, limit).await;
        found.map_err(Failure::into_store)
    }

    async fn wallets(&mut self, user: UserId, limit: u32) -> Result<Vec<Wallet>, StoreError> {
        audit::wallets(&self.transaction, user, limit).await.map_err(Failure::into_store)
    }

    async fn packets(
        &mut self,
        merchant: MerchantId,
        no: u64,
        limit: u32,
    ) -> Result<Vec<Packet>, StoreError> {
        let found = audit::packets(&self.transaction, merchant, no, limit).await;
        found.map_err(Failure::into_store)
    }

    async fn group_claims(
        &mut self,
        merchant: MerchantId,
        after: (u64, u32),
        limit: u32,
    ) -> Result<Vec<(PacketKey, GroupClaim)>, StoreError> {
        let found = audit::group_claims(&self.transaction, merchant, after, limit).await;
        found.map_err(Failure::into_store)
    }

    async fn user_days(
        &mut self,
        merchant: MerchantId,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<(UserId, DayUse)>, StoreError> {
        let found = audit::user_days(&self.transaction, merchant, user, limit).await;
        found.map_err(Failure::into_store)
    }

    async fn orders(
        &mut self,
        caller: MerchantId,
        bill_no: &str,
        limit: u32,
    ) -> Result<Vec<(OrderKey, Order)>, StoreError> {
        let found = audit::orders(&self.transaction, caller, bill_no, limit).await;
        found.map_err(Failure::into_store)
    }

    async fn spread(&mut self) -> Result<Option<Spread>, StoreError> {
        if !self.transaction.distributed() {
            return Ok(None);
        }
        let client = self.transaction.client().map_err(Failure::into_store)?;
        distribute::spread(client).await.map(Some).map_err(Failure::into_store)
    }

    async fn projections(&mut self) -> Result<Vec<AuditFinding>, StoreError> {
        audit::projections(&self.transaction).await.map_err(Failure::into_store)
    }
}
