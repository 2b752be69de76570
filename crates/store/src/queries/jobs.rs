//! What background jobs look for and remember.

use std::collections::BTreeMap;

use hongbao_app::ports::{DuePacket, DueScan, JournalCursor, PendingPayout, WalletEntry};
use hongbao_domain::{MerchantId, Timestamp};

use super::users::insert_entry;
use crate::{
    columns::{int, merchant_int},
    error::{Outcome, one},
    fields::Fields,
    session::{Session, values},
};

/// By so much a cursor moves on at least: an idle server scans every second and commits once a
/// minute. What a scan finds is the same, it only begins up to a minute earlier.
const CURSOR_STEP_MILLIS: i64 = 60_000;

/// Not by a join of which only rows without a time are kept: PostgreSQL expects none of them, and then
/// reads all packets up to now instead of stopping at the bound.
pub(crate) const DUE_PACKETS: &str = "
SELECT packet.merchant_id, packet.packet_no, packet.expire_at
FROM packet
WHERE packet.merchant_id = $1 AND packet.expire_at > $2 AND packet.expire_at <= $3
    AND NOT EXISTS (
        SELECT 1
        FROM packet_progress
        WHERE packet_progress.merchant_id = packet.merchant_id
            AND packet_progress.packet_no = packet.packet_no
            AND packet_progress.settled_at IS NOT NULL
    )
ORDER BY packet.expire_at, packet.packet_no
LIMIT $4";

/// The bound is on what is looked at: packets that are settled end, too.
pub(crate) const EXPIRING: &str = "
SELECT count(*), count(*) FILTER (WHERE packet_progress.settled_at IS NULL)
FROM (
    SELECT merchant_id, packet_no
    FROM packet
    WHERE merchant_id = $1 AND expire_at > $2 AND expire_at <= $3
    ORDER BY expire_at
    LIMIT $4
) AS ending
LEFT JOIN packet_progress
    ON packet_progress.merchant_id = ending.merchant_id
    AND packet_progress.packet_no = ending.packet_no";

pub(crate) const EXPIRY_CLOCKS: &str = "
SELECT merchant_book.merchant_id, merchant_book.clock_offset_millis, merchant_book.journal_at,
       expiry_cursor.settled_through
FROM merchant_book
LEFT JOIN expiry_cursor ON expiry_cursor.merchant_id = merchant_book.merchant_id
ORDER BY merchant_book.merchant_id";

pub(crate) const EXPIRY_CURSORS: &str = "
SELECT merchant_id, settled_through
FROM expiry_cursor";

/// Back too: a time that a wrong clock told is replaced by the next one.
pub(crate) const SETTLED_THROUGH: &str = "
INSERT INTO expiry_cursor (merchant_id, settled_through)
VALUES ($1, $2)
ON CONFLICT (merchant_id) DO UPDATE
SET settled_through = excluded.settled_through";

pub(crate) const UNFOLLOWED: &str = "
SELECT follow_cursor.merchant_id, follow_cursor.followed_seq, merchant_book.journal_seq
FROM follow_cursor
JOIN merchant_book ON merchant_book.merchant_id = follow_cursor.merchant_id
WHERE follow_cursor.merchant_id > $1
    AND merchant_book.journal_seq > follow_cursor.followed_seq
ORDER BY follow_cursor.merchant_id
LIMIT $2";

pub(crate) const MOVE_FOLLOW_CURSOR: &str = "
UPDATE follow_cursor
SET followed_seq = $1
WHERE merchant_id = $2 AND followed_seq = $3";

pub(crate) const PENDING_PAYOUTS: &str = "
SELECT user_id, reference, amount, at
FROM payout
WHERE state = 1 AND (at, user_id, reference) > ($1, $2, $3)
ORDER BY at, user_id, reference
LIMIT $4";

/// A merchant, its time, and up to when its packets are settled.
struct ExpiryClock {
    merchant: MerchantId,
    time: Timestamp,
    settled_through: Timestamp,
}

/// Packets that have ended by their merchant's time and are not settled, oldest first.
pub(crate) async fn due_packets(
    session: &impl Session,
    now: Timestamp,
    limit: u32,
) -> Outcome<DueScan> {
    let clock = |fields: &mut Fields<'_>| expiry_clock(fields, now);
    let clocks = session.query(EXPIRY_CLOCKS, "merchant_book", &[], clock).await?;
    let mut due = Vec::new();
    for clock in &clocks {
        let (after, until) = (clock.settled_through.millis(), clock.time.millis());
        let key = values![merchant_int(clock.merchant), after, until, limit];
        let of_merchant = session.query(DUE_PACKETS, "packet", key, |fields| {
            Ok(DuePacket { packet: fields.packet_key()?, expire_at: fields.time()? })
        });
        due.extend(of_merchant.await?);
    }
    due.sort_by_key(|due| (due.expire_at, due.packet));
    due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let times = clocks.iter().map(|clock| (clock.merchant, clock.time));
    Ok(DueScan { packets: due, times: times.collect() })
}

