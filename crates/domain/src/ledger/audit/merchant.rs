//! One merchant: its journal, packets, claims and limits held against each other.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::Report;
use crate::{
    ids::{PacketKey, UserId},
    ledger::{
        Account, AccountKind, Balance, JournalHead, JournalRow, LimitUse, Owner, Subject,
        TransferKind, chain,
    },
    limit::DayUse,
    merchant::Merchant,
    money::Fen,
    packet::{GroupClaim, Packet, PacketKind, PacketState},
    split::{self, SplitSeed, SplitTerms},
    time::Timestamp,
};

/// What a journal says of one packet.
#[derive(Clone, Copy, Debug, Default)]
struct PacketSums {
    funded: i64,
    fundings: u32,
    claimed: i64,
    claims: u32,
    refunded: i64,
    refunds: u32,
    refunded_at: Timestamp,
    /// The user of the newest claim.
    claimer: u64,
    /// A sum of hashes over the claims, the same in any order.
    takes: u64,
}

/// Whose claims of one group were fed last: they come packet by packet.
#[derive(Debug, Default)]
struct Takers {
    packet: u64,
    users: HashSet<UserId>,
}

/// Checks one merchant. Feed the whole journal first, then packets, claims and limits.
#[derive(Debug)]
pub struct MerchantAudit {
    merchant: Merchant,
    head: JournalHead,
    accounts: HashMap<AccountKind, Balance>,
    packets: HashMap<u64, PacketSums>,
    /// Per group, what the journal says of its claims less what the stored claims say.
    takes: BTreeMap<u64, u64>,
    takers: Takers,
    day: DayUse,
    user_days: HashMap<UserId, DayUse>,
    outside: i64,
    paid_in: i64,
    held: i64,
    report: Report,
}

impl MerchantAudit {
    /// Checks `merchant`, as stored.
    pub fn new(merchant: Merchant) -> Self {
        Self {
            merchant,
            head: JournalHead::default(),
            accounts: HashMap::new(),
            packets: HashMap::new(),
            takes: BTreeMap::new(),
            takers: Takers::default(),
            day: DayUse::default(),
            user_days: HashMap::new(),
            outside: 0,
            paid_in: 0,
            held: 0,
            report: Report::default(),
        }
    }

    /// Takes in the next row of the merchant's journal.
    pub fn row(&mut self, row: &JournalRow) {
        let (id, seq, transfer) = (self.merchant.id, row.seq, &row.transfer);
        let chained = self.head.seq.checked_add(1) == Some(seq)
            && chain::expected(self.head.hash, row) == row.hash
            && transfer.journal == Owner::Merchant(id);
        self.report.check(18, chained, || format!("merchant/{id} row {seq} does not follow"));
        let two = transfer.amount.is_positive() && transfer.from != transfer.to;
        self.report.check(1, two, || format!("merchant/{id} row {seq} moves {}", transfer.amount));
        self.report.check(17, transfer.at >= self.head.at, || {
            format!("merchant/{id} row {seq} was decided before the row above it")
        });
        self.head = JournalHead { seq, hash: row.hash, at: transfer.at };
        self.side(
            transfer.from,
            transfer.amount.negated().unwrap_or_default(),
            row.from_after,
            seq,
        );
        self.side(transfer.to, transfer.amount, row.to_after, seq);
        self.packet_row(row);
        if let Some(limit) = &transfer.limit {
            self.limit(row, limit);
        }
    }

