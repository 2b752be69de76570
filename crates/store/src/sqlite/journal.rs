//! Appending to journals.

use hongbao_domain::{
    UserId,
    ledger::{JournalRow, Owner},
};
use rusqlite::{CachedStatement, Connection, params};

use crate::{
    columns::int,
    error::{Failure, Outcome},
    queries::journal::{CommonColumns, MerchantColumns, UserColumns},
};

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
        let MerchantColumns { common, user, packet_no, share_no, reference, limit, hash } =
            MerchantColumns::of(row)?;
        let CommonColumns { owner, seq, kind, amount, .. } = common;
        let inserted = self.to_merchant.execute(params![
            owner,
            seq,
            kind,
            amount,
            common.from_kind,
            common.from_seq,
            common.from_balance,
            common.to_kind,
            common.to_seq,
            common.to_balance,
            user,
            packet_no,
            share_no,
            reference,
            common.at,
            limit.map(|limit| int(limit.version)).transpose()?,
            limit.map(|limit| limit.day.number()),
            limit.map(|limit| limit.used_fen.get()),
            limit.map(|limit| limit.used_count),
            limit.map(|limit| limit.cap_fen.get()),
            limit.and_then(|limit| limit.cap_count),
            hash,
        ]);
        inserted.map_err(|error| Failure::from(error).inserting("merchant_journal"))?;
        Ok(())
    }

    fn append_to_user(&mut self, user: UserId, row: &JournalRow) -> Outcome<()> {
        let UserColumns { common, payee, reference, hash } = UserColumns::of(user, row)?;
        let CommonColumns { owner, seq, kind, amount, .. } = common;
        let inserted = self.to_user.execute(params![
            owner,
            seq,
            kind,
            amount,
            common.from_kind,
            common.from_seq,
            common.from_balance,
            common.to_kind,
            common.to_seq,
            common.to_balance,
            payee,
            reference,
            common.at,
            hash,
        ]);
        inserted.map_err(|error| Failure::from(error).inserting("user_journal"))?;
        Ok(())
    }
}
