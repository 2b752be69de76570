//! What background jobs look for and remember.

use std::collections::BTreeMap;

use hongbao_app::ports::{DuePacket, DueScan, JournalCursor, PendingPayout, WalletEntry};
use hongbao_domain::{MerchantId, Timestamp};
use rusqlite::Connection;

use super::{
    commit::one,
    error::Outcome,
    rows::{Fields, int, merchant_int},
    users::insert_entry,
};
use crate::queries::{jobs as sql, users::INSERT_WALLET_ENTRY};

/// By so much a cursor moves on at least: an idle server scans every second and commits once a
/// minute. What a scan finds is the same, it only begins up to a minute earlier.
const CURSOR_STEP_MILLIS: i64 = 60_000;

/// A merchant, its time, and up to when its packets are settled.
struct ExpiryClock {
    merchant: MerchantId,
    time: Timestamp,
    settled_through: Timestamp,
}

/// Packets that have ended by their merchant's time and are not settled, oldest first.
pub(super) fn due_packets(connection: &Connection, now: Timestamp, limit: u32) -> Outcome<DueScan> {
    let clocks = expiry_clocks(connection, now)?;
    let mut due = Vec::new();
    let mut statement = connection.prepare_cached(sql::DUE_PACKETS)?;
    for clock in &clocks {
        let (after, until) = (clock.settled_through.millis(), clock.time.millis());
        let key = (merchant_int(clock.merchant), after, until, limit);
        let mut rows = statement.query(key)?;
        while let Some(row) = rows.next()? {
            let mut fields = Fields::new(row, "packet");
            due.push(DuePacket { packet: fields.packet_key()?, expire_at: fields.time()? });
        }
    }
    due.sort_by_key(|due| (due.expire_at, due.packet));
    due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let times = clocks.iter().map(|clock| (clock.merchant, clock.time));
    Ok(DueScan { packets: due, times: times.collect() })
}

fn expiry_clocks(connection: &Connection, now: Timestamp) -> Outcome<Vec<ExpiryClock>> {
    let mut statement = connection.prepare_cached(sql::EXPIRY_CLOCKS)?;
    let mut rows = statement.query(())?;
    let mut clocks = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row, "merchant_book");
        let merchant = fields.merchant()?;
        let (offset_millis, journal_at) = (fields.raw()?, fields.time()?);
        let settled_through = fields.time_or_null()?;
        // As `Merchant::time`, without its settings.
        let time = now.plus_millis(offset_millis).max(journal_at);
        // A cursor ahead of the time was told by a clock that ran ahead. Packets sent since end
        // before it, so it says nothing, and everything is looked at.
        let trusted = settled_through.filter(|through| *through <= time);
        clocks.push(ExpiryClock {
            merchant,
            time,
            settled_through: trusted.unwrap_or(Timestamp::from_millis(i64::MIN)),
        });
    }
    Ok(clocks)
}

/// Those of the told times that move a cursor: back by anything, or on by
/// [`CURSOR_STEP_MILLIS`]. Back at once, because a cursor ahead of the time costs whole scans.
pub(super) fn moved_cursors(
    connection: &Connection,
    mut times: Vec<(MerchantId, Timestamp)>,
) -> Outcome<Vec<(MerchantId, Timestamp)>> {
    let mut statement = connection.prepare_cached(sql::EXPIRY_CURSORS)?;
    let mut rows = statement.query(())?;
    let mut stored = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row, "expiry_cursor");
        stored.insert(fields.merchant()?, fields.time()?);
    }
    times.retain(|(merchant, told)| {
        stored
            .get(merchant)
            .is_none_or(|stored| told < stored || *told >= stored.plus_millis(CURSOR_STEP_MILLIS))
    });
    Ok(times)
}

/// Remembers up to when packets are settled: the newest told time, also when it is earlier than
/// the stored one. It is told after a scan that found nothing, so it is true; and when two
/// servers tell in the other order, the next scan only begins a little earlier.
pub(super) fn settled_through(
    connection: &Connection,
    times: &[(MerchantId, Timestamp)],
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(sql::SETTLED_THROUGH)?;
    for (merchant, time) in times {
        statement.execute((merchant_int(*merchant), time.millis()))?;
    }
    Ok(())
}

/// Merchants after `after` whose journals are ahead of what was followed.
pub(super) fn unfollowed(
    connection: &Connection,
    after: Option<MerchantId>,
    limit: u32,
) -> Outcome<Vec<JournalCursor>> {
    let mut statement = connection.prepare_cached(sql::UNFOLLOWED)?;
    let mut rows = statement.query((after.map_or(i64::MIN, merchant_int), limit))?;
    let mut cursors = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row, "follow_cursor");
        cursors.push(JournalCursor {
            merchant: fields.merchant()?,
            followed: fields.u64()?,
            head: fields.u64()?,
        });
    }
    Ok(cursors)
}

/// Writes history lines and moves the cursor that they belong to.
pub(super) fn follow(
    connection: &Connection,
    merchant: MerchantId,
    from: u64,
    to: u64,
    entries: &[WalletEntry],
) -> Outcome<()> {
    let mut cursor = connection.prepare_cached(sql::MOVE_FOLLOW_CURSOR)?;
    let moved = cursor.execute((int(to)?, merchant_int(merchant), int(from)?))?;
    one(moved, "follow_cursor")?;
    let mut entries: Vec<&WalletEntry> = entries.iter().collect();
    entries.sort_by_key(|entry| (entry.user, entry.seq));
    let mut statement = connection.prepare_cached(INSERT_WALLET_ENTRY)?;
    for entry in entries {
        insert_entry(&mut statement, entry)?;
    }
    Ok(())
}

/// Withdrawals not confirmed that come after `after`, oldest first.
pub(super) fn pending_payouts(
    connection: &Connection,
    after: Option<&PendingPayout>,
    limit: u32,
) -> Outcome<Vec<PendingPayout>> {
    let (at, user, reference) = match after {
        Some(last) => (last.at.millis(), int(last.user.get())?, last.reference.as_str()),
        None => (i64::MIN, 0, ""),
    };
    let mut statement = connection.prepare_cached(sql::PENDING_PAYOUTS)?;
    let mut rows = statement.query((at, user, reference, limit))?;
    let mut payouts = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row, "payout");
        payouts.push(PendingPayout {
            user: fields.user()?,
            reference: fields.parsed()?,
            amount: fields.fen()?,
            at: fields.time()?,
        });
    }
    Ok(payouts)
}