    /// Takes in a stored packet. `split` is what its order says of its shares. Refunds are late
    /// against `overdue_at`; without it nothing is said of them.
    pub fn packet(
        &mut self,
        packet: &Packet,
        split: Option<SplitTerms>,
        overdue_at: Option<Timestamp>,
    ) {
        let key = packet.key;
        let name = || format!("packet {} of merchant/{}", key.no.get(), key.merchant);
        let sums = self.packets.remove(&key.no.get()).unwrap_or_default();
        let escrow = packet.escrow().unwrap_or_default();
        let refunded = packet.refunded().unwrap_or_default();
        let whole = Fen::sum([escrow, packet.claimed, refunded]) == Ok(packet.total)
            && escrow >= Fen::ZERO
            && packet.claimed >= Fen::ZERO
            && (sums.claimed, sums.refunded) == (packet.claimed.get(), refunded.get());
        self.report.check(6, whole, || {
            format!("{}: {} ≠ {escrow} + {} + {refunded}", name(), packet.total, packet.claimed)
        });
        let funded = sums.fundings == 1 && sums.funded == packet.total.get();
        self.report.check(13, funded, || format!("{}: funded {} times", name(), sums.fundings));
        let claims = sums.claims == packet.claimed_count && sums.claims <= packet.share_count;
        let own = packet.kind == PacketKind::Group
            || sums.claims == 0
            || sums.claimer == packet.receiver.get();
        self.report.check(9, claims && own, || format!("{}: {} claims", name(), sums.claims));
        self.refund(packet, &sums);
        self.state(packet);
        if let Some(overdue_at) = overdue_at {
            let ended = packet.expire_at.plus_seconds(600) < overdue_at;
            self.report
                .check(15, !(ended && escrow.is_positive()), || format!("{} is overdue", name()));
        }
        if packet.kind == PacketKind::Group {
            self.takes.insert(key.no.get(), sums.takes);
        }
        if let Some(terms) = split {
            let drawn = split::draw(&SplitSeed::of(&packet.secret), &terms);
            let same = drawn.is_ok_and(|drawn| drawn == packet.shares)
                && Fen::sum(packet.shares.iter().copied()) == Ok(packet.total);
            self.report.check(10, same, || format!("{}: shares do not follow", name()));
        }
        self.held = self.held.saturating_add(escrow.get()).saturating_add(packet.claimed.get());
    }

    /// Takes in a stored claim of a group; `shares` are its packet's.
    pub fn group_claim(&mut self, key: PacketKey, claim: &GroupClaim, packet: Option<&Packet>) {
        let place = usize::try_from(claim.share_no.saturating_sub(1)).unwrap_or(usize::MAX);
        let drawn = packet.and_then(|packet| packet.shares.get(place).copied());
        self.report.check(9, drawn == Some(claim.amount), || {
            format!("packet {} share {} is {}", key.no.get(), claim.share_no, claim.amount)
        });
        let no = key.no.get();
        let left = self.takes.entry(no).or_default();
        *left = left.wrapping_sub(take(claim.share_no, claim.user, claim.amount, claim.at));
        if self.takers.packet != no {
            self.takers = Takers { packet: no, users: HashSet::new() };
        }
        let first = self.takers.users.insert(claim.user);
        self.report.check(9, first, || format!("packet {no}: user/{} claimed twice", claim.user));
    }

    /// Takes in what a user has used of daily caps, as stored.
    pub fn user_day(&mut self, user: UserId, stored: DayUse) {
        let seen = self.user_days.remove(&user).unwrap_or_default();
        let id = self.merchant.id;
        self.report.check(29, seen == stored, || {
            format!("merchant/{id} user/{user}: stored {stored:?}, events say {seen:?}")
        });
    }

    /// The report over the merchant.
    pub fn finish(mut self) -> Report {
        let (id, book) = (self.merchant.id, self.merchant.book.clone());
        let head = (self.head.seq, self.head.hash) == (book.journal.seq, book.journal.hash);
        self.report.check(18, head, || format!("merchant/{id}: the head is not the last row"));
        for kind in AccountKind::ALL {
            let Some(stored) = book.account(kind) else {
                continue;
            };
            let entries = self.accounts.get(&kind).copied().unwrap_or_default();
            self.report.check(3, entries == *stored, || {
                format!(
                    "merchant/{id}/{}: stored {stored:?}, entries say {entries:?}",
                    kind.as_str()
                )
            });
        }
        let available = book.basic.amount.get().saturating_add(book.operation.amount.get());
        let received = self.outside.saturating_add(self.paid_in);
        let accounted = available.saturating_add(self.held);
        self.report.check(5, received == accounted, || {
            format!("merchant/{id}: {received} came, {accounted} is held")
        });
        self.report.check(29, self.day == book.day, || {
            format!("merchant/{id}: stored {:?}, events say {:?}", book.day, self.day)
        });
        // A user who stands twice in the journal cannot stand twice in the claims, so this shows it.
        for (no, left) in &self.takes {
            self.report.check(9, *left == 0, || {
                format!("packet {no} of merchant/{id}: stored claims are not those of the journal")
            });
        }
        let (lost, uncounted) = (self.packets.len(), self.user_days.len());
        self.report.check(20, lost == 0, || format!("merchant/{id}: {lost} packets are missing"));
        self.report
            .check(29, uncounted == 0, || format!("merchant/{id}: {uncounted} limit rows missing"));
        self.report
    }

