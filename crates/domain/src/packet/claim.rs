//! Claiming: the next share of an open packet moves from escrow to a wallet at once.

use super::{Packet, PacketKind, PacketState};
use crate::{
    facts::{Accepted, Command, Effects, Facts, Needs, Verdict},
    ids::{Access, PacketCode, UserId},
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    merchant::Merchant,
    money::Fen,
    refusal::Refusal,
    time::Timestamp,
};

/// A user opens a packet.
#[derive(Clone, Debug)]
pub struct ClaimShare {
    /// The code in the user's message or in the shared link.
    pub code: PacketCode,
    /// Who opens it.
    pub user: UserId,
}

/// A share that is the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// How much.
    pub amount: Fen,
    /// The how manieth claim of the packet, from 1.
    pub share_no: u32,
    /// When.
    pub at: Timestamp,
    /// True when an earlier call claimed it.
    pub replayed: bool,
}

/// Who took which share of a group packet. A normal packet says this itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupClaim {
    /// The how manieth claim, from 1.
    pub share_no: u32,
    /// Who.
    pub user: UserId,
    /// How much.
    pub amount: Fen,
    /// When.
    pub at: Timestamp,
}

impl Command for ClaimShare {
    const NAME: &str = "claim_share";

    type Outcome = Claimed;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.code.key().merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        let key = self.code.key();
        needs.merchants.insert(key.merchant);
        needs.packets.insert(key);
        needs.group_claims.insert((key, self.user));
        needs.user_days.insert((key.merchant, self.user));
        needs.wallets.insert(self.user);
    }

    fn decide(&self, facts: &Facts) -> Verdict<Claimed> {
        let key = self.code.key();
        let packet = facts.packet(key).ok_or(Refusal::PacketUnknown)?;
        let access = self.code.access(&packet.secret).ok_or(Refusal::PacketUnknown)?;
        let merchant = facts.merchant(key.merchant)?;
        if let Some(earlier) = self.earlier(facts, packet) {
            return Ok(Accepted::already(earlier));
        }
        let at = merchant.time(facts.now);
        self.may_open(packet, access, merchant, at)?;
        let amount = packet.next_share().ok_or(Refusal::AllTaken)?;
        let wallet = facts.wallet(self.user)?;
        wallet.unfrozen()?;
        let caps = &merchant.settings.caps;
        let day = facts.user_day(key.merchant, self.user).on(at.day());
        if day.count >= caps.user_day_count {
            let (cap, used) = (caps.user_day_count, day.count);
            return Err(Refusal::UserDayCount { cap, used }.into());
        }
        let after = day.with(amount)?;
        if after.fen > caps.user_day_fen {
            let (cap, used) = (caps.user_day_fen, day.fen);
            return Err(Refusal::UserDayAmount { cap, used }.into());
        }
        let limit = after.recorded(caps.user_day_fen, Some(caps.user_day_count));
        let next = packet_after(packet, amount, at)?;
        let share_no = next.claimed_count;
        let transfer = Transfer {
            kind: TransferKind::Claim,
            journal: Owner::Merchant(key.merchant),
            from: Account::merchant(key.merchant, AccountKind::Escrow),
            to: Account::user(self.user, AccountKind::Wallet),
            amount,
            subject: Subject::Share { packet: key.no, share_no },
            limit: Some(limit),
            at,
        };
        let group_claim = (packet.kind == PacketKind::Group)
            .then_some((key, GroupClaim { share_no, user: self.user, amount, at }));
        let effects = Effects {
            transfers: vec![transfer],
            packet: Some(next),
            group_claim,
            user_day: Some(((key.merchant, self.user), after)),
            ..Effects::default()
        };
        Ok(Accepted { outcome: Claimed { amount, share_no, at, replayed: false }, effects })
    }
}

impl ClaimShare {
    /// What this user has of the packet already.
    fn earlier(&self, facts: &Facts, packet: &Packet) -> Option<Claimed> {
        match (packet.kind, packet.state) {
            (PacketKind::Normal, PacketState::Claimed { at }) if packet.receiver == self.user => {
                Some(Claimed { amount: packet.total, share_no: 1, at, replayed: true })
            }
            (PacketKind::Normal, _) => None,
            (PacketKind::Group, _) => facts.group_claim(packet.key, self.user).map(|claim| {
                let GroupClaim { share_no, amount, at, user: _ } = *claim;
                Claimed { amount, share_no, at, replayed: true }
            }),
        }
    }

    fn may_open(
        &self,
        packet: &Packet,
        access: Access,
        merchant: &Merchant,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        merchant.unfrozen()?;
        let receiver = packet.receiver == self.user;
        // The code of a message is the receiver's alone; a normal packet has no shared link.
        if !receiver && (access == Access::Message || packet.kind == PacketKind::Normal) {
            return Err(Refusal::NotTheReceiver);
        }
        match packet.state {
            PacketState::Open if at < packet.expire_at => {}
            PacketState::Claimed { .. } if at < packet.expire_at => return Err(Refusal::AllTaken),
            PacketState::Open | PacketState::Claimed { .. } | PacketState::Refunded { .. } => {
                return Err(Refusal::PacketExpired { expired_at: packet.expire_at });
            }
        }
        if !receiver && packet.claimed_count == 0 {
            return Err(Refusal::SeedFirst);
        }
        Ok(())
    }
}

fn packet_after(packet: &Packet, amount: Fen, at: Timestamp) -> Result<Packet, Refusal> {
    let claimed_count = packet.claimed_count.checked_add(1).ok_or(Refusal::MoneyOverflow)?;
    let last = claimed_count == packet.share_count;
    Ok(Packet {
        claimed: packet.claimed.plus(amount)?,
        claimed_count,
        state: if last { PacketState::Claimed { at } } else { PacketState::Open },
        version: packet.version.checked_add(1).ok_or(Refusal::MoneyOverflow)?,
        ..packet.clone()
    })
}
