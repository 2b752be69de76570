//! Running commands over facts, and what comes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{Accepted, Command, Effects, Facts, Refused, Slot};
use crate::{
    change::ChangeRecord,
    ids::{MerchantId, PacketKey, UserId},
    ledger::{
        Account, AccountKind, Balance, JournalHead, JournalRow, Owner, Transfer, chain::link,
    },
    merchant::Merchant,
    money::MoneyOverflow,
    packet::{GroupClaim, Order, OrderKey, Packet},
    refusal::Refusal,
    wallet::{PayoutKey, PostedKey},
};

/// What a batch changed, beside the rows marked in its facts.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// New rows of journals, each journal's in order.
    pub journal: Vec<JournalRow>,
    /// Orders made or changed, `true` for made.
    pub orders: BTreeMap<OrderKey, bool>,
    /// Shares of groups taken.
    pub group_claims: BTreeSet<(PacketKey, UserId)>,
    /// References used up.
    pub posted: BTreeSet<PostedKey>,
    /// Withdrawals made or settled, `true` for made.
    pub payouts: BTreeMap<PayoutKey, bool>,
    /// Records of protected changes.
    pub records: Vec<ChangeRecord>,
}

impl Changes {
    /// True when nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.journal.is_empty()
            && self.orders.is_empty()
            && self.payouts.is_empty()
            && self.records.is_empty()
    }
}

/// Why a command of a batch has no success to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// A business no.
    Refused(Refusal),
    /// The command decided something that cannot be booked: a defect. Nothing of it was.
    Defect(&'static str),
}

/// Facts and the changes made to them so far.
#[derive(Clone, Debug)]
pub struct Batch {
    facts: Facts,
    changes: Changes,
}

impl Batch {
    /// A batch over loaded facts.
    pub fn new(facts: Facts) -> Self {
        Self { facts, changes: Changes::default() }
    }

    /// Lets a command decide, and folds what it decided into the facts. A decision that panics has
    /// changed nothing yet: it is a defect of that command alone.
    pub fn run<C: Command + ?Sized>(&mut self, command: &C) -> Result<C::Outcome, BatchError> {
        let decided = catch_unwind(AssertUnwindSafe(|| command.decide(&self.facts)));
        match decided.map_err(|_panic| BatchError::Defect("a decision panicked"))? {
            Ok(Accepted { outcome, effects }) => {
                self.apply(effects)?;
                Ok(outcome)
            }
            Err(Refused { refusal, kept }) => {
                if let Some(order) = kept {
                    self.apply(Effects { order: Some(*order), ..Effects::default() })?;
                }
                Err(BatchError::Refused(refusal))
            }
        }
    }

    /// The rows and the changes, to be written.
    pub fn finish(self) -> (Facts, Changes) {
        (self.facts, self.changes)
    }

    /// Everything that can fail comes first: a defect leaves the batch as it was.
    fn apply(&mut self, effects: Effects) -> Result<(), BatchError> {
        let mut posted = Vec::with_capacity(effects.transfers.len());
        let mut books = Books::new(&self.facts);
        for transfer in effects.transfers {
            posted.push(books.post(transfer).map_err(BatchError::Defect)?);
        }
        let Books { facts: _, balances, journals } = books;
        for (account, balance) in balances {
            self.set_balance(account, balance);
        }
        for (owner, head) in journals {
            self.set_head(owner, head);
        }
        self.changes.journal.extend(posted);
        self.apply_packets(effects.order, effects.packet, effects.group_claim);
        if let Some((id, day)) = effects.merchant_day {
            self.merchant_changed(id, |merchant| merchant.book.day = day);
        }
        if let Some((key, day)) = effects.user_day {
            let slot = self.facts.user_days.entry(key).or_insert_with(|| Slot::new(day));
            slot.row = day;
            slot.changed = true;
        }
        if let Some((key, posted)) = effects.posted {
            self.changes.posted.insert(key.clone());
            self.facts.posted.insert(key, posted);
        }
        if let Some((key, payout)) = effects.payout {
            let made = self.facts.payouts.insert(key.clone(), payout).is_none();
            self.changes.payouts.entry(key).or_insert(made);
        }
        if let Some((id, offset)) = effects.clock {
            self.merchant_changed(id, |merchant| merchant.book.clock_offset_millis = offset);
        }
        self.changes.records.extend(effects.change);
        Ok(())
    }

    fn apply_packets(
        &mut self,
        order: Option<(OrderKey, Order)>,
        packet: Option<Packet>,
        group_claim: Option<(PacketKey, GroupClaim)>,
    ) {
        if let Some((key, order)) = order {
            let PacketKey { merchant, no } = order.packet;
            let made = self.facts.orders.insert(key.clone(), order).is_none();
            self.changes.orders.entry(key).or_insert(made);
            if made {
                self.merchant_changed(merchant, |merchant| merchant.book.last_packet = no.get());
            }
        }
        if let Some(packet) = packet {
            let loaded = self.facts.packets.get(&packet.key).and_then(|slot| slot.loaded);
            let slot = Slot { loaded, changed: true, row: packet };
            self.facts.packets.insert(slot.row.key, slot);
        }
        if let Some((key, claim)) = group_claim {
            self.changes.group_claims.insert((key, claim.user));
            self.facts.group_claims.insert((key, claim.user), claim);
        }
    }

