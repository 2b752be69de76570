//! Refunding: what nobody claimed by the end goes back to the account that paid, once.

use super::{Packet, PacketState};
use crate::{
    facts::{Accepted, Command, Effects, Facts, Needs, Verdict},
    ids::PacketKey,
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    money::Fen,
    refusal::Refusal,
    time::Timestamp,
};

/// Settles a packet that has ended.
#[derive(Clone, Copy, Debug)]
pub struct RefundPacket {
    /// Which.
    pub packet: PacketKey,
}

/// How a packet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// What went back; nothing when all was claimed.
    pub amount: Fen,
    /// When it was settled.
    pub at: Timestamp,
    /// True when it had been settled before.
    pub replayed: bool,
}

impl Command for RefundPacket {
    const NAME: &str = "refund_packet";

    type Outcome = Refunded;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.packet.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.merchants.insert(self.packet.merchant);
        needs.packets.insert(self.packet);
    }

    fn decide(&self, facts: &Facts) -> Verdict<Refunded> {
        let packet = facts.packet(self.packet).ok_or(Refusal::PacketUnknown)?;
        if let Some(at) = packet.state.settled_at() {
            let amount = packet.refunded()?;
            return Ok(Accepted::already(Refunded { amount, at, replayed: true }));
        }
        let at = facts.merchant(self.packet.merchant)?.time(facts.now);
        if at < packet.expire_at {
            return Err(Refusal::NotExpired { expires_at: packet.expire_at }.into());
        }
        let amount = packet.escrow()?;
        let merchant = self.packet.merchant;
        let transfer = Transfer {
            kind: TransferKind::Refund,
            journal: Owner::Merchant(merchant),
            from: Account::merchant(merchant, AccountKind::Escrow),
            to: Account::merchant(merchant, packet.paid_from),
            amount,
            subject: Subject::Packet(self.packet.no),
            limit: None,
            at,
        };
        let next = Packet {
            state: PacketState::Refunded { at },
            version: packet.version.checked_add(1).ok_or(Refusal::MoneyOverflow)?,
            ..packet.clone()
        };
        let effects =
            Effects { transfers: vec![transfer], packet: Some(next), ..Effects::default() };
        Ok(Accepted { outcome: Refunded { amount, at, replayed: false }, effects })
    }
}
