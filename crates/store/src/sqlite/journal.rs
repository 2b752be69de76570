//! Journal rows and posted references, between the domain and their columns.
//!
//! In a merchant's journal every account but a wallet is the merchant's own; in a user's journal
//! every account is the user's but, maybe, the wallet that takes. So one column for the other
//! user is enough, and a transfer that does not fit is a defect that is refused here.

use hongbao_domain::{
    Day, Fen, PacketNo, UserId,
    ledger::{
        Account, AccountKind, Balance, JournalHash, JournalRow, LimitUse, Owner, Subject, Transfer,
        TransferKind,
    },
    wallet::Posted,
};
use rusqlite::{CachedStatement, Connection, params};

use super::{
    error::{Failure, Outcome},
    rows::{Fields, int, merchant_int},
};
use crate::queries::jobs::{MERCHANT_JOURNAL, USER_JOURNAL};

const INSERT_MERCHANT_ROW: &str = "INSERT INTO merchant_journal (
         merchant_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
         to_balance, user_id, packet_no, share_no, reference, at, limit_version, limit_day,
         limit_used_fen, limit_used_count, limit_cap_fen, limit_cap_count, hash
     )
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
         ?20, ?21, ?22)";
const INSERT_USER_ROW: &str = "INSERT INTO user_journal (
         user_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
         to_balance, payee_id, reference, at, hash
     )
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

/// The statements that append to journals.
pub(super) struct Appender<'c> {
    to_merchant: CachedStatement<'c>,
    to_user: CachedStatement<'c>,
}

impl<'c> Appender<'c> {
    /// Prepares them.
    pub(super) fn new(connection: &'c Connection) -> Outcome<Self> {
        Ok(Self {
            to_merchant: connection.prepare_cached(INSERT_MERCHANT_ROW)?,
            to_user: connection.prepare_cached(INSERT_USER_ROW)?,
        })
    }

    /// Appends a row to its journal.
    pub(super) fn append(&mut self, row: &JournalRow) -> Outcome<()> {
        match row.transfer.journal {
            Owner::Merchant(_) => self.append_to_merchant(row),
            Owner::User(user) => self.append_to_user(user, row),
        }
    }

    fn append_to_merchant(&mut self, row: &JournalRow) -> Outcome<()> {
        let Transfer { kind, journal, from, to, amount, subject, limit, at } = &row.transfer;
        let (packet_no, share_no, reference) = match subject {
            Subject::Packet(no) => (Some(int(no.get())?), None, None),
            Subject::Share { packet, share_no } => {
                (Some(int(packet.get())?), Some(*share_no), None)
            }
            Subject::Reference(reference) => (None, None, Some(reference.as_str())),
        };
        let limit = limit.as_ref();
        let owner = match journal {
            Owner::Merchant(id) => merchant_int(*id),
            Owner::User(_) => return Err(unfit(row)),
        };
        self.to_merchant
            .execute(params![
                owner,
                int(row.seq)?,
                kind.code(),
                amount.get(),
                from.kind.code(),
                int(row.from_after.seq)?,
                row.from_after.amount.get(),
                to.kind.code(),
                int(row.to_after.seq)?,
                row.to_after.amount.get(),
                wallet_user(row)?.map(|user| int(user.get())).transpose()?,
                packet_no,
                share_no,
                reference,
                at.millis(),
                limit.map(|limit| int(limit.version)).transpose()?,
                limit.map(|limit| limit.day.number()),
                limit.map(|limit| limit.used_fen.get()),
                limit.map(|limit| limit.used_count),
                limit.map(|limit| limit.cap_fen.get()),
                limit.and_then(|limit| limit.cap_count),
                row.hash.0,
            ])
            .map_err(|error| Failure::inserting(error, "merchant_journal"))?;
        Ok(())
    }

