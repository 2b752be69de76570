//! Facts and changes → rows: everything a batch decided, in one transaction.
//!
//! Rows that exist are written with the version that was loaded in the `WHERE`, and one row must
//! be affected; rows that are new are inserted, and their keys must be free. Either way nothing is
//! booked over rows that were changed since, whatever went wrong above; what was only read
//! (settings, a freeze, an authorization) is for the transaction, or the `preparer`, to keep still.
//!
//! A claim dirties a page each of packet progress, wallet and user day, and appends to its journal:
//! nothing else, no index. Keys are written in order, so that neighbours share a page.

use std::sync::LazyLock;

use hongbao_domain::{
    Timestamp,
    facts::{Changes, Facts},
    ledger::Owner,
    limit::DayUse,
    merchant::Book,
    wallet::Wallet,
};
use rusqlite::{Connection, params};

use super::{insert::Insert, journal, orders::orders};
use crate::{
    columns::{
        absent, begun_and_known, changed, hash_blob, int, loaded, merchant_int, new_and_known,
        owner_columns,
    },
    error::{Outcome, one},
    queries::admin::insert_record,
    session::ready,
};

const UPDATE_BOOK: &str = "UPDATE merchant_book SET
         version = ?1, basic_fen = ?2, basic_seq = ?3, operation_fen = ?4, operation_seq = ?5,
         escrow_fen = ?6, escrow_seq = ?7, external_fen = ?8, external_seq = ?9,
         journal_seq = ?10, journal_hash = ?11, journal_at = ?12, day_version = ?13, day = ?14,
         day_fen = ?15, day_count = ?16, last_packet = ?17, clock_offset_millis = ?18
     WHERE merchant_id = ?19 AND version = ?20";
static INSERT_PROGRESS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "packet_progress",
        "packet_progress (
             merchant_id, packet_no, claimed, claimed_count, settled_at, version
         )",
    )
});
const UPDATE_PROGRESS: &str = "UPDATE packet_progress SET
         claimed = ?3, claimed_count = ?4, settled_at = ?5, version = ?6
     WHERE merchant_id = ?1 AND packet_no = ?2 AND version = ?7";
static INSERT_GROUP_CLAIMS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "group_claim",
        "group_claim (merchant_id, packet_no, user_id, share_no, amount, at)",
    )
});
static INSERT_USER_DAYS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new("user_day", "user_day (merchant_id, user_id, version, day, fen, packet_count)")
});
const UPDATE_USER_DAY: &str = "UPDATE user_day SET
         version = ?1, day = ?2, fen = ?3, packet_count = ?4
     WHERE merchant_id = ?5 AND user_id = ?6 AND version = ?7";
const UPDATE_WALLET: &str = "UPDATE wallet SET
         wallet_fen = ?1, wallet_seq = ?2, external_fen = ?3, external_seq = ?4,
         journal_seq = ?5, journal_hash = ?6, journal_at = ?7
     WHERE user_id = ?8 AND wallet_seq + external_seq = ?9";
static INSERT_MERCHANT_POSTED: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "merchant_posted",
        "merchant_posted (
             merchant_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
             to_merchant_id, to_user_id, amount, at
         )",
    )
});
static INSERT_USER_POSTED: LazyLock<Insert> = LazyLock::new(|| {
    Insert::new(
        "user_posted",
        "user_posted (
             user_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
             to_merchant_id, to_user_id, amount, at
         )",
    )
});
static INSERT_PAYOUT: LazyLock<Insert> =
    LazyLock::new(|| Insert::new("payout", "payout (amount, state, at, user_id, reference)"));
/// A payout is settled once: only a pending one changes.
const UPDATE_PAYOUT: &str = "UPDATE payout SET state = ?2
     WHERE amount = ?1 AND at = ?3 AND user_id = ?4 AND reference = ?5 AND state = 1";

/// Writes what a batch changed.
pub(super) fn changes(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    books(connection, facts)?;
    orders(connection, facts, changes)?;
    progress(connection, facts)?;
    group_claims(connection, facts, changes)?;
    user_days(connection, facts)?;
    wallets(connection, facts)?;
    journal::append(connection, &changes.journal)?;
    posted(connection, facts, changes)?;
    payouts(connection, facts, changes)?;
    for record in &changes.records {
        ready(insert_record(connection, record))?;
    }
    Ok(())
}

fn books(connection: &Connection, facts: &Facts) -> Outcome<()> {
    for (id, slot) in changed(&facts.merchants) {
        let Book {
            version,
            basic,
            operation,
            escrow,
            external,
            journal,
            day,
            last_packet,
            clock_offset_millis,
        } = &slot.row.book;
        let mut statement = connection.prepare_cached(UPDATE_BOOK)?;
        let params = params![
            int(*version)?,
            basic.amount.get(),
            int(basic.seq)?,
            operation.amount.get(),
            int(operation.seq)?,
            escrow.amount.get(),
            int(escrow.seq)?,
            external.amount.get(),
            int(external.seq)?,
            int(journal.seq)?,
            journal.hash.0,
            journal.at.millis(),
            int(day.version)?,
            day.day.number(),
            day.fen.get(),
            day.count,
            int(*last_packet)?,
            clock_offset_millis,
            merchant_int(*id),
            loaded(slot)?,
        ];
        one(statement.execute(params)?, "merchant_book")?;
    }
    Ok(())
}

