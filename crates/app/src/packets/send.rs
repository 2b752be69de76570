//! Sending a packet, whoever asks and however.

use std::sync::Arc;

use hongbao_domain::{
    MerchantId, PacketSecret,
    packet::{OrderKey, SendPacket, Sent, Terms},
};

use crate::{App, AppError, ports::random_bytes};

/// A request to send.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// Number and caller.
    pub order: OrderKey,
    /// Who pays, when a provider names somebody else than its sub-merchant.
    pub payer: Option<MerchantId>,
    /// What to send, and for whom.
    pub terms: Terms,
}

impl App {
    /// Sends a packet, or answers again what was sent under the same number.
    pub async fn send_packet(&self, request: SendRequest) -> Result<Sent, AppError> {
        let SendRequest { order, payer, terms } = request;
        // Without a provider `payer` says nothing: the caller pays.
        let payer = match terms.sub_merchant {
            Some(sub_merchant) => payer.unwrap_or(sub_merchant),
            None => order.caller,
        };
        let command = SendPacket {
            order,
            payer,
            terms: Arc::new(terms),
            secret: PacketSecret::new(random_bytes(self.rng.as_ref())),
        };
        Ok(self.executor.submit(command).await?)
    }
}
