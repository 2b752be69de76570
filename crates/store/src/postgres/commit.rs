//! Facts and changes → rows: everything a batch decided, in one round trip, before its commit.
//!
//! One statement a table, by array parameters. Rows that exist are written with the version that
//! was loaded in the `WHERE`, rows that are new must find their keys free, and each statement must
//! write as many rows as it was given. Either way a decision over stale facts cannot be booked,
//! whatever went wrong above.

use futures_util::future::join_all;
use hongbao_app::ports::WalletEntry;
use hongbao_domain::{
    Timestamp, UserId,
    facts::{Changes, Facts},
    ledger::Owner,
};

use super::{
    journal, orders,
    pool::{Client, Transaction},
    rows::{Rows, Write},
};
use crate::{
    columns::{
        OrderChanges, absent, begun_and_known, changed, hash_blob, int, loaded, merchant_int,
        owner_columns,
    },
    error::Outcome,
    queries::admin::insert_record,
    session::values,
};

const UPDATE_BOOKS: &str = "
UPDATE merchant_book
SET version = new.version, basic_fen = new.basic_fen, basic_seq = new.basic_seq,
    operation_fen = new.operation_fen, operation_seq = new.operation_seq,
    escrow_fen = new.escrow_fen, escrow_seq = new.escrow_seq, external_fen = new.external_fen,
    external_seq = new.external_seq, journal_seq = new.journal_seq,
    journal_hash = new.journal_hash, journal_at = new.journal_at,
    day_version = new.day_version, day = new.day, day_fen = new.day_fen,
    day_count = new.day_count, last_packet = new.last_packet,
    clock_offset_millis = new.clock_offset_millis
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
    $13::bytea[], $14::bigint[], $15::bigint[], $16::integer[], $17::bigint[], $18::bigint[],
    $19::bigint[], $20::bigint[]
) AS new (
    merchant_id, loaded, version, basic_fen, basic_seq, operation_fen, operation_seq, escrow_fen,
    escrow_seq, external_fen, external_seq, journal_seq, journal_hash, journal_at, day_version,
    day, day_fen, day_count, last_packet, clock_offset_millis
)
WHERE merchant_book.merchant_id = new.merchant_id AND merchant_book.version = new.loaded";
const INSERT_PROGRESS: &str = "
INSERT INTO packet_progress (
    merchant_id, packet_no, claimed, claimed_count, settled_at, version
)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]
)";
const UPDATE_PROGRESS: &str = "
UPDATE packet_progress
SET claimed = new.claimed, claimed_count = new.claimed_count, settled_at = new.settled_at,
    version = new.version
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::bigint[]
) AS new (merchant_id, packet_no, claimed, claimed_count, settled_at, version, loaded)
WHERE packet_progress.merchant_id = new.merchant_id
    AND packet_progress.packet_no = new.packet_no AND packet_progress.version = new.loaded";
const INSERT_GROUP_CLAIMS: &str = "
INSERT INTO group_claim (merchant_id, packet_no, user_id, share_no, amount, at)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]
)";
const INSERT_USER_DAYS: &str = "
INSERT INTO user_day (merchant_id, user_id, version, day, fen, packet_count)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[]
)";
const UPDATE_USER_DAYS: &str = "
UPDATE user_day
SET version = new.version, day = new.day, fen = new.fen, packet_count = new.packet_count
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[],
    $7::bigint[]
) AS new (merchant_id, user_id, version, day, fen, packet_count, loaded)
WHERE user_day.merchant_id = new.merchant_id AND user_day.user_id = new.user_id
    AND user_day.version = new.loaded";
const UPDATE_WALLETS: &str = "
UPDATE wallet
SET wallet_fen = new.wallet_fen, wallet_seq = new.wallet_seq, external_fen = new.external_fen,
    external_seq = new.external_seq, journal_seq = new.journal_seq,
    journal_hash = new.journal_hash, journal_at = new.journal_at
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::bigint[], $8::bytea[], $9::bigint[]
) AS new (
    user_id, loaded, wallet_fen, wallet_seq, external_fen, external_seq, journal_seq,
    journal_hash, journal_at
)
WHERE wallet.user_id = new.user_id AND wallet.wallet_seq + wallet.external_seq = new.loaded";
const INSERT_WALLET_ENTRIES: &str = "
INSERT INTO wallet_entry (
    user_id, seq, kind, delta, balance_after, merchant_id, reference, at
)
SELECT *
FROM unnest(
    $1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::text[], $8::bigint[]
)
ON CONFLICT (user_id, seq) DO NOTHING";
const INSERT_MERCHANT_POSTED: &str = "
INSERT INTO merchant_posted (
    merchant_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
    to_merchant_id, to_user_id, amount, at
)
SELECT *
FROM unnest(
    $1::bigint[], $2::text[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[],
    $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]
)";
const INSERT_USER_POSTED: &str = "
INSERT INTO user_posted (
    user_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind, to_merchant_id,
    to_user_id, amount, at
)
SELECT *
FROM unnest(
    $1::bigint[], $2::text[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[],
    $7::smallint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]
)";
const INSERT_PAYOUTS: &str = "
INSERT INTO payout (amount, state, at, user_id, reference)
SELECT *
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[])";
/// A payout is settled once: only a pending one changes.
const UPDATE_PAYOUTS: &str = "
UPDATE payout
SET state = new.state
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[])
    AS new (amount, state, at, user_id, reference)