    fn append_to_user(&mut self, user: UserId, row: &JournalRow) -> Outcome<()> {
        let transfer = &row.transfer;
        let Subject::Reference(reference) = &transfer.subject else {
            return Err(unfit(row));
        };
        let payee = match (transfer.from, transfer.to) {
            (from, to)
                if from.owner != Owner::User(user) || of_merchant(from) || of_merchant(to) =>
            {
                return Err(unfit(row));
            }
            (_, to) => match to.owner {
                Owner::User(payee) if payee == user => None,
                Owner::User(payee) if to.kind == AccountKind::Wallet => Some(int(payee.get())?),
                Owner::User(_) | Owner::Merchant(_) => return Err(unfit(row)),
            },
        };
        if transfer.limit.is_some() {
            return Err(unfit(row));
        }
        self.to_user
            .execute(params![
                int(user.get())?,
                int(row.seq)?,
                transfer.kind.code(),
                transfer.amount.get(),
                transfer.from.kind.code(),
                int(row.from_after.seq)?,
                row.from_after.amount.get(),
                transfer.to.kind.code(),
                int(row.to_after.seq)?,
                row.to_after.amount.get(),
                payee,
                reference.as_str(),
                transfer.at.millis(),
                row.hash.0,
            ])
            .map_err(|error| Failure::inserting(error, "user_journal"))?;
        Ok(())
    }
}

/// The user whose wallet a row of a merchant's journal touches.
fn wallet_user(row: &JournalRow) -> Outcome<Option<UserId>> {
    let Transfer { from, to, journal, .. } = &row.transfer;
    let side = |account: &Account| match account.owner {
        Owner::User(user) if account.kind == AccountKind::Wallet => Ok(Some(user)),
        owner if owner == *journal && account.kind != AccountKind::Wallet => Ok(None),
        Owner::User(_) | Owner::Merchant(_) => Err(unfit(row)),
    };
    match (side(from)?, side(to)?) {
        (Some(_), Some(_)) => Err(unfit(row)),
        (user, None) | (None, user) => Ok(user),
    }
}

fn of_merchant(account: Account) -> bool {
    matches!(account.kind, AccountKind::Basic | AccountKind::Operation | AccountKind::Escrow)
}

fn unfit(row: &JournalRow) -> Failure {
    Failure::corrupt(format!(
        "the transfer of row {} of journal {} names accounts that cannot stand there",
        row.seq, row.transfer.journal
    ))
}

/// Rows of a journal after `seq`, in order.
pub(super) fn after(
    connection: &Connection,
    owner: Owner,
    seq: u64,
    limit: u32,
) -> Outcome<Vec<JournalRow>> {
    let (sql, id) = match owner {
        Owner::Merchant(id) => (MERCHANT_JOURNAL, merchant_int(id)),
        Owner::User(id) => (USER_JOURNAL, int(id.get())?),
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((id, int(seq)?, limit))?;
    let mut journal = Vec::new();
    while let Some(row) = rows.next()? {
        journal.push(match owner {
            Owner::Merchant(_) => merchant_row(&mut Fields::new(row, "merchant_journal"))?,
            Owner::User(_) => user_row(&mut Fields::new(row, "user_journal"))?,
        });
    }
    Ok(journal)
}

/// The columns that both kinds of journal have, in their order.
struct Common {
    seq: u64,
    kind: TransferKind,
    amount: Fen,
    from_kind: AccountKind,
    from_after: Balance,
    to_kind: AccountKind,
    to_after: Balance,
    other: Option<UserId>,
    at: hongbao_domain::Timestamp,
    hash: JournalHash,
}

impl Common {
    fn read(fields: &mut Fields<'_>) -> Outcome<Self> {
        let balance = |fields: &mut Fields<'_>| {
            let seq = fields.u64()?;
            let amount = fields.fen()?;
            Ok::<_, Failure>(Balance { amount, seq })
        };
        Ok(Self {
            seq: fields.u64()?,
            kind: fields.code(TransferKind::from_code)?,
            amount: fields.fen()?,
            from_kind: fields.code(AccountKind::from_code)?,
            from_after: balance(fields)?,
            to_kind: fields.code(AccountKind::from_code)?,
            to_after: balance(fields)?,
            other: fields.user_or_null()?,
            at: fields.time()?,
            hash: JournalHash(fields.raw()?),
        })
    }

    fn row(
        self,
        journal: Owner,
        from: Owner,
        to: Owner,
        subject: Subject,
        limit: Option<LimitUse>,
    ) -> JournalRow {
        let account = |owner, kind| Account { owner, kind };
        JournalRow {
            seq: self.seq,
            transfer: Transfer {
                kind: self.kind,
                journal,
                from: account(from, self.from_kind),
                to: account(to, self.to_kind),
                amount: self.amount,
                subject,
                limit,
                at: self.at,
            },
            from_after: self.from_after,
            to_after: self.to_after,
            hash: self.hash,
        }
    }
}

