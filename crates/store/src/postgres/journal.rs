//! Appending to journals.

use hongbao_domain::ledger::{JournalRow, Owner};

use super::rows::{Rows, Write};
use crate::{
    columns::int,
    error::Outcome,
    queries::journal::{CommonColumns, MerchantColumns, UserColumns},
    session::values,
};

const INSERT_MERCHANT_ROWS: &str = "
INSERT INTO merchant_journal (
    merchant_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq, to_balance,
    user_id, packet_no, share_no, reference, at, limit_version, limit_day, limit_used_fen,
    limit_used_count, limit_cap_fen, limit_cap_count, hash
)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::smallint[], $6::bigint[],
    $7::bigint[], $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
    $13::bigint[], $14::text[], $15::bigint[], $16::bigint[], $17::integer[], $18::bigint[],
    $19::bigint[], $20::bigint[], $21::bigint[], $22::bytea[]
)";
const INSERT_USER_ROWS: &str = "
INSERT INTO user_journal (
    user_id, seq, kind, amount, from_kind, from_seq, from_balance, to_kind, to_seq, to_balance,
    payee_id, reference, at, hash
)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::smallint[], $6::bigint[],
    $7::bigint[], $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[],
    $13::bigint[], $14::bytea[]
)";

/// The new rows of merchants' and of users' journals.
pub(super) fn appends(rows: &[JournalRow]) -> Outcome<[Write<'_>; 2]> {
    // Each journal's rows together: appends to one journal share a page.
    let mut rows: Vec<&JournalRow> = rows.iter().collect();
    rows.sort_by_key(|row| (row.transfer.journal, row.seq));
    let (mut of_merchants, mut of_users) = (Rows::default(), Rows::default());
    for row in rows {
        match row.transfer.journal {
            Owner::Merchant(_) => merchant_row(&mut of_merchants, row)?,
            Owner::User(user) => {
                let UserColumns { common, payee, reference, hash } = UserColumns::of(user, row)?;
                let CommonColumns { owner, seq, kind, amount, .. } = common;
                of_users.push(values![
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
            }
        }
    }
    Ok([
        Write::new(INSERT_MERCHANT_ROWS, "merchant_journal", of_merchants),
        Write::new(INSERT_USER_ROWS, "user_journal", of_users),
    ])
}

fn merchant_row<'r>(rows: &mut Rows<'r>, row: &'r JournalRow) -> Outcome<()> {
    let MerchantColumns { common, user, packet_no, share_no, reference, limit, hash } =
        MerchantColumns::of(row)?;
    let CommonColumns { owner, seq, kind, amount, .. } = common;
    rows.push(values![
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
    Ok(())
}
