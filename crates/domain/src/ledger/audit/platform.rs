//! What crosses merchants: wallets, users' own journals, and the sum of everything.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::Report;
use crate::{
    ids::{PacketKey, UserId},
    ledger::{AccountKind, Balance, JournalHead, JournalRow, Owner, chain},
    money::Fen,
    wallet::Wallet,
};

/// A wallet's entries stand in many journals and come in no order of their own. What an account
/// of `n` entries must satisfy in any order: its numbers are 1 … n, and every entry starts where
/// the one before it ended. So each entry adds the point (number, balance) it ends at to one sum
/// of hashes and the point it starts from to another; at the end the sums differ by the account's
/// first and last point, and by nothing else.
#[derive(Clone, Copy, Debug, Default)]
struct Scattered {
    count: u64,
    sum: i128,
    starts: u64,
    ends: u64,
}

/// Checks wallets and sums over all journals.
#[derive(Debug, Default)]
pub struct PlatformAudit {
    accounts: HashMap<(UserId, AccountKind), Scattered>,
    heads: BTreeMap<UserId, JournalHead>,
    stored_sum: i128,
    orders: u64,
    packets: u64,
    report: Report,
}

impl PlatformAudit {
    /// Takes in the user's side of a transfer, from whichever journal.
    pub fn entries(&mut self, row: &JournalRow) {
        let amount = i128::from(row.transfer.amount.get());
        let sides = [
            (row.transfer.from, amount.saturating_neg(), row.from_after),
            (row.transfer.to, amount, row.to_after),
        ];
        for (account, delta, after) in sides {
            let Owner::User(user) = account.owner else {
                continue;
            };
            if account.kind != AccountKind::External {
                let balance = after.amount;
                self.report.check(4, balance >= Fen::ZERO, || {
                    format!("{account} stood at {balance} after entry {}", after.seq)
                });
            }
            let account = self.accounts.entry((user, account.kind)).or_default();
            account.count = account.count.saturating_add(1);
            account.sum = account.sum.saturating_add(delta);
            let before = i128::from(after.amount.get()).saturating_sub(delta);
            account.ends = account.ends.wrapping_add(point(after.seq, after.amount.get().into()));
            account.starts = account.starts.wrapping_add(point(after.seq.wrapping_sub(1), before));
        }
    }

    /// Takes in the next row of a user's own journal.
    pub fn user_row(&mut self, user: UserId, row: &JournalRow) {
        let head = self.heads.entry(user).or_default();
        let chained = head.seq.checked_add(1) == Some(row.seq)
            && chain::expected(head.hash, row) == row.hash
            && row.transfer.journal == Owner::User(user);
        self.report.check(18, chained, || format!("user/{user} row {}", row.seq));
        self.report
            .check(1, row.transfer.amount.is_positive(), || format!("user/{user} {}", row.seq));
        *head = JournalHead { seq: row.seq, hash: row.hash, at: row.transfer.at };
        self.entries(row);
    }

    /// Takes in a stored wallet, after all journals.
    pub fn wallet(&mut self, wallet: &Wallet) {
        let user = wallet.user;
        let head = self.heads.remove(&user).unwrap_or_default();
        self.report.check(
            18,
            (head.seq, head.hash) == (wallet.journal.seq, wallet.journal.hash),
            || format!("user/{user} head is {} and should be {}", wallet.journal.seq, head.seq),
        );
        self.user_account(user, AccountKind::Wallet, wallet.wallet);
        self.user_account(user, AccountKind::External, wallet.external);
    }

    /// Takes in a merchant's stored balances.
    pub fn merchant_sum(&mut self, balances: impl IntoIterator<Item = Fen>) {
        for balance in balances {
            self.stored_sum = self.stored_sum.saturating_add(balance.get().into());
        }
    }

    /// Takes in the place of a funded order's packet.
    pub fn funded_order(&mut self, packet: PacketKey) {
        self.orders = self.orders.wrapping_add(place(packet));
    }

    /// Takes in the place of a packet.
    pub fn packet(&mut self, packet: PacketKey) {
        self.packets = self.packets.wrapping_add(place(packet));
    }

    /// Takes in a merchant's report.
    pub fn merge(&mut self, report: Report) {
        self.report.merge(report);
    }

    /// Holds a condition that the caller checked against an invariant.
    pub fn check(&mut self, number: u8, holds: bool, example: impl FnOnce() -> String) {
        self.report.check(number, holds, example);
    }

    /// Notes that an invariant was looked at, also where no row had to be held against it.
    pub fn looked_at(&mut self, number: u8) {
        self.report.looked_at(number);
    }

    /// Takes in what the store vouches for: an invariant held for so many, and how.
    pub fn vouched(&mut self, number: u8, checked: u64, how: String) {
        self.report.vouched(number, checked, how);
    }

    /// The report over everything.
    pub fn finish(mut self) -> Report {
        let lost = self.accounts.keys().next().map(|(user, kind)| (*user, *kind));
        self.report.check(3, lost.is_none(), || format!("entries of no wallet: {lost:?}"));
        let sum = self.stored_sum;
        self.report.adds_up_to(sum);
        self.report.check(2, sum == 0, || format!("all accounts add up to {sum} fen"));
        self.report.check(8, sum == 0, || format!("{sum} fen stay with nobody"));
        for number in [12, 20, 31] {
            self.report.check(number, self.orders == self.packets, || {
                "funded orders and packets are not the same set".to_owned()
            });
        }
        self.report
    }

    fn user_account(&mut self, user: UserId, kind: AccountKind, stored: Balance) {
        let seen = self.accounts.remove(&(user, kind)).unwrap_or_default();
        let last = point(stored.seq, stored.amount.get().into());
        let whole = seen.starts.wrapping_add(last) == seen.ends.wrapping_add(point(0, 0));
        let equal = seen.count == stored.seq && seen.sum == i128::from(stored.amount.get());
        for number in [3, 7] {
            self.report.check(number, whole && equal, || {
                format!(
                    "user/{user}/{} holds {} after {} entries; its entries say {} fen after {}",
                    kind.as_str(),
                    stored.amount,
                    stored.seq,
                    seen.sum,
                    seen.count
                )
            });
        }
        self.stored_sum = self.stored_sum.saturating_add(stored.amount.get().into());
    }
}

fn point(seq: u64, balance: i128) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seq, balance).hash(&mut hasher);
    hasher.finish()
}

fn place(packet: PacketKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    packet.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_told_of_only_where_there_are_some() {
        let said = PlatformAudit::default().finish().to_string();
        assert!(said.contains("I-32 n/a  nothing is in transit between shards (one shard)\n"));
        let mut audit = PlatformAudit::default();
        audit.vouched(32, 92, "on two machines".to_owned());
        let report = audit.finish();
        assert!(report.clean());
        let line = "I-32 ok   nothing is in transit between shards \
                    (92 checked, 0 broken; on two machines)\n";
        assert!(report.to_string().contains(line), "{report}");
    }

    #[test]
    fn what_all_accounts_add_up_to_is_told_with_its_sign() {
        for held in [[700, -700], [700, -650], [0, -1]] {
            let mut audit = PlatformAudit::default();
            audit.merchant_sum(held.map(Fen::new));
            let report = audit.finish();
            let sum = held.iter().sum::<i64>();
            assert_eq!(report.unexplained_fen(), i128::from(sum));
            assert_eq!(report.clean(), sum == 0);
        }
    }
}
