//! Reading everything in pages by key, for checking the books.

use super::{order_columns, order_joins, packet_columns, wallet_columns};

pub(crate) const WALLETS: &str = concat!(
    "
SELECT ",
    wallet_columns!(),
    "
FROM wallet
WHERE user_id > $1
ORDER BY user_id
LIMIT $2"
);

pub(crate) const PACKETS: &str = concat!(
    "
SELECT ",
    packet_columns!(),
    "
FROM packet
WHERE merchant_id = $1 AND packet_no > $2
ORDER BY packet_no
LIMIT $3"
);

pub(crate) const GROUP_CLAIMS: &str = "
SELECT merchant_id, packet_no, user_id, share_no, amount, at
FROM group_claim
WHERE merchant_id = $1 AND (packet_no, share_no) > ($2, $3)
ORDER BY packet_no, share_no
LIMIT $4";

pub(crate) const USER_DAYS: &str = "
SELECT user_id, version, day, fen, packet_count
FROM user_day
WHERE merchant_id = $1 AND user_id > $2
ORDER BY user_id
LIMIT $3";

pub(crate) const ORDERS: &str = concat!(
    "
SELECT ",
    order_columns!(),
    "
FROM send_order
JOIN packet_terms
    ON packet_terms.merchant_id = send_order.payer_id
    AND packet_terms.packet_no = send_order.packet_no
",
    order_joins!(),
    "
WHERE send_order.caller_id = $1 AND send_order.bill_no > $2
ORDER BY send_order.bill_no
LIMIT $3"
);

/// History lines that followed merchant journals should have made and did not, or made wrong.
pub(crate) const WRONG_LINES_OF_MERCHANTS: &str = "
SELECT merchant_journal.merchant_id, merchant_journal.seq, merchant_journal.user_id
FROM follow_cursor
JOIN merchant_journal
    ON merchant_journal.merchant_id = follow_cursor.merchant_id
    AND merchant_journal.seq <= follow_cursor.followed_seq
LEFT JOIN wallet_entry
    ON wallet_entry.user_id = merchant_journal.user_id
    AND wallet_entry.seq = CASE merchant_journal.to_kind
        WHEN 4 THEN merchant_journal.to_seq ELSE merchant_journal.from_seq END
    AND wallet_entry.kind = merchant_journal.kind
    AND wallet_entry.delta = CASE merchant_journal.to_kind
        WHEN 4 THEN merchant_journal.amount ELSE -merchant_journal.amount END
    AND wallet_entry.balance_after = CASE merchant_journal.to_kind
        WHEN 4 THEN merchant_journal.to_balance ELSE merchant_journal.from_balance END
    AND wallet_entry.merchant_id = merchant_journal.merchant_id
    AND wallet_entry.at = merchant_journal.at
WHERE merchant_journal.user_id IS NOT NULL AND wallet_entry.user_id IS NULL
LIMIT $1";

/// History lines that users' own journals should have made and did not, or made wrong.
pub(crate) const WRONG_LINES_OF_USERS: &str = "
SELECT side.owner_id, side.journal_seq, side.user_id
FROM (
    SELECT user_id AS owner_id, seq AS journal_seq, user_id, from_seq AS seq, kind,
           -amount AS delta, from_balance AS balance_after, at
    FROM user_journal
    WHERE from_kind = 4
    UNION ALL
    SELECT user_id, seq, coalesce(payee_id, user_id), to_seq, kind, amount, to_balance, at
    FROM user_journal
    WHERE to_kind = 4
) AS side
LEFT JOIN wallet_entry
    ON wallet_entry.user_id = side.user_id
    AND wallet_entry.seq = side.seq
    AND wallet_entry.kind = side.kind
    AND wallet_entry.delta = side.delta
    AND wallet_entry.balance_after = side.balance_after
    AND wallet_entry.at = side.at
WHERE wallet_entry.user_id IS NULL
LIMIT $1";

/// Merchants whose journal nobody follows, or follows beyond its head.
pub(crate) const WRONG_CURSORS: &str = "
SELECT merchant_book.merchant_id
FROM merchant_book
LEFT JOIN follow_cursor ON follow_cursor.merchant_id = merchant_book.merchant_id
WHERE follow_cursor.merchant_id IS NULL
    OR follow_cursor.followed_seq > merchant_book.journal_seq
LIMIT $1";

/// Sends that were followed and whose receivers were not told.
pub(crate) const LOST_MESSAGES: &str = "
SELECT merchant_journal.merchant_id, merchant_journal.packet_no
FROM follow_cursor
JOIN merchant_journal
    ON merchant_journal.merchant_id = follow_cursor.merchant_id
    AND merchant_journal.seq <= follow_cursor.followed_seq