/// Open packets that end within `seconds`, of `look_at_max` packets looked at.
pub(crate) async fn expiring(
    session: &impl Session,
    now: Timestamp,
    seconds: i64,
    look_at_max: u32,
) -> Outcome<u32> {
    let clock = |fields: &mut Fields<'_>| expiry_clock(fields, now);
    let clocks = session.query(EXPIRY_CLOCKS, "merchant_book", &[], clock).await?;
    let (mut open, mut left) = (0_u64, u64::from(look_at_max));
    for ExpiryClock { merchant, time, .. } in clocks {
        let (after, until) = (time.millis(), time.plus_seconds(seconds).millis());
        let key = values![merchant_int(merchant), after, until, int(left)?];
        let counts =
            session.find(EXPIRING, "packet", key, |fields| Ok((fields.u64()?, fields.u64()?)));
        let (seen, found) = counts.await?.unwrap_or_default();
        open = open.saturating_add(found);
        left = left.saturating_sub(seen);
        if left == 0 {
            break;
        }
    }
    Ok(u32::try_from(open).unwrap_or(u32::MAX))
}

fn expiry_clock(fields: &mut Fields<'_>, now: Timestamp) -> Outcome<ExpiryClock> {
    let merchant = fields.merchant()?;
    let (offset_millis, journal_at) = (fields.raw()?, fields.time()?);
    let settled_through = fields.time_or_null()?;
    // As `Merchant::time`, without its settings.
    let time = now.plus_millis(offset_millis).max(journal_at);
    // A cursor ahead of the time was told by a clock that ran ahead. Packets sent since end
    // before it, so it says nothing, and everything is looked at.
    let trusted = settled_through.filter(|through| *through <= time);
    let settled_through = trusted.unwrap_or(Timestamp::from_millis(i64::MIN));
    Ok(ExpiryClock { merchant, time, settled_through })
}

/// Those of the told times that move a cursor: back by anything, or on by
/// [`CURSOR_STEP_MILLIS`]. Back at once, because a cursor ahead of the time costs whole scans.
pub(crate) async fn moved_cursors(
    session: &impl Session,
    times: &[(MerchantId, Timestamp)],
) -> Outcome<Vec<(MerchantId, Timestamp)>> {
    let stored = session.query(EXPIRY_CURSORS, "expiry_cursor", &[], |fields| {
        Ok((fields.merchant()?, fields.time()?))
    });
    let stored: BTreeMap<MerchantId, Timestamp> = stored.await?.into_iter().collect();
    let moved = times.iter().copied().filter(|(merchant, told)| {
        stored
            .get(merchant)
            .is_none_or(|stored| told < stored || *told >= stored.plus_millis(CURSOR_STEP_MILLIS))
    });
    Ok(moved.collect())
}

/// Remembers up to when packets are settled: the newest told time, also when it is earlier than
/// the stored one. It is told after a scan that found nothing, so it is true; and when two
/// servers tell in the other order, the next scan only begins a little earlier.
pub(crate) async fn settled_through(
    session: &impl Session,
    times: &[(MerchantId, Timestamp)],
) -> Outcome<()> {
    for (merchant, time) in times {
        session.execute(SETTLED_THROUGH, values![merchant_int(*merchant), time.millis()]).await?;
    }
    Ok(())
}

/// Merchants after `after` whose journals are ahead of what was followed.
pub(crate) async fn unfollowed(
    session: &impl Session,
    after: Option<MerchantId>,
    limit: u32,
) -> Outcome<Vec<JournalCursor>> {
    let key = values![after.map_or(i64::MIN, merchant_int), limit];
    session
        .query(UNFOLLOWED, "follow_cursor", key, |fields| {
            Ok(JournalCursor {
                merchant: fields.merchant()?,
                followed: fields.u64()?,
                head: fields.u64()?,
            })
        })
        .await
}

/// Writes history lines and moves the cursor that they belong to.
pub(crate) async fn follow(
    session: &impl Session,
    merchant: MerchantId,
    from: u64,
    to: u64,
    entries: &[WalletEntry],
) -> Outcome<()> {
    move_cursor(session, merchant, from, to).await?;
    let mut entries: Vec<&WalletEntry> = entries.iter().collect();
    entries.sort_by_key(|entry| (entry.user, entry.seq));
    for entry in entries {
        insert_entry(session, entry).await?;
    }
    Ok(())
}

/// Moves the cursor of a journal from `from` to `to`.
pub(crate) async fn move_cursor(
    session: &impl Session,
    merchant: MerchantId,
    from: u64,
    to: u64,
) -> Outcome<()> {
    let cursor = values![int(to)?, merchant_int(merchant), int(from)?];
    one(session.execute(MOVE_FOLLOW_CURSOR, cursor).await?, "follow_cursor")
}

/// Withdrawals not confirmed that come after `after`, oldest first.
pub(crate) async fn pending_payouts(
    session: &impl Session,
    after: Option<&PendingPayout>,
    limit: u32,
) -> Outcome<Vec<PendingPayout>> {
    let (at, user, reference) = match after {
        Some(last) => (last.at.millis(), int(last.user.get())?, last.reference.as_str()),
        None => (i64::MIN, 0, ""),
    };
    session
        .query(PENDING_PAYOUTS, "payout", values![at, user, reference, limit], |fields| {
            Ok(PendingPayout {
                user: fields.user()?,
                reference: fields.parsed()?,
                amount: fields.fen()?,
                at: fields.time()?,
            })
        })
        .await
}