WHERE payout.user_id = new.user_id AND payout.reference = new.reference
    AND payout.amount = new.amount AND payout.at = new.at AND payout.state = 1";

/// Writes what a batch changed.
pub(super) async fn changes(
    transaction: &Transaction,
    facts: &Facts,
    changes: &Changes,
) -> Outcome<()> {
    let client = transaction.client()?;
    let orders = OrderChanges::of(facts, changes)?;
    let made = orders::Made::of(facts, &orders)?;
    // Those of merchants' journals are followed.
    let entries: Vec<WalletEntry> = changes
        .journal
        .iter()
        .filter(|row| matches!(row.transfer.journal, Owner::User(_)))
        .flat_map(WalletEntry::of)
        .collect();
    let mut writes = vec![books(facts)?];
    writes.extend(orders::writes(&orders, &made)?);
    writes.extend(progress(facts)?);
    writes.push(group_claims(facts, changes)?);
    writes.extend(user_days(facts)?);
    writes.push(wallets(facts)?);
    writes.extend(journal::appends(&changes.journal)?);
    writes.push(wallet_entries(&entries)?);
    writes.extend(posted(facts, changes)?);
    writes.extend(payouts(facts, changes)?);
    send_all(client, &writes).await?;
    for record in &changes.records {
        insert_record(transaction, record).await?;
    }
    Ok(())
}

/// Sends all statements at once. The first that failed is the cause; the others then only say
/// that the transaction is aborted.
async fn send_all(client: &Client, writes: &[Write<'_>]) -> Outcome<()> {
    let sent = join_all(writes.iter().map(|write| write.send(client))).await;
    sent.into_iter().collect()
}

fn books(facts: &Facts) -> Outcome<Write<'_>> {
    let mut rows = Rows::default();
    for (id, slot) in changed(&facts.merchants) {
        let book = &slot.row.book;
        rows.push(values![
            merchant_int(*id),
            loaded(slot)?,
            int(book.version)?,
            book.basic.amount.get(),
            int(book.basic.seq)?,
            book.operation.amount.get(),
            int(book.operation.seq)?,
            book.escrow.amount.get(),
            int(book.escrow.seq)?,
            book.external.amount.get(),
            int(book.external.seq)?,
            int(book.journal.seq)?,
            book.journal.hash.0.as_slice(),
            book.journal.at.millis(),
            int(book.day.version)?,
            book.day.day.number(),
            book.day.fen.get(),
            book.day.count,
            int(book.last_packet)?,
            book.clock_offset_millis,
        ]);
    }
    Ok(Write::new(UPDATE_BOOKS, "merchant_book", rows))
}

fn progress(facts: &Facts) -> Outcome<[Write<'_>; 2]> {
    let (begun, known) = begun_and_known(&facts.packets);
    let (mut new, mut changed) = (Rows::default(), Rows::default());
    for (key, slot) in begun {
        let packet = &slot.row;
        new.push(values![
            merchant_int(key.merchant),
            int(key.no.get())?,
            packet.claimed.get(),
            packet.claimed_count,
            packet.state.settled_at().map(Timestamp::millis),
            int(packet.version)?,
        ]);
    }
    for (key, slot) in known {
        let packet = &slot.row;
        changed.push(values![
            merchant_int(key.merchant),
            int(key.no.get())?,
            packet.claimed.get(),
            packet.claimed_count,
            packet.state.settled_at().map(Timestamp::millis),
            int(packet.version)?,
            loaded(slot)?,
        ]);
    }
    Ok([
        Write::new(INSERT_PROGRESS, "packet_progress", new),
        Write::new(UPDATE_PROGRESS, "packet_progress", changed),
    ])
}

