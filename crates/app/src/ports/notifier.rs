//! Reaching people.

use async_trait::async_trait;

use super::{Message, StoreError};

/// A message could not be handed over; it is tried again later.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The inbox's store failed.
    #[error("the inbox could not be written")]
    Store(#[from] StoreError),
    /// The channel said no.
    #[error("the channel refused: {0}")]
    Channel(String),
}

/// Tells receivers of their packets.
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// Hands over messages. May be called again with the same ones after a failure or a crash:
    /// handing over twice must show once.
    async fn notify(&self, messages: &[Message]) -> Result<(), NotifyError>;
}
