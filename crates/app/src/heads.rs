//! The heads of journals, told outside of the store and compared with it (I-18).
//!
//! A store cannot know that newer rows of it once existed: a copy made without its log, or an old
//! backup put back, opens and adds up. Whoever kept a head elsewhere can tell: the journal must
//! still have that row, with that hash, and the hash stands for every row before it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use hongbao_domain::{
    UserId,
    ledger::{JournalHash, JournalHead, JournalRow, Owner, chain},
    merchant::Merchant,
};

use crate::ports::{AuditSource, StoreError};

/// Wallets read at once.
const PAGE: u32 = 10_000;

/// Reads every head of a store, in pages: all merchants first, then users that have a journal.
pub struct Heads<'s> {
    source: &'s mut dyn AuditSource,
    next: Next,
}

enum Next {
    Merchants,
    UsersAfter(UserId),
    Nothing,
}

impl<'s> Heads<'s> {
    /// The heads of `source`.
    pub fn of(source: &'s mut dyn AuditSource) -> Self {
        Self { source, next: Next::Merchants }
    }

    /// The next page, which may be empty; `None` after the last.
    pub async fn page(&mut self) -> Result<Option<Vec<(Owner, JournalHead)>>, StoreError> {
        match self.next {
            Next::Merchants => {
                self.next = Next::UsersAfter(UserId::new(0));
                let head =
                    |merchant: Merchant| (Owner::Merchant(merchant.id), merchant.book.journal);
                Ok(Some(self.source.merchants().await?.into_iter().map(head).collect()))
            }
            Next::UsersAfter(user) => {
                let wallets = self.source.wallets(user, PAGE).await?;
                let Some(last) = wallets.last() else {
                    self.next = Next::Nothing;
                    return Ok(None);
                };
                self.next = Next::UsersAfter(last.user);
                let moved = wallets.iter().filter(|wallet| wallet.journal.seq > 0);
                Ok(Some(moved.map(|wallet| (Owner::User(wallet.user), wallet.journal)).collect()))
            }
            Next::Nothing => Ok(None),
        }
    }
}

/// Merchants' journals that do not end as their head says, a sentence each: the newest row is another
/// one, or does not follow from the row before. Three rows of each are read; damage further up is
/// for the full check to find.
pub async fn torn_ends(source: &mut dyn AuditSource) -> Result<Vec<String>, StoreError> {
    let mut torn = Vec::new();
    for merchant in source.merchants().await? {
        let (journal, head) = (Owner::Merchant(merchant.id), merchant.book.journal);
        let rows = source.journal(journal, head.seq.saturating_sub(2), 3).await?;
        if !ends_with(&rows, &head) {
            torn.push(format!("{journal} does not end with row {} as its head has it", head.seq));
        }
    }
    Ok(torn)
}

fn ends_with(rows: &[JournalRow], head: &JournalHead) -> bool {
    let (before, last) = match rows {
        [] => return head.seq == 0,
        [last] => (None, last),
        [before, last] => (Some(before), last),
        _ => return false,
    };
    let before_seq = before.map_or(0, |row| row.seq);
    let hash = before.map_or_else(JournalHash::default, |row| row.hash);
    last.seq == head.seq
        && before_seq.checked_add(1) == Some(last.seq)
        && last.hash == head.hash
        && chain::expected(hash, last) == last.hash
}

/// A head that was told outside of the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToldHead {
    /// The number of the newest row then; 0 for a journal without rows.
    pub seq: u64,
    /// Its hash.
    pub hash: JournalHash,
    /// When that was, where it is known.
    pub at: Option<String>,
}

/// Told heads by journal; several of one journal may have been told.
pub type ToldHeads = BTreeMap<Owner, BTreeSet<ToldHead>>;

/// A journal that is not what was told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which journal.
    pub journal: Owner,
    /// How it differs.
    pub how: How,
    /// The first row that is lost or may be another.
    pub from: u64,
    /// The last one that is known to have been.
    pub to: u64,
    /// The time of the row before the first, where it is known.
    pub after: Option<String>,
    /// The time of the last.
    pub until: Option<String>,
}

