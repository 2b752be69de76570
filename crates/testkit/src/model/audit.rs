//! A copy of everything is one consistent view of it.

use async_trait::async_trait;
use hongbao_app::ports::{AuditFinding, AuditSource, StoreError};
use hongbao_domain::{
    MerchantId, PacketKey, PacketNo, UserId,
    ledger::{JournalRow, Owner, Subject},
    limit::DayUse,
    merchant::Merchant,
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::Wallet,
};

use super::{
    entries::wallet_entries_of,
    state::{State, page},
};

#[async_trait]
impl AuditSource for State {
    async fn structure(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    async fn merchants(&mut self) -> Result<Vec<Merchant>, StoreError> {
        let records = self.merchants.values();
        Ok(records.map(|record| record.merchant.clone()).collect())
    }

    async fn journal(
        &mut self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        Ok(self.journal_after(owner, seq, limit))
    }

    async fn wallets(&mut self, user: UserId, limit: u32) -> Result<Vec<Wallet>, StoreError> {
        let above = self.wallets.values().filter(|wallet| wallet.user > user);
        Ok(above.take(page(limit)).cloned().collect())
    }

    async fn packets(
        &mut self,
        merchant: MerchantId,
        no: u64,
        limit: u32,
    ) -> Result<Vec<Packet>, StoreError> {
        let above = self
            .packets
            .values()
            .filter(|packet| packet.key.merchant == merchant && packet.key.no > PacketNo::new(no));
        Ok(above.take(page(limit)).cloned().collect())
    }

    async fn group_claims(
        &mut self,
        merchant: MerchantId,
        after: (u64, u32),
        limit: u32,
    ) -> Result<Vec<(PacketKey, GroupClaim)>, StoreError> {
        let place = |key: PacketKey, claim: &GroupClaim| (key.no.get(), claim.share_no);
        let mut above: Vec<_> = self
            .group_claims
            .iter()
            .map(|((key, _), claim)| (*key, *claim))
            .filter(|(key, claim)| key.merchant == merchant && place(*key, claim) > after)
            .collect();
        above.sort_by_key(|(key, claim)| place(*key, claim));
        above.truncate(page(limit));
        Ok(above)
    }

    async fn user_days(
        &mut self,
        merchant: MerchantId,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<(UserId, DayUse)>, StoreError> {
        let above =
            self.user_days.iter().filter(|((at, whose), _)| *at == merchant && *whose > user);
        let lines = above.map(|((_, whose), day)| (*whose, *day));
        Ok(lines.take(page(limit)).collect())
    }

    async fn orders(
        &mut self,
        caller: MerchantId,
        bill_no: &str,
        limit: u32,
    ) -> Result<Vec<(OrderKey, Order)>, StoreError> {
        let above = self
            .orders
            .iter()
            .filter(|(key, _)| key.caller == caller && key.bill_no.as_str() > bill_no);
        let lines = above.map(|(key, order)| (key.clone(), order.clone()));
        Ok(lines.take(page(limit)).collect())
    }

    async fn projections(&mut self) -> Result<Vec<AuditFinding>, StoreError> {
        let handovers = self.wrong_lines().chain(self.wrong_cursors()).chain(self.lost_messages());
        Ok(handovers.map(AuditFinding::Handover).collect())
    }
}

impl State {
    fn passed(&self, row: &JournalRow) -> bool {
        match row.transfer.journal {
            Owner::Merchant(id) => row.seq <= self.followed_of(id),
            Owner::User(_) => true,
        }
    }

    fn followed_rows(&self) -> impl Iterator<Item = &JournalRow> {
        self.journals.values().flatten().filter(|row| self.passed(row))
    }

    fn wrong_lines(&self) -> impl Iterator<Item = String> {
        self.followed_rows()
            .flat_map(wallet_entries_of)
            .filter(|line| self.wallet_lines.get(&(line.user, line.seq)) != Some(line))
            .map(|line| format!("line {} of user {} is missing or wrong", line.seq, line.user))
    }

    fn wrong_cursors(&self) -> impl Iterator<Item = String> {
        let heads = self.merchants.values().map(|record| &record.merchant);
        heads
            .filter(|merchant| self.followed_of(merchant.id) > merchant.book.journal.seq)
            .map(|merchant| format!("the journal of {} is followed beyond its head", merchant.id))
    }

    fn lost_messages(&self) -> impl Iterator<Item = String> {
        self.followed_rows()
            .filter_map(|row| match (row.transfer.journal, &row.transfer.subject) {
                (Owner::Merchant(merchant), Subject::Packet(no)) => {
                    self.packets.get(&PacketKey { merchant, no: *no })
                }
                _ => None,
            })
            .filter(|packet| {
                let place = (packet.receiver, packet.funded_at, packet.key);
                self.messages.get(&place).is_none_or(|message| message.form != packet.form)
            })
            .map(|packet| format!("no inbox has the message of {:?}", packet.key))
    }
}
