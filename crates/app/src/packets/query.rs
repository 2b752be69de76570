//! Asking what became of an order.

use hongbao_domain::{
    Timestamp,
    packet::{OrderKey, PacketStatus},
};

use crate::{App, AppError, ports::OrderRecord};

/// An order, its packet and its claims, with the status at one instant.
#[derive(Clone, Debug)]
pub struct PacketReport {
    /// What is stored.
    pub record: OrderRecord,
    /// The status at `at`.
    pub status: PacketStatus,
    /// The merchant's time of the report.
    pub at: Timestamp,
}

impl App {
    /// The order with this number.
    pub async fn query_order(&self, key: &OrderKey) -> Result<PacketReport, AppError> {
        let record = self.store.order(key).await?.ok_or(AppError::NotFound { what: "order" })?;
        let at = record.merchant.time(self.store.now().await?);
        let status = PacketStatus::of(&record.order, record.packet.as_ref(), at);
        Ok(PacketReport { record, status, at })
    }
}
