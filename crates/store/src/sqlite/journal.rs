//! Appending to journals.

use std::sync::LazyLock;

use hongbao_app::ports::WalletEntry;
use hongbao_domain::{
    UserId,
    ledger::{JournalRow, Owner},
};
use rusqlite::{Connection, params};

use super::{insert::Insert, values::Values};
use crate::{
    columns::int,
    error::{Outcome, one},
    queries::{
        journal::{CommonColumns, MerchantColumns, UserColumns},
        users::insert_entry,
    },
    session::ready,
};

static INSERT_MERCHANT_ROWS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "merchant_journal",
        "merchant_journal (
             merchant_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
             to_balance, user_id, packet_no, share_no, reference, at, limit_version, limit_day,
             limit_used_fen, limit_used_count, limit_cap_fen, limit_cap_count, hash
         )",
    )
});
static INSERT_USER_ROWS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "user_journal",
        "user_journal (
             user_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq,
             to_balance, payee_id, reference, at, hash
         )",
    )
});

/// Appends `rows` to their journals, and writes the history lines of users' journals; those of
/// merchants' journals are followed.
pub(super) fn append(connection: &Connection, rows: &[JournalRow]) -> Outcome<()> {
    let (mut of_merchants, mut of_users) = (Vec::new(), Vec::new());
    for row in rows {
        match row.transfer.journal {
            Owner::Merchant(merchant) => of_merchants.push((merchant, row)),
            Owner::User(user) => of_users.push((user, row)),
        }
    }
    // Each journal's rows together: appends to one journal share a page.
    of_merchants.sort_unstable_by_key(|(merchant, row)| (*merchant, row.seq));
    of_users.sort_unstable_by_key(|(user, row)| (*user, row.seq));
    INSERT_MERCHANT_ROWS
        .all(connection, &of_merchants, |(_, row), values| merchant_row(row, values))?;
    INSERT_USER_ROWS
        .all(connection, &of_users, |(user, row), values| user_row(*user, row, values))?;
    for entry in of_users.iter().flat_map(|(_, row)| WalletEntry::of(row)) {
        one(ready(insert_entry(connection, &entry))?, "wallet_entry")?;
    }
    Ok(())
}

fn merchant_row(row: &JournalRow, values: &mut Values<'_, '_>) -> Outcome<()> {
    let MerchantColumns { common, user, packet_no, share_no, reference, limit, hash } =
        MerchantColumns::of(row)?;
    let CommonColumns { owner, seq, kind, amount, .. } = common;
    values.bind(params![
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
    ])
}

fn user_row(user: UserId, row: &JournalRow, values: &mut Values<'_, '_>) -> Outcome<()> {
    let UserColumns { common, payee, reference, hash } = UserColumns::of(user, row)?;
    let CommonColumns { owner, seq, kind, amount, .. } = common;
    values.bind(params![
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
    ])
}