fn progress(connection: &Connection, facts: &Facts) -> Outcome<()> {
    let (begun, known) = begun_and_known(&facts.packets);
    INSERT_PROGRESS.all(connection, &begun, |(key, slot), values| {
        let packet = &slot.row;
        values.bind(params![
            merchant_int(key.merchant),
            int(key.no.get())?,
            packet.claimed.get(),
            packet.claimed_count,
            packet.state.settled_at().map(Timestamp::millis),
            int(packet.version)?,
        ])
    })?;
    let mut update = connection.prepare_cached(UPDATE_PROGRESS)?;
    for (key, slot) in known {
        let packet = &slot.row;
        let params = params![
            merchant_int(key.merchant),
            int(key.no.get())?,
            packet.claimed.get(),
            packet.claimed_count,
            packet.state.settled_at().map(Timestamp::millis),
            int(packet.version)?,
            loaded(slot)?,
        ];
        one(update.execute(params)?, "packet_progress")?;
    }
    Ok(())
}

fn group_claims(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    let keys: Vec<_> = changes.group_claims.iter().collect();
    INSERT_GROUP_CLAIMS.all(connection, &keys, |key, values| {
        let claim = facts.group_claims.get(key);
        let claim = claim.ok_or_else(|| absent("group_claim"))?;
        let (packet, user) = key;
        values.bind(params![
            merchant_int(packet.merchant),
            int(packet.no.get())?,
            int(user.get())?,
            claim.share_no,
            claim.amount.get(),
            claim.at.millis(),
        ])
    })
}

fn user_days(connection: &Connection, facts: &Facts) -> Outcome<()> {
    let (new, known) = new_and_known(&facts.user_days);
    INSERT_USER_DAYS.all(connection, &new, |((merchant, user), slot), values| {
        let DayUse { version, day, fen, count } = &slot.row;
        values.bind(params![
            merchant_int(*merchant),
            int(user.get())?,
            int(*version)?,
            day.number(),
            fen.get(),
            count,
        ])
    })?;
    let mut update = connection.prepare_cached(UPDATE_USER_DAY)?;
    for ((merchant, user), slot) in known {
        let DayUse { version, day, fen, count } = &slot.row;
        let params = params![
            int(*version)?,
            day.number(),
            fen.get(),
            count,
            merchant_int(*merchant),
            int(user.get())?,
            loaded(slot)?,
        ];
        one(update.execute(params)?, "user_day")?;
    }
    Ok(())
}

fn wallets(connection: &Connection, facts: &Facts) -> Outcome<()> {
    let mut statement = connection.prepare_cached(UPDATE_WALLET)?;
    for (id, slot) in changed(&facts.wallets) {
        // A freeze is a person's change and is not written here.
        let Wallet { user: _, wallet, external, journal, frozen: _ } = &slot.row;
        let params = params![
            wallet.amount.get(),
            int(wallet.seq)?,
            external.amount.get(),
            int(external.seq)?,
            int(journal.seq)?,
            hash_blob(journal),
            journal.at.millis(),
            int(id.get())?,
            loaded(slot)?,
        ];
        one(statement.execute(params)?, "wallet")?;
    }
    Ok(())
}

fn posted(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    for key in &changes.posted {
        let posted = facts.posted.get(key).ok_or_else(|| absent("posted"))?;
        let (insert, owner) = match key.owner {
            Owner::Merchant(id) => (&INSERT_MERCHANT_POSTED, merchant_int(id)),
            Owner::User(id) => (&INSERT_USER_POSTED, int(id.get())?),
        };
        let (from_merchant, from_user) = owner_columns(posted.from.owner)?;
        let (to_merchant, to_user) = owner_columns(posted.to.owner)?;
        let values = params![
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
        ];
        insert.row(connection, values)?;
    }
    Ok(())
}

fn payouts(connection: &Connection, facts: &Facts, changes: &Changes) -> Outcome<()> {
    for (key, made) in &changes.payouts {
        let payout = facts.payouts.get(key).ok_or_else(|| absent("payout"))?;
        let params = params![
            payout.amount.get(),
            payout.state.code(),
            payout.at.millis(),
            int(key.user.get())?,
            key.reference.as_str(),
        ];
        if *made {
            INSERT_PAYOUT.row(connection, params)?;
        } else {
            let mut statement = connection.prepare_cached(UPDATE_PAYOUT)?;
            one(statement.execute(params)?, "payout")?;
        }
    }
    Ok(())
}