fn group_claims<'b>(facts: &'b Facts, changes: &'b Changes) -> Outcome<Write<'b>> {
    let mut rows = Rows::default();
    for key in &changes.group_claims {
        let claim = facts.group_claims.get(key).ok_or_else(|| absent("group_claim"))?;
        let (packet, user) = key;
        rows.push(values![
            merchant_int(packet.merchant),
            int(packet.no.get())?,
            int(user.get())?,
            claim.share_no,
            claim.amount.get(),
            claim.at.millis(),
        ]);
    }
    Ok(Write::new(INSERT_GROUP_CLAIMS, "group_claim", rows))
}

fn user_days(facts: &Facts) -> Outcome<[Write<'_>; 2]> {
    let (mut new, mut known) = (Rows::default(), Rows::default());
    for ((merchant, user), slot) in changed(&facts.user_days) {
        let (merchant, user) = (merchant_int(*merchant), int(user.get())?);
        let (version, day) = (int(slot.row.version)?, slot.row.day.number());
        let (fen, count) = (slot.row.fen.get(), slot.row.count);
        if slot.loaded.is_none() {
            new.push(values![merchant, user, version, day, fen, count]);
        } else {
            known.push(values![merchant, user, version, day, fen, count, loaded(slot)?]);
        }
    }
    Ok([
        Write::new(INSERT_USER_DAYS, "user_day", new),
        Write::new(UPDATE_USER_DAYS, "user_day", known),
    ])
}

fn wallets(facts: &Facts) -> Outcome<Write<'_>> {
    let mut rows = Rows::default();
    for (id, slot) in changed(&facts.wallets) {
        let wallet = &slot.row;
        rows.push(values![
            int(UserId::get(*id))?,
            loaded(slot)?,
            wallet.wallet.amount.get(),
            int(wallet.wallet.seq)?,
            wallet.external.amount.get(),
            int(wallet.external.seq)?,
            int(wallet.journal.seq)?,
            hash_blob(&wallet.journal),
            wallet.journal.at.millis(),
        ]);
    }
    Ok(Write::new(UPDATE_WALLETS, "wallet", rows))
}

/// History lines.
pub(super) fn wallet_entries(entries: &[WalletEntry]) -> Outcome<Write<'_>> {
    let mut rows = Rows::default();
    for entry in entries {
        rows.push(values![
            int(entry.user.get())?,
            int(entry.seq)?,
            entry.kind.code(),
            entry.delta.get(),
            entry.balance_after.get(),
            entry.merchant.map(merchant_int),
            entry.reference.as_ref().map(hongbao_domain::Reference::as_str),
            entry.at.millis(),
        ]);
    }
    Ok(Write::new(INSERT_WALLET_ENTRIES, "wallet_entry", rows))
}

fn posted<'b>(facts: &'b Facts, changes: &'b Changes) -> Outcome<[Write<'b>; 2]> {
    let (mut of_merchants, mut of_users) = (Rows::default(), Rows::default());
    for key in &changes.posted {
        let posted = facts.posted.get(key).ok_or_else(|| absent("posted"))?;
        let (rows, owner) = match key.owner {
            Owner::Merchant(id) => (&mut of_merchants, merchant_int(id)),
            Owner::User(id) => (&mut of_users, int(id.get())?),
        };
        let (from_merchant, from_user) = owner_columns(posted.from.owner)?;
        let (to_merchant, to_user) = owner_columns(posted.to.owner)?;
        rows.push(values![
            owner,
            key.reference.as_str(),
            posted.kind.code(),
            posted.from.kind.code(),
            from_merchant,
            from_user,
            posted.to.kind.code(),
            to_merchant,
            to_user,
            posted.amount.get(),
            posted.at.millis(),
        ]);
    }
    Ok([
        Write::new(INSERT_MERCHANT_POSTED, "merchant_posted", of_merchants),
        Write::new(INSERT_USER_POSTED, "user_posted", of_users),
    ])
}

fn payouts<'b>(facts: &'b Facts, changes: &'b Changes) -> Outcome<[Write<'b>; 2]> {
    let (mut new, mut known) = (Rows::default(), Rows::default());
    for (key, made) in &changes.payouts {
        let payout = facts.payouts.get(key).ok_or_else(|| absent("payout"))?;
        let rows = if *made { &mut new } else { &mut known };
        rows.push(values![
            payout.amount.get(),
            payout.state.code(),
            payout.at.millis(),
            int(key.user.get())?,
            key.reference.as_str(),
        ]);
    }
    Ok([Write::new(INSERT_PAYOUTS, "payout", new), Write::new(UPDATE_PAYOUTS, "payout", known)])
}