JOIN packet
    ON packet.merchant_id = merchant_journal.merchant_id
    AND packet.packet_no = merchant_journal.packet_no
LEFT JOIN inbox_message
    ON inbox_message.user_id = packet.receiver_id
    AND inbox_message.sent_at = packet.funded_at
    AND inbox_message.merchant_id = packet.merchant_id
    AND inbox_message.packet_no = packet.packet_no
    AND inbox_message.form = packet.form
WHERE merchant_journal.kind = 4 AND inbox_message.user_id IS NULL
LIMIT $1";

/// References that are not used up once, for the one movement that is booked under them; `$steps`
/// are their movements as (owner, reference, kind, amount, from, to, payee, at, 1 if booked, 1 if
/// used up). One pass over each table.
macro_rules! wrong_references {
    ($steps:literal) => {
        concat!(
            "
SELECT owner_id, reference, sum(booked), sum(posted)
FROM (",
            $steps,
            ") AS step
GROUP BY owner_id, reference
HAVING sum(booked) <> 1 OR sum(posted) <> 1 OR min(kind) <> max(kind)
    OR min(amount) <> max(amount) OR min(from_kind) <> max(from_kind)
    OR min(to_kind) <> max(to_kind) OR min(payee_id) <> max(payee_id) OR min(at) <> max(at)
LIMIT $1"
        )
    };
}

/// Of merchants: recharges (1), withdrawals (2), moves to the operation account (3).
pub(crate) const WRONG_REFERENCES_OF_MERCHANTS: &str = wrong_references!(
    "
    SELECT merchant_id AS owner_id, reference, kind, amount, from_kind, to_kind,
           merchant_id AS payee_id, at, 1 AS booked, 0 AS posted
    FROM merchant_journal
    WHERE kind IN (1, 2, 3)
    UNION ALL
    SELECT merchant_id, reference, kind, amount, from_kind, to_kind,
           coalesce(to_merchant_id, to_user_id), at, 0, 1
    FROM merchant_posted
"
);

/// Of users: payments (7), which stand in merchants' journals, and all that stands in their own
/// but returns (10), which come under their withdrawal's.
pub(crate) const WRONG_REFERENCES_OF_USERS: &str = wrong_references!(
    "
    SELECT user_id AS owner_id, reference, kind, amount, from_kind, to_kind,
           merchant_id AS payee_id, at, 1 AS booked, 0 AS posted
    FROM merchant_journal
    WHERE kind = 7
    UNION ALL
    SELECT user_id, reference, kind, amount, from_kind, to_kind, coalesce(payee_id, user_id), at,
           1, 0
    FROM user_journal
    WHERE kind <> 10
    UNION ALL
    SELECT user_id, reference, kind, amount, from_kind, to_kind,
           coalesce(to_merchant_id, to_user_id), at, 0, 1
    FROM user_posted
"
);

/// Payouts that are not one withdrawal and, if they are returned (3), one return of the same sum.
pub(crate) const WRONG_PAYOUTS: &str = "
SELECT user_id, reference
FROM (
    SELECT user_id, reference, amount, 1 AS payouts, 0 AS withdrawals,
           CASE state WHEN 3 THEN 1 ELSE 0 END AS returns_due, 0 AS returns
    FROM payout
    UNION ALL
    SELECT user_id, reference, amount, 0, 1, 0, 0
    FROM user_journal
    WHERE kind = 9
    UNION ALL
    SELECT user_id, reference, amount, 0, 0, 0, 1
    FROM user_journal
    WHERE kind = 10
) AS step
GROUP BY user_id, reference
HAVING sum(payouts) <> 1 OR sum(withdrawals) <> 1 OR sum(returns) <> sum(returns_due)
    OR min(amount) <> max(amount)
LIMIT $1";

/// How many history lines there are, and how many there should be.
pub(crate) const LINE_COUNTS: &str = "
SELECT (SELECT count(*) FROM wallet_entry),
       (SELECT count(*)
        FROM follow_cursor
        JOIN merchant_journal
            ON merchant_journal.merchant_id = follow_cursor.merchant_id
            AND merchant_journal.seq <= follow_cursor.followed_seq
        WHERE merchant_journal.user_id IS NOT NULL)
       + (SELECT count(*) FROM user_journal WHERE from_kind = 4)
       + (SELECT count(*) FROM user_journal WHERE to_kind = 4)";
