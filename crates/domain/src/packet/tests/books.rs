//! The invariants of the books, over facts and every journal row that led to them.

use super::*;
use crate::{
    ids::UserId,
    ledger::{Account, AccountKind, JournalRow, Owner, Subject, TransferKind, chain},
    limit::DayUse,
};

/// I-01 to I-06, I-09, I-10, I-14, I-16 and the chain of I-18.
pub(super) fn check(facts: &Facts, journal: &[JournalRow]) {
    let accounts = balances(journal);
    balances_are_sums_of_entries(facts, &accounts);
    assert_eq!(Fen::sum(accounts.values().map(|balance| balance.amount)), Ok(Fen::ZERO), "I-02");
    journals_are_chained(journal);
    money_of_a_merchant_adds_up(facts, journal);
    for slot in facts.packets.values() {
        packet_is_sound(facts, &slot.row, journal);
    }
    limits_hold(facts, journal);
}

/// Two entries a row, each account's numbered 1, 2, 3, …, none but outside below zero (I-01,
/// I-03, I-04).
fn balances(journal: &[JournalRow]) -> BTreeMap<Account, Balance> {
    let mut accounts: BTreeMap<Account, Balance> = BTreeMap::new();
    for row in journal {
        let amount = row.transfer.amount;
        assert!(amount.is_positive() && row.transfer.from != row.transfer.to, "I-01: {row:?}");
        let sides = [
            (row.transfer.from, amount.negated().unwrap(), row.from_after),
            (row.transfer.to, amount, row.to_after),
        ];
        for (account, delta, after) in sides {
            let balance = accounts.entry(account).or_default();
            *balance = balance.posted(delta).unwrap();
            assert_eq!(*balance, after, "I-03: {account}");
            let outside = account.kind == AccountKind::External;
            assert!(outside || after.amount >= Fen::ZERO, "I-04: {account}");
        }
    }
    accounts
}

fn balances_are_sums_of_entries(facts: &Facts, accounts: &BTreeMap<Account, Balance>) {
    let summed = |account| accounts.get(&account).copied().unwrap_or_default();
    for (id, slot) in &facts.merchants {
        for kind in AccountKind::ALL {
            let held = slot.row.book.account(kind).copied().unwrap_or_default();
            assert_eq!(held, summed(Account::merchant(*id, kind)), "I-03: {kind:?} of {id}");
        }
    }
    for (user, slot) in &facts.wallets {
        let Wallet { wallet, external, .. } = &slot.row;
        assert_eq!(*wallet, summed(Account::user(*user, AccountKind::Wallet)), "I-03");
        assert_eq!(*external, summed(Account::user(*user, AccountKind::External)), "I-03");
    }
}

fn journals_are_chained(journal: &[JournalRow]) {
    let mut heads = BTreeMap::new();
    for row in journal {
        let (seq, hash, at) = heads.entry(row.transfer.journal).or_insert_with(Default::default);
        assert_eq!(row.seq, *seq + 1, "I-18: a gap");
        assert_eq!(row.hash, chain::expected(*hash, row), "I-18: the chain");
        assert!(row.transfer.at >= *at, "I-17: time goes back");
        (*seq, *hash, *at) = (row.seq, row.hash, row.transfer.at);
    }
}

fn moved(journal: &[JournalRow], kind: TransferKind, owner: Owner) -> Fen {
    let rows = journal.iter().map(|row| &row.transfer);
    let rows = rows.filter(|transfer| transfer.kind == kind && transfer.journal == owner);
    Fen::sum(rows.map(|transfer| transfer.amount)).unwrap()
}

/// I-05: what came in and did not go out is at hand, in escrow, or was claimed.
fn money_of_a_merchant_adds_up(facts: &Facts, journal: &[JournalRow]) {
    for (id, slot) in &facts.merchants {
        let owner = Owner::Merchant(*id);
        let packets = facts.packets.values().map(|slot| &slot.row);
        let packets = packets.filter(|packet| packet.key.merchant == *id);
        let out = packets.map(|p| p.escrow().unwrap().plus(p.claimed).unwrap());
        let book = &slot.row.book;
        let held = Fen::sum([book.basic.amount, book.operation.amount]).unwrap();
        let recharged = moved(journal, TransferKind::Recharge, owner);
        let withdrawn = moved(journal, TransferKind::MerchantWithdrawal, owner);
        assert_eq!(recharged.minus(withdrawn), held.plus(Fen::sum(out).unwrap()), "I-05: {id}");
    }
}

