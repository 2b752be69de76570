//! What the jobs read and remember.

use hongbao_app::ports::{
    DuePacket, DueScan, JournalCursor, PendingPayout, StoreError, WalletEntry,
};
use hongbao_domain::{
    MerchantId, Reference, Timestamp, UserId,
    ledger::{JournalRow, Owner},
    merchant::Merchant,
    packet::{Packet, PacketState},
    wallet::PayoutState,
};

use super::state::{State, conflict, page};

impl State {
    fn all_merchants(&self) -> impl Iterator<Item = &Merchant> {
        self.merchants.values().map(|record| &record.merchant)
    }

    pub(super) fn due_packets(&self, now: Timestamp, limit: u32) -> DueScan {
        let mut packets: Vec<DuePacket> = self
            .packets
            .values()
            .filter(|packet| packet.state == PacketState::Open && self.due(packet, now))
            .map(|packet| DuePacket { packet: packet.key, expire_at: packet.expire_at })
            .collect();
        packets.sort_by_key(|due| (due.expire_at, due.packet));
        packets.truncate(page(limit));
        let times =
            self.all_merchants().map(|merchant| (merchant.id, merchant.time(now))).collect();
        DueScan { packets, times }
    }

    fn due(&self, packet: &Packet, now: Timestamp) -> bool {
        let id = packet.key.merchant;
        let Some(record) = self.merchants.get(&id) else {
            return false;
        };
        let time = record.merchant.time(now);
        // A cursor ahead of the time was told by a wrong clock.
        let through = self.settled.get(&id).filter(|through| **through <= time);
        packet.expire_at <= time && through.is_none_or(|through| packet.expire_at > *through)
    }

    pub(super) fn settled_through(&mut self, times: &[(MerchantId, Timestamp)]) {
        self.settled.extend(times.iter().copied());
    }

    pub(super) fn unfollowed(&self, after: Option<MerchantId>, limit: u32) -> Vec<JournalCursor> {
        self.all_merchants()
            .map(|merchant| JournalCursor {
                merchant: merchant.id,
                followed: self.followed_of(merchant.id),
                head: merchant.book.journal.seq,
            })
            .filter(|cursor| Some(cursor.merchant) > after && cursor.followed < cursor.head)
            .take(page(limit))
            .collect()
    }

    pub(super) fn followed_of(&self, merchant: MerchantId) -> u64 {
        self.followed.get(&merchant).copied().unwrap_or(0)
    }

    pub(super) fn journal_after(&self, owner: Owner, seq: u64, limit: u32) -> Vec<JournalRow> {
        let rows = self.journals.get(&owner).map(Vec::as_slice);
        rows.unwrap_or_default()
            .iter()
            .filter(|row| row.seq > seq)
            .take(page(limit))
            .cloned()
            .collect()
    }

    pub(super) fn follow(
        &mut self,
        merchant: MerchantId,
        from: u64,
        to: u64,
        lines: &[WalletEntry],
    ) -> Result<(), StoreError> {
        if self.followed_of(merchant) != from {
            return Err(conflict("journal cursor"));
        }
        for line in lines {
            self.wallet_lines.entry((line.user, line.seq)).or_insert_with(|| line.clone());
        }
        self.followed.insert(merchant, to);
        Ok(())
    }

    pub(super) fn pending_payouts(
        &self,
        after: Option<&PendingPayout>,
        limit: u32,
    ) -> Vec<PendingPayout> {
        fn place(payout: &PendingPayout) -> (Timestamp, UserId, &Reference) {
            (payout.at, payout.user, &payout.reference)
        }
        let mut pending: Vec<PendingPayout> = self
            .payouts
            .iter()
            .filter(|(_, payout)| payout.state == PayoutState::Pending)
            .map(|(key, payout)| PendingPayout {
                user: key.user,
                reference: key.reference.clone(),
                amount: payout.amount,
                at: payout.at,
            })
            .collect();
        pending.retain(|payout| after.is_none_or(|last| place(payout) > place(last)));
        pending.sort_by(|one, other| place(one).cmp(&place(other)));
        pending.truncate(page(limit));
        pending
    }
}