    fn side(&mut self, account: Account, delta: Fen, after: Balance, seq: u64) {
        if account.owner != Owner::Merchant(self.merchant.id) {
            return;
        }
        let held = self.accounts.entry(account.kind).or_default();
        self.report.check(3, held.posted(delta) == Ok(after), || {
            format!("{account} in row {seq} stands at {after:?} after {held:?}")
        });
        let above = account.kind == AccountKind::External || after.amount >= Fen::ZERO;
        self.report.check(4, above, || format!("{account} stood at {}", after.amount));
        *held = after;
    }

    fn packet_row(&mut self, row: &JournalRow) {
        let amount = row.transfer.amount.get();
        let (packet, share_no) = match &row.transfer.subject {
            Subject::Packet(packet) => (packet.get(), 0),
            Subject::Share { packet, share_no } => (packet.get(), *share_no),
            Subject::Reference(_) => return self.reference_row(row.transfer.kind, amount),
        };
        let (id, seq) = (self.merchant.id, row.seq);
        let sums = self.packets.entry(packet).or_default();
        match row.transfer.kind {
            TransferKind::Send => {
                sums.funded = sums.funded.saturating_add(amount);
                sums.fundings = sums.fundings.saturating_add(1);
            }
            TransferKind::Claim => {
                sums.claimed = sums.claimed.saturating_add(amount);
                sums.claims = sums.claims.saturating_add(1);
                let (in_order, before_refund) = (sums.claims == share_no, sums.refunds == 0);
                if let Owner::User(user) = row.transfer.to.owner {
                    sums.claimer = user.get();
                    let taken = take(share_no, user, row.transfer.amount, row.transfer.at);
                    sums.takes = sums.takes.wrapping_add(taken);
                }
                self.report
                    .check(9, in_order, || format!("merchant/{id} row {seq}: share {share_no}"));
                self.report.check(14, before_refund, || format!("merchant/{id} row {seq} is late"));
            }
            TransferKind::Refund => {
                sums.refunded = sums.refunded.saturating_add(amount);
                sums.refunds = sums.refunds.saturating_add(1);
                sums.refunded_at = row.transfer.at;
            }
            TransferKind::Recharge
            | TransferKind::MerchantWithdrawal
            | TransferKind::ToOperation
            | TransferKind::Payment
            | TransferKind::WalletTransfer
            | TransferKind::WalletWithdrawal
            | TransferKind::WithdrawalReturn => {
                self.report.check(1, false, || format!("merchant/{id} row {seq} names a packet"));
            }
        }
    }

    fn reference_row(&mut self, kind: TransferKind, amount: i64) {
        match kind {
            TransferKind::Recharge => self.outside = self.outside.saturating_add(amount),
            TransferKind::MerchantWithdrawal => self.outside = self.outside.saturating_sub(amount),
            TransferKind::Payment => self.paid_in = self.paid_in.saturating_add(amount),
            TransferKind::ToOperation => {}
            TransferKind::Send
            | TransferKind::Claim
            | TransferKind::Refund
            | TransferKind::WalletTransfer
            | TransferKind::WalletWithdrawal
            | TransferKind::WithdrawalReturn => {
                let id = self.merchant.id;
                self.report
                    .check(1, false, || format!("merchant/{id}: {} stands wrong", kind.as_str()));
            }
        }
    }

