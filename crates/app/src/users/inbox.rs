//! Messages that tell of packets, and the history of a wallet.

use std::sync::Arc;

use async_trait::async_trait;
use hongbao_domain::{PacketCode, PacketKey, Timestamp, UserId, ids::Access, packet::PacketStatus};

use crate::{
    App, AppError,
    ports::{Message, Notifier, NotifyError, OrderRecord, Store, WalletEntry},
};

/// Reaches people by the platform's own inbox.
pub struct Inbox(pub Arc<dyn Store>);

#[async_trait]
impl Notifier for Inbox {
    async fn notify(&self, messages: &[Message]) -> Result<(), NotifyError> {
        Ok(self.0.put_messages(messages).await?)
    }
}

/// A message with what it tells of.
#[derive(Clone, Debug)]
pub struct InboxLine {
    /// The message.
    pub message: Message,
    /// The packet it tells of.
    pub record: OrderRecord,
    /// The code that opens it.
    pub code: PacketCode,
    /// The packet's status now.
    pub status: PacketStatus,
}

impl App {
    /// Messages older than `before`, newest first.
    pub async fn inbox(
        &self,
        user: UserId,
        before: Option<(Timestamp, PacketKey)>,
        limit: u32,
    ) -> Result<Vec<InboxLine>, AppError> {
        let now = self.store.now().await?;
        let mut lines = Vec::new();
        for message in self.store.messages(user, before, limit).await? {
            let Some(record) = self.store.order_of_packet(message.packet).await? else {
                continue;
            };
            let Some(packet) = &record.packet else {
                continue;
            };
            let at = record.merchant.time(now);
            lines.push(InboxLine {
                code: PacketCode::new(packet.key, &packet.secret, Access::Message),
                status: PacketStatus::of(&record.order, Some(packet), at),
                message,
                record,
            });
        }
        Ok(lines)
    }

    /// History lines of a wallet with `seq` below `before`, newest first.
    pub async fn wallet_entries(
        &self,
        user: UserId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<WalletEntry>, AppError> {
        Ok(self.store.wallet_entries(user, before, limit).await?)
    }
}