fn packet_is_sound(facts: &Facts, packet: &Packet, journal: &[JournalRow]) {
    let owner = Owner::Merchant(packet.key.merchant);
    let rows: Vec<&JournalRow> = journal
        .iter()
        .filter(|row| row.transfer.journal == owner)
        .filter(|row| match row.transfer.subject {
            Subject::Packet(no) | Subject::Share { packet: no, .. } => no == packet.key.no,
            Subject::Reference(_) => false,
        })
        .collect();
    let of = |kind| rows.iter().filter(move |row| row.transfer.kind == kind);
    let sum = |kind| Fen::sum(of(kind).map(|row| row.transfer.amount)).unwrap();
    assert_eq!(of(TransferKind::Send).count(), 1, "I-13");
    assert_eq!(sum(TransferKind::Send), packet.total, "I-13");
    let (claimed, refunded) = (sum(TransferKind::Claim), sum(TransferKind::Refund));
    assert_eq!(claimed, packet.claimed, "I-06");
    assert_eq!(Ok(refunded), packet.refunded(), "I-14");
    let parts = [packet.escrow().unwrap(), claimed, refunded];
    assert!(parts.iter().all(|part| *part >= Fen::ZERO), "I-06: {packet:?}");
    assert_eq!(Fen::sum(parts), Ok(packet.total), "I-06: {packet:?}");
    let takers: Vec<Owner> = of(TransferKind::Claim).map(|row| row.transfer.to.owner).collect();
    let mut once = takers.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), takers.len(), "I-09: a user claimed twice");
    assert_eq!(Ok(takers.len()), usize::try_from(packet.claimed_count), "I-09");
    assert!(packet.claimed_count <= packet.share_count, "I-09");
    if packet.kind == PacketKind::Normal {
        assert!(takers.iter().all(|taker| *taker == Owner::User(packet.receiver)), "I-09");
    } else {
        shares_are_fair(facts, packet, of(TransferKind::Claim).copied());
    }
    let refunds: Vec<_> = of(TransferKind::Refund).collect();
    assert!(refunds.len() <= 1, "I-14");
    for refund in refunds {
        assert!(refund.transfer.at >= packet.expire_at, "I-14: too early");
        assert_eq!(rows.last().map(|row| row.seq), Some(refund.seq), "I-14: something came later");
    }
}

/// I-10: shares within their bounds, adding up, taken in order.
fn shares_are_fair<'r>(
    facts: &Facts,
    packet: &Packet,
    claims: impl Iterator<Item = &'r JournalRow>,
) {
    let settings = &facts.merchant(packet.key.merchant).unwrap().settings;
    let bounds = settings.group.share_min..=settings.amount.max;
    assert!(packet.shares.iter().all(|share| bounds.contains(share)), "I-10: {packet:?}");
    assert_eq!(Ok(packet.shares.len()), usize::try_from(packet.share_count), "I-10");
    assert_eq!(Fen::sum(packet.shares.iter().copied()), Ok(packet.total), "I-10");
    for ((row, share), place) in claims.zip(&packet.shares).zip(1..) {
        let subject = Subject::Share { packet: packet.key.no, share_no: place };
        assert_eq!((&row.transfer.subject, row.transfer.amount), (&subject, *share), "I-10");
    }
}

/// I-16: each use of a limit is the one before plus this one, and within the cap.
fn limits_hold(facts: &Facts, journal: &[JournalRow]) {
    let mut days: BTreeMap<(Owner, Option<UserId>), DayUse> = BTreeMap::new();
    for row in journal {
        let Some(limit) = &row.transfer.limit else {
            continue;
        };
        let user = match row.transfer.to.owner {
            Owner::User(user) => Some(user),
            Owner::Merchant(_) => None,
        };
        let day = days.entry((row.transfer.journal, user)).or_default();
        assert_eq!(limit.day, row.transfer.at.day(), "I-17");
        *day = day.on(limit.day).with(row.transfer.amount).unwrap();
        assert_eq!(day.recorded(limit.cap_fen, limit.cap_count), *limit, "I-16");
        assert!(limit.used_fen <= limit.cap_fen, "I-16: {row:?}");
        assert!(limit.cap_count.is_none_or(|cap| limit.used_count <= cap), "I-16: {row:?}");
    }
    for ((owner, user), used) in days {
        let Owner::Merchant(merchant) = owner else {
            panic!("only merchants' journals use limits");
        };
        let held = match user {
            Some(user) => facts.user_day(merchant, user),
            None => facts.merchant(merchant).unwrap().book.day,
        };
        assert_eq!(held, used, "I-16: used_last");
    }
}
