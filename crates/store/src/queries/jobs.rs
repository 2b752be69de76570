//! What background jobs read and remember.

pub(crate) const DUE_PACKETS: &str = "
SELECT merchant_id, packet_no, expire_at
FROM packet
WHERE merchant_id = $1 AND expire_at > $2 AND expire_at <= $3 AND state = 1
ORDER BY expire_at, packet_no
LIMIT $4";

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

pub(crate) const PENDING_PAYOUTS: &str = "
SELECT user_id, reference, amount, at
FROM payout
WHERE state = 1 AND (at, user_id, reference) > ($1, $2, $3)
ORDER BY at, user_id, reference
LIMIT $4";
