//! The check of every minute (X3): what was booked since the last one.

use std::collections::BTreeMap;

use hongbao_domain::{
    Fen, MerchantId,
    ledger::{Account, AccountKind, Balance, JournalHead, JournalRow, Owner, chain},
    merchant::{Book, Merchant},
};

use crate::ports::{AuditSource, Store, StoreError};

/// Rows read at once.
const PAGE: u32 = 10_000;

/// Remembers how far every merchant's journal was read and what its accounts held there. Wallets
/// are left to the full check: their entries stand in many journals, in no order of their own.
#[derive(Debug, Default)]
pub struct TailCheck(BTreeMap<MerchantId, Seen>);

impl TailCheck {
    /// What of the new rows does not follow from the ones seen before, or is not what the merchant
    /// holds; `None` when all is well.
    pub async fn check(&mut self, store: &dyn Store) -> Result<Option<String>, StoreError> {
        let mut source = store.audit_source().await?;
        for merchant in source.merchants().await? {
            // At the first look the stored book is taken on trust; the full check reads it all.
            let seen = self.0.entry(merchant.id).or_insert_with(|| Seen::of(&merchant.book));
            if let Some(wrong) = seen.follow(source.as_mut(), &merchant).await? {
                return Ok(Some(wrong));
            }
        }
        Ok(None)
    }

    /// Heads that moved since they were asked for last: what is told outside of the store, so that
    /// a store rewritten as a whole, or restored from an old copy, is found out (I-18).
    pub fn moved_heads(&mut self) -> Vec<(MerchantId, JournalHead)> {
        let moved = self.0.iter_mut().filter(|(_, seen)| seen.head.seq > seen.told);
        moved
            .map(|(id, seen)| {
                seen.told = seen.head.seq;
                (*id, seen.head)
            })
            .collect()
    }
}

#[derive(Debug)]
struct Seen {
    head: JournalHead,
    /// The number of the head that was told last.
    told: u64,
    accounts: BTreeMap<AccountKind, Balance>,
}

impl Seen {
    fn of(book: &Book) -> Self {
        let held = |kind: AccountKind| book.account(kind).map(|balance| (kind, *balance));
        Self {
            head: book.journal,
            told: 0,
            accounts: AccountKind::ALL.into_iter().filter_map(held).collect(),
        }
    }

    async fn follow(
        &mut self,
        source: &mut dyn AuditSource,
        merchant: &Merchant,
    ) -> Result<Option<String>, StoreError> {
        let id = merchant.id;
        loop {
            let rows = source.journal(Owner::Merchant(id), self.head.seq, PAGE).await?;
            if rows.is_empty() {
                return Ok(self.differs(merchant));
            }
            for row in &rows {
                if let Some(wrong) = self.take(row) {
                    return Ok(Some(format!("merchant/{id} row {}: {wrong}", row.seq)));
                }
            }
        }
    }

    fn take(&mut self, row: &JournalRow) -> Option<String> {
        let follows = self.head.seq.checked_add(1) == Some(row.seq)
            && chain::expected(self.head.hash, row) == row.hash;
        if !follows {
            return Some("it does not follow".to_owned());
        }
        let (transfer, amount) = (&row.transfer, row.transfer.amount);
        let wrong = self
            .post(transfer.journal, transfer.from, row.from_after, amount.negated().ok())
            .or_else(|| self.post(transfer.journal, transfer.to, row.to_after, Some(amount)));
        self.head = JournalHead { seq: row.seq, hash: row.hash, at: transfer.at };
        wrong
    }

    fn post(
        &mut self,
        journal: Owner,
        account: Account,
        after: Balance,
        delta: Option<Fen>,
    ) -> Option<String> {
        if account.owner != journal {
            return None;
        }
        let held = self.accounts.entry(account.kind).or_default();
        let due = delta.and_then(|delta| held.posted(delta).ok());
        let above = account.kind == AccountKind::External || after.amount >= Fen::ZERO;
        let wrong = due != Some(after) || !above;
        let before = std::mem::replace(held, after);
        wrong.then(|| format!("{account} stands at {after:?} after {before:?}"))
    }

    fn differs(&self, merchant: &Merchant) -> Option<String> {
        let (id, stored) = (merchant.id, Self::of(&merchant.book));
        if (self.head.seq, self.head.hash) != (stored.head.seq, stored.head.hash) {
            return Some(format!("merchant/{id}: the stored head is not the last row"));
        }
        (self.accounts != stored.accounts).then(|| {
            let (entries, stored) = (&self.accounts, &stored.accounts);
            format!("merchant/{id}: stored {stored:?}, entries say {entries:?}")
        })
    }
}
