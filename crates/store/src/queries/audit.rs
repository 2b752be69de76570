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