/// How a journal differs from what was told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The store knows no such owner.
    Missing,
    /// It ends before the told row: an older copy, or rows were cut off.
    Shorter,
    /// The told row has another hash: the store was rewritten, or went on from an older copy.
    Other,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { journal, how, from, to, after, until } = self;
        match how {
            How::Missing if *to == 0 => return write!(f, "{journal} is not in this store"),
            How::Missing => {
                write!(f, "{journal} is not in this store: rows {from} to {to} are lost")?;
            }
            How::Shorter => write!(
                f,
                "{journal} ends at row {}: rows {from} to {to} are lost",
                from.saturating_sub(1)
            )?,
            How::Other => {
                write!(f, "{journal}: rows {from} to {to} are not those that were told of it")?;
            }
        }
        match (after, until) {
            (Some(after), Some(until)) => write!(f, ", booked after {after} and up to {until}"),
            (Some(after), None) => write!(f, ", booked after {after}"),
            (None, Some(until)) => write!(f, ", booked up to {until}"),
            (None, None) => Ok(()),
        }
    }
}

/// The journals of `source` that are not what was told of them. Says nothing of rows that no told
/// head stands for.
pub async fn compare(
    source: &mut dyn AuditSource,
    told: &ToldHeads,
) -> Result<Vec<Lost>, StoreError> {
    let merchants = source.merchants().await?;
    let merchants: BTreeMap<_, _> =
        merchants.into_iter().map(|merchant| (merchant.id, merchant.book.journal)).collect();
    let mut lost = Vec::new();
    for (journal, told) in told {
        let stored = match journal {
            Owner::Merchant(id) => merchants.get(id).copied(),
            Owner::User(id) => user_head(source, *id).await?,
        };
        lost.extend(compare_one(source, *journal, stored, told).await?);
    }
    Ok(lost)
}

async fn user_head(
    source: &mut dyn AuditSource,
    user: UserId,
) -> Result<Option<JournalHead>, StoreError> {
    let before = UserId::new(user.get().saturating_sub(1));
    let wallets = source.wallets(before, 1).await?;
    Ok(wallets.first().filter(|wallet| wallet.user == user).map(|wallet| wallet.journal))
}

async fn compare_one(
    source: &mut dyn AuditSource,
    journal: Owner,
    stored: Option<JournalHead>,
    told: &BTreeSet<ToldHead>,
) -> Result<Option<Lost>, StoreError> {
    let Some(newest) = told.last() else {
        return Ok(None);
    };
    let Some(stored) = stored else {
        let (how, to, until) = (How::Missing, newest.seq, newest.at.clone());
        return Ok(Some(Lost { journal, how, from: 1, to, after: None, until }));
    };
    // The newest told row that is as it was, and whether one is there and another.
    let mut same = None;
    let mut wrong: Option<&ToldHead> = None;
    let mut other = false;
    for head in told.iter().filter(|head| head.seq > 0) {
        match row_at(source, journal, head.seq).await? {
            Some(row) if row.hash == head.hash && !other => same = Some(row),
            Some(row) if row.hash == head.hash => {}
            Some(_) => (other, wrong) = (true, Some(head)),
            None => wrong = Some(head),
        }
    }
    let Some(wrong) = wrong else {
        return Ok(None);
    };
    let (to, until) = (wrong.seq, wrong.at.clone());
    let lost = if other {
        let from = same.as_ref().map_or(0, |row| row.seq).saturating_add(1);
        let after = same.map(|row| row.transfer.at.rfc3339());
        Lost { journal, how: How::Other, from, to, after, until }
    } else {
        let from = stored.seq.saturating_add(1).min(to);
        let after = (stored.seq > 0).then(|| stored.at.rfc3339());
        Lost { journal, how: How::Shorter, from, to, after, until }
    };
    Ok(Some(lost))
}

async fn row_at(
    source: &mut dyn AuditSource,
    journal: Owner,
    seq: u64,
) -> Result<Option<JournalRow>, StoreError> {
    let rows = source.journal(journal, seq.saturating_sub(1), 1).await?;
    Ok(rows.into_iter().next().filter(|row| row.seq == seq))
}
