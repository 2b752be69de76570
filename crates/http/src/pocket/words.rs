//! Words of the domain as they stand in JSON.

use hongbao_domain::{
    message::MessageForm,
    packet::{PacketKind, PacketStatus},
};
use serde::Serialize;
use utoipa::ToSchema;

/// How a message looks.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageForm)]
pub(crate) enum FormWord {
    /// A card with title, sender and activity.
    Template,
    /// The red envelope itself, which a normal message cannot imitate.
    AntiFake,
}

/// One receiver, or a group.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PacketKind)]
pub(crate) enum KindWord {
    /// One receiver.
    Normal,
    /// A group of shares that the first receiver passes on.
    Group,
}

/// Where an order and its packet stand.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PacketStatus)]
pub(crate) enum StatusWord {
    /// Refused for a curable cause, waiting for the same number again.
    Sending,
    /// Money taken, something left to claim.
    Sent,
    /// Failed for good.
    Failed,
    /// Everything claimed.
    Received,
    /// Ended, the refund is due.
    Refunding,
    /// The rest is back with the merchant.
    Refunded,
}

impl From<MessageForm> for FormWord {
    fn from(form: MessageForm) -> Self {
        match form {
            MessageForm::Template => Self::Template,
            MessageForm::AntiFake => Self::AntiFake,
        }
    }
}

impl From<PacketKind> for KindWord {
    fn from(kind: PacketKind) -> Self {
        match kind {
            PacketKind::Normal => Self::Normal,
            PacketKind::Group => Self::Group,
        }
    }
}

impl From<PacketStatus> for StatusWord {
    fn from(status: PacketStatus) -> Self {
        match status {
            PacketStatus::Sending => Self::Sending,
            PacketStatus::Sent => Self::Sent,
            PacketStatus::Failed => Self::Failed,
            PacketStatus::Received => Self::Received,
            PacketStatus::Refunding => Self::Refunding,
            PacketStatus::Refunded => Self::Refunded,
        }
    }
}
