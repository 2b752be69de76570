//! Opening a packet.

use hongbao_domain::{
    PacketCode, UserId,
    packet::{ClaimShare, Claimed},
};

use crate::{App, AppError};

impl App {
    /// The user opens the packet, or is told again what was in it.
    pub async fn open_packet(&self, code: PacketCode, user: UserId) -> Result<Claimed, AppError> {
        Ok(self.executor.submit(ClaimShare { code, user }).await?)
    }
}