fn merchant_row(fields: &mut Fields<'_>) -> Outcome<JournalRow> {
    let journal = Owner::Merchant(fields.merchant()?);
    let common = Common::read(fields)?;
    let subject = merchant_subject(fields)?;
    let limit = limit_use(fields)?;
    let side = |kind| match (kind, common.other) {
        (AccountKind::Wallet, Some(user)) => Ok(Owner::User(user)),
        (AccountKind::Wallet, None) => Err(fields.damaged("a wallet of nobody")),
        _ => Ok(journal),
    };
    let (from, to) = (side(common.from_kind)?, side(common.to_kind)?);
    Ok(common.row(journal, from, to, subject, limit))
}

fn merchant_subject(fields: &mut Fields<'_>) -> Outcome<Subject> {
    let packet = fields.known_or_null(|no: i64| no.try_into().ok().map(PacketNo::new))?;
    let share_no = fields.known_or_null(|no: i64| no.try_into().ok())?;
    let reference = fields.parsed_or_null()?;
    match (packet, share_no, reference) {
        (Some(packet), Some(share_no), None) => Ok(Subject::Share { packet, share_no }),
        (Some(packet), None, None) => Ok(Subject::Packet(packet)),
        (None, None, Some(reference)) => Ok(Subject::Reference(reference)),
        _ => Err(fields.damaged("a transfer about nothing, or about two things")),
    }
}

fn limit_use(fields: &mut Fields<'_>) -> Outcome<Option<LimitUse>> {
    let version: Option<u64> = fields.known_or_null(|version: i64| version.try_into().ok())?;
    let Some(version) = version else {
        return Ok(None);
    };
    Ok(Some(LimitUse {
        version,
        day: Day::from_number(fields.raw()?),
        used_fen: fields.fen()?,
        used_count: fields.u32()?,
        cap_fen: fields.fen()?,
        cap_count: fields.known_or_null(|count: i64| count.try_into().ok())?,
    }))
}

fn user_row(fields: &mut Fields<'_>) -> Outcome<JournalRow> {
    let user = fields.user()?;
    let common = Common::read(fields)?;
    let subject = Subject::Reference(fields.parsed()?);
    let to = Owner::User(common.other.unwrap_or(user));
    let journal = Owner::User(user);
    Ok(common.row(journal, journal, to, subject, None))
}

/// Kind, owner and amount of a posted reference, as `merchant_posted` and `user_posted` hold them.
pub(super) fn posted(fields: &mut Fields<'_>) -> Outcome<Posted> {
    Ok(Posted {
        kind: fields.code(TransferKind::from_code)?,
        from: account(fields)?,
        to: account(fields)?,
        amount: fields.fen()?,
        at: fields.time()?,
    })
}

fn account(fields: &mut Fields<'_>) -> Outcome<Account> {
    let kind = fields.code(AccountKind::from_code)?;
    let owner = match (fields.merchant_or_null()?, fields.user_or_null()?) {
        (Some(merchant), None) => Owner::Merchant(merchant),
        (None, Some(user)) => Owner::User(user),
        _ => return Err(fields.damaged("an account of nobody, or of two")),
    };
    Ok(Account { owner, kind })
}