    fn set_balance(&mut self, account: Account, balance: Balance) {
        match account.owner {
            Owner::Merchant(id) => self.merchant_changed(id, |merchant| {
                if let Some(held) = merchant.book.account_mut(account.kind) {
                    *held = balance;
                }
            }),
            Owner::User(id) => {
                if let Some(slot) = self.facts.wallets.get_mut(&id) {
                    match account.kind {
                        AccountKind::External => slot.row.external = balance,
                        AccountKind::Basic
                        | AccountKind::Operation
                        | AccountKind::Escrow
                        | AccountKind::Wallet => slot.row.wallet = balance,
                    }
                    slot.changed = true;
                }
            }
        }
    }

    fn set_head(&mut self, owner: Owner, head: JournalHead) {
        match owner {
            Owner::Merchant(id) => self.merchant_changed(id, |merchant| {
                merchant.book.journal = head;
            }),
            Owner::User(id) => {
                if let Some(slot) = self.facts.wallets.get_mut(&id) {
                    slot.row.journal = head;
                    slot.changed = true;
                }
            }
        }
    }

    /// Changes a merchant's book; its version goes up once a batch, for it is written once.
    fn merchant_changed(&mut self, id: MerchantId, change: impl FnOnce(&mut Merchant)) {
        if let Some(slot) = self.facts.merchants.get_mut(&id) {
            change(&mut slot.row);
            if !slot.changed {
                slot.row.book.version = slot.row.book.version.saturating_add(1);
                slot.changed = true;
            }
        }
    }
}

/// The balances and heads that one command's transfers move, worked out before anything is set.
struct Books<'f> {
    facts: &'f Facts,
    balances: Vec<(Account, Balance)>,
    journals: Vec<(Owner, JournalHead)>,
}

impl<'f> Books<'f> {
    fn new(facts: &'f Facts) -> Self {
        Self { facts, balances: Vec::new(), journals: Vec::new() }
    }

    fn post(&mut self, transfer: Transfer) -> Result<JournalRow, &'static str> {
        const OVERFLOW: &str = "a balance left its range";
        if !transfer.amount.is_positive() || transfer.from == transfer.to {
            return Err("a transfer moves more than nothing between two accounts");
        }
        let loss = transfer.amount.negated().map_err(|MoneyOverflow| OVERFLOW)?;
        let from_after =
            self.balance(transfer.from)?.posted(loss).map_err(|MoneyOverflow| OVERFLOW)?;
        let to_after =
            self.balance(transfer.to)?.posted(transfer.amount).map_err(|MoneyOverflow| OVERFLOW)?;
        if transfer.from.kind != AccountKind::External && from_after.amount.get() < 0 {
            return Err("an account would go below zero");
        }
        let head = self.head(transfer.journal)?;
        let seq = head.seq.checked_add(1).ok_or(OVERFLOW)?;
        let hash = link(head.hash, seq, &transfer, from_after, to_after);
        put(&mut self.balances, transfer.from, from_after);
        put(&mut self.balances, transfer.to, to_after);
        put(&mut self.journals, transfer.journal, JournalHead { seq, hash, at: transfer.at });
        Ok(JournalRow { seq, transfer, from_after, to_after, hash })
    }

    fn balance(&self, account: Account) -> Result<Balance, &'static str> {
        const MISSING: &str = "a transfer names an account that was not loaded";
        if let Some((_, balance)) = self.balances.iter().find(|(held, _)| *held == account) {
            return Ok(*balance);
        }
        match account.owner {
            Owner::Merchant(id) => {
                let merchant = self.facts.merchant(id).map_err(|_unknown| MISSING)?;
                merchant.book.account(account.kind).copied().ok_or(MISSING)
            }
            Owner::User(id) => {
                let wallet = self.facts.wallet(id).map_err(|_unknown| MISSING)?;
                match account.kind {
                    AccountKind::Wallet => Ok(wallet.wallet),
                    AccountKind::External => Ok(wallet.external),
                    AccountKind::Basic | AccountKind::Operation | AccountKind::Escrow => {
                        Err(MISSING)
                    }
                }
            }
        }
    }

    fn head(&self, owner: Owner) -> Result<JournalHead, &'static str> {
        if let Some((_, head)) = self.journals.iter().find(|(held, _)| *held == owner) {
            return Ok(*head);
        }
        match owner {
            Owner::Merchant(id) => self.facts.merchant(id).map(|merchant| merchant.book.journal),
            Owner::User(id) => self.facts.wallet(id).map(|wallet| wallet.journal),
        }
        .map_err(|_unknown| "a transfer stands in a journal that was not loaded")
    }
}

fn put<K: PartialEq, V>(list: &mut Vec<(K, V)>, key: K, value: V) {
    match list.iter_mut().find(|(held, _)| *held == key) {
        Some(entry) => entry.1 = value,
        None => list.push((key, value)),
    }
}
