//! Journal rows and posted references, between the domain and their columns.
//!
//! In a merchant's journal every account but a wallet is the merchant's own; in a user's journal
//! every account is the user's but, maybe, the wallet that takes. So one column for the other
//! user is enough, and a transfer that does not fit is a defect that is refused here.

use hongbao_domain::{
    Day, Fen, PacketNo, Timestamp, UserId,
    ledger::{
        Account, AccountKind, Balance, JournalHash, JournalRow, LimitUse, Owner, Subject, Transfer,
        TransferKind,
    },
    wallet::Posted,
};

use crate::{
    columns::{int, merchant_int},
    error::{Failure, Outcome},
    fields::Fields,
    session::{Session, values},
};

pub(crate) const MERCHANT_JOURNAL: &str = "
SELECT merchant_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
       to_balance, user_id, at, hash, packet_no, share_no, reference, limit_version, limit_day,
       limit_used_fen, limit_used_count, limit_cap_fen, limit_cap_count
FROM merchant_journal
WHERE merchant_id = $1 AND seq > $2
ORDER BY seq
LIMIT $3";

pub(crate) const USER_JOURNAL: &str = "
SELECT user_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
       to_balance, payee_id, at, hash, reference
FROM user_journal
WHERE user_id = $1 AND seq > $2
ORDER BY seq
LIMIT $3";

/// Rows of a journal after `seq`, in order.
pub(crate) async fn after(
    session: &impl Session,
    owner: Owner,
    seq: u64,
    limit: u32,
) -> Outcome<Vec<JournalRow>> {
    let seq = int(seq)?;
    match owner {
        Owner::Merchant(id) => {
            let key = values![merchant_int(id), seq, limit];
            session.query(MERCHANT_JOURNAL, "merchant_journal", key, merchant_row).await
        }
        Owner::User(id) => {
            let key = values![int(id.get())?, seq, limit];
            session.query(USER_JOURNAL, "user_journal", key, user_row).await
        }
    }
}

/// What both kinds of journal write of a row.
pub(crate) struct CommonColumns {
    pub(crate) owner: i64,
    pub(crate) seq: i64,
    pub(crate) kind: u8,
    pub(crate) amount: i64,
    pub(crate) from_kind: u8,
    pub(crate) from_seq: i64,
    pub(crate) from_balance: i64,
    pub(crate) to_kind: u8,
    pub(crate) to_seq: i64,
    pub(crate) to_balance: i64,
    pub(crate) at: i64,
}

impl CommonColumns {
    fn of(row: &JournalRow) -> Outcome<Self> {
        let Transfer { kind, journal, from, to, amount, at, .. } = &row.transfer;
        Ok(Self {
            owner: match journal {
                Owner::Merchant(id) => merchant_int(*id),
                Owner::User(id) => int(id.get())?,
            },
            seq: int(row.seq)?,
            kind: kind.code(),
            amount: amount.get(),
            from_kind: from.kind.code(),
            from_seq: int(row.from_after.seq)?,
            from_balance: row.from_after.amount.get(),
            to_kind: to.kind.code(),
            to_seq: int(row.to_after.seq)?,
            to_balance: row.to_after.amount.get(),
            at: at.millis(),
        })
    }
}

/// A row of `merchant_journal`, as its columns take it.
pub(crate) struct MerchantColumns<'r> {
    pub(crate) common: CommonColumns,
    pub(crate) user: Option<i64>,
    pub(crate) packet_no: Option<i64>,
    pub(crate) share_no: Option<u32>,
    pub(crate) reference: Option<&'r str>,
    pub(crate) limit: Option<&'r LimitUse>,
    pub(crate) hash: &'r [u8],
}

impl<'r> MerchantColumns<'r> {
    /// The columns of a row of a merchant's journal.
    pub(crate) fn of(row: &'r JournalRow) -> Outcome<Self> {
        let (packet_no, share_no, reference) = match &row.transfer.subject {
            Subject::Packet(no) => (Some(int(no.get())?), None, None),
            Subject::Share { packet, share_no } => {
                (Some(int(packet.get())?), Some(*share_no), None)
            }
            Subject::Reference(reference) => (None, None, Some(reference.as_str())),
        };
        Ok(Self {
            common: CommonColumns::of(row)?,
            user: wallet_user(row)?.map(|user| int(user.get())).transpose()?,
            packet_no,
            share_no,
            reference,
            limit: row.transfer.limit.as_ref(),
            hash: &row.hash.0,
        })
    }
}

/// A row of `user_journal`, as its columns take it.
pub(crate) struct UserColumns<'r> {
    pub(crate) common: CommonColumns,
    pub(crate) payee: Option<i64>,
    pub(crate) reference: &'r str,
    pub(crate) hash: &'r [u8],
}

impl<'r> UserColumns<'r> {
    /// The columns of a row of `user`'s journal.
    pub(crate) fn of(user: UserId, row: &'r JournalRow) -> Outcome<Self> {
        let Transfer { from, to, subject, limit, .. } = &row.transfer;
        let Subject::Reference(reference) = subject else {
            return Err(unfit(row));
        };
        let foreign = from.owner != Owner::User(user) || of_merchant(*from) || of_merchant(*to);
        if foreign || limit.is_some() {
            return Err(unfit(row));
        }
        let payee = match to.owner {
            Owner::User(payee) if payee == user => None,
            Owner::User(payee) if to.kind == AccountKind::Wallet => Some(int(payee.get())?),
            Owner::User(_) | Owner::Merchant(_) => return Err(unfit(row)),
        };
        let common = CommonColumns::of(row)?;
        Ok(Self { common, payee, reference: reference.as_str(), hash: &row.hash.0 })
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
    at: Timestamp,
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

/// A row of `MERCHANT_JOURNAL`.
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

/// A row of `USER_JOURNAL`.
fn user_row(fields: &mut Fields<'_>) -> Outcome<JournalRow> {
    let user = fields.user()?;
    let common = Common::read(fields)?;
    let subject = Subject::Reference(fields.parsed()?);
    let to = Owner::User(common.other.unwrap_or(user));
    let journal = Owner::User(user);
    Ok(common.row(journal, journal, to, subject, None))
}

/// Kind, owner and amount of a posted reference, as `merchant_posted` and `user_posted` hold them.
pub(crate) fn posted(fields: &mut Fields<'_>) -> Outcome<Posted> {
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