    /// Event by event: the next version, the right day, the right sum, not above the cap.
    fn limit(&mut self, row: &JournalRow, limit: &LimitUse) {
        let before = match (row.transfer.kind, row.transfer.to.owner) {
            (TransferKind::Claim, Owner::User(user)) => self.user_days.entry(user).or_default(),
            _ => &mut self.day,
        };
        let day = row.transfer.at.day();
        let next = before.on(day).with(row.transfer.amount);
        let recorded = DayUse {
            version: limit.version,
            day: limit.day,
            fen: limit.used_fen,
            count: limit.used_count,
        };
        *before = recorded;
        let within = limit.used_fen <= limit.cap_fen
            && limit.cap_count.is_none_or(|cap| limit.used_count <= cap);
        let (id, seq) = (self.merchant.id, row.seq);
        self.report.check(16, next == Ok(recorded) && within, || {
            format!(
                "merchant/{id} row {seq}: {recorded:?} of {} {:?}",
                limit.cap_fen, limit.cap_count
            )
        });
        self.report.check(17, limit.day == day, || {
            format!("merchant/{id} row {seq} counts on another day than {}", row.transfer.at)
        });
    }

    fn refund(&mut self, packet: &Packet, sums: &PacketSums) {
        let due = packet.total.get().saturating_sub(sums.claimed);
        let holds = match packet.state {
            PacketState::Refunded { at } => {
                sums.refunds == 1
                    && sums.refunded == due
                    && at == sums.refunded_at
                    && at >= packet.expire_at
            }
            PacketState::Open | PacketState::Claimed { .. } => sums.refunds == 0,
        };
        self.report.check(14, holds, || {
            format!(
                "packet {}: {} refunds of {} fen",
                packet.key.no.get(),
                sums.refunds,
                sums.refunded
            )
        });
    }

    fn state(&mut self, packet: &Packet) {
        let full = packet.claimed_count == packet.share_count;
        let (right, refunds) = match packet.state {
            PacketState::Open => (!full, 0),
            PacketState::Claimed { .. } => (full, 0),
            PacketState::Refunded { .. } => (!full, 1),
        };
        let moves = u64::from(packet.claimed_count).saturating_add(1).saturating_add(refunds);
        self.report.check(21, right && packet.version == moves, || {
            format!(
                "packet {} is {:?} at version {}",
                packet.key.no.get(),
                packet.state,
                packet.version
            )
        });
    }
}

fn take(share_no: u32, user: UserId, amount: Fen, at: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    (share_no, user.get(), amount.get(), at.millis()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        ids::{MerchantId, PacketNo},
        ledger::audit::Invariant,
        merchant::{Book, Settings},
    };

    /// No store lets it happen, and a store that did would be told.
    #[test]
    fn a_user_with_two_stored_claims_of_one_group_is_told() {
        let id = MerchantId::try_new(10_000_098).unwrap();
        let settings = Arc::new(Settings::new("Lantern Tea".to_owned()));
        let broken = |claims: [(u64, u64); 3]| {
            let merchant = Merchant { id, settings: Arc::clone(&settings), book: Book::default() };
            let mut audit = MerchantAudit::new(merchant);
            for (share_no, (packet, user)) in (1..).zip(claims) {
                let key = PacketKey { merchant: id, no: PacketNo::new(packet) };
                let (user, amount) = (UserId::new(user), Fen::new(100));
                let claim = GroupClaim { share_no, user, amount, at: Timestamp::EPOCH };
                audit.group_claim(key, &claim, None);
            }
            let line = audit.finish().line(Invariant::number(9));
            line.examples.iter().filter(|example| example.contains("claimed twice")).count()
        };
        assert_eq!(broken([(1, 7), (1, 8), (2, 7)]), 0);
        assert_eq!(broken([(1, 7), (1, 8), (1, 7)]), 1);
    }
}
