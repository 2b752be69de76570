-- The public contract for checking the books from outside: names and columns never change.

-- Both kinds of journal in one form, in words. Not part of the contract.
CREATE VIEW journal_line (
    shard, seq, kind, amount, from_owner, from_kind, from_seq, from_balance,
    to_owner, to_kind, to_seq, to_balance, at_utc, ref, hash
) AS
SELECT shard, seq, kind, amount, from_owner, from_kind, from_seq, from_balance,
       to_owner, to_kind, to_seq, to_balance,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000),
       CASE kind
           WHEN 1 THEN 'recharge'
           WHEN 2 THEN 'merchant_withdrawal'
           WHEN 3 THEN 'to_operation'
           WHEN 4 THEN 'send'
           WHEN 5 THEN 'claim'
           WHEN 6 THEN 'refund'
           WHEN 7 THEN 'payment'
           WHEN 8 THEN 'wallet_transfer'
           WHEN 9 THEN 'wallet_withdrawal'
           WHEN 10 THEN 'withdrawal_return'
       END || ':' || subject,
       lower(hex(hash))
FROM (
    SELECT 'merchant/' || merchant_id AS shard, seq, kind, amount,
           CASE from_kind WHEN 4 THEN 'user/' || user_id ELSE 'merchant/' || merchant_id END
               AS from_owner,
           from_kind, from_seq, from_balance,
           CASE to_kind WHEN 4 THEN 'user/' || user_id ELSE 'merchant/' || merchant_id END
               AS to_owner,
           to_kind, to_seq, to_balance, at,
           CASE
               WHEN share_no IS NOT NULL THEN packet_no || '/' || share_no
               WHEN packet_no IS NOT NULL THEN CAST(packet_no AS TEXT)
               ELSE reference
           END AS subject,
           hash
    FROM merchant_journal
    UNION ALL
    SELECT 'user/' || user_id, seq, kind, amount,
           'user/' || user_id, from_kind, from_seq, from_balance,
           'user/' || coalesce(payee_id, user_id), to_kind, to_seq, to_balance, at,
           reference, hash
    FROM user_journal
);

-- Every transfer as its two entries.
CREATE VIEW audit_entry (
    shard, seq, txn_id, account, kind, owner, amt, version, balance_after, at_utc, ref, hash
) AS
SELECT shard, seq, shard || '#' || seq,
       owner || '/' || CASE account_kind
           WHEN 1 THEN 'basic'
           WHEN 2 THEN 'operation'
           WHEN 3 THEN 'escrow'
           WHEN 4 THEN 'wallet'
           WHEN 5 THEN 'external'
       END,
       CASE account_kind
           WHEN 1 THEN 'AV'
           WHEN 2 THEN 'AV'
           WHEN 3 THEN 'ES'
           WHEN 4 THEN 'WA'
           WHEN 5 THEN 'EXT'
       END,
       owner, amt, version, balance_after, at_utc, ref, hash
FROM (
    SELECT shard, seq, from_owner AS owner, from_kind AS account_kind, -amount AS amt,
           from_seq AS version, from_balance AS balance_after, at_utc, ref, hash
    FROM journal_line
    UNION ALL
    SELECT shard, seq, to_owner, to_kind, amount, to_seq, to_balance, at_utc, ref, hash
    FROM journal_line
);

-- Every funded packet. States in the words of the original.
CREATE VIEW audit_packet (
    merchant, packet_no, caller, bill_no, receiver, kind, total, share_count, claimed,
    claimed_count, refunded, escrow, state, paid_from, funded_at_utc, expire_at_utc,
    settled_at_utc, version
) AS
SELECT 'merchant/' || packet.merchant_id, packet.packet_no,
       'merchant/' || packet.caller_id, packet.bill_no,
       'user/' || packet.receiver_id,
       CASE packet.kind WHEN 1 THEN 'normal' WHEN 2 THEN 'group' END,
       packet.total, packet.share_count, coalesce(claimed, 0), coalesce(claimed_count, 0),
       CASE WHEN settled_at IS NULL THEN 0 ELSE packet.total - claimed END,
       CASE WHEN settled_at IS NULL THEN packet.total - coalesce(claimed, 0) ELSE 0 END,
       CASE
           WHEN settled_at IS NULL THEN 'SENT'
           WHEN claimed_count = packet.share_count THEN 'RECEIVED'
           ELSE 'REFUND'
       END,
       CASE packet.paid_from WHEN 1 THEN 'basic' WHEN 2 THEN 'operation' END,
       strftime('%Y-%m-%dT%H:%M:%S', packet.funded_at / 1000, 'unixepoch')
           || printf('.%03dZ', packet.funded_at % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', packet.expire_at / 1000, 'unixepoch')
           || printf('.%03dZ', packet.expire_at % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', settled_at / 1000, 'unixepoch')
           || printf('.%03dZ', settled_at % 1000),
       coalesce(version, 1)
FROM packet
LEFT JOIN packet_progress
    ON packet_progress.merchant_id = packet.merchant_id
    AND packet_progress.packet_no = packet.packet_no
WHERE packet.funded_at IS NOT NULL;

-- Every share taken. A normal packet's receiver took it.
CREATE VIEW audit_claim (merchant, packet_no, share_no, claimer, amt, at_utc) AS
SELECT 'merchant/' || merchant_id, packet_no, share_no, 'user/' || user_id, amount,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch')
           || printf('.%03dZ', at % 1000)
FROM (
    SELECT packet.merchant_id, packet.packet_no, 1 AS share_no, packet.receiver_id AS user_id,
           packet_progress.claimed AS amount, packet_progress.settled_at AS at
    FROM packet_progress
    JOIN packet
        ON packet.merchant_id = packet_progress.merchant_id
        AND packet.packet_no = packet_progress.packet_no
    WHERE packet.kind = 1 AND packet_progress.claimed_count = 1
    UNION ALL
    SELECT merchant_id, packet_no, share_no, user_id, amount, at
    FROM group_claim
);

-- Every use of a daily limit: a send uses its merchant's amount, a claim its user's amount and
-- count at that merchant.
CREATE VIEW audit_limit_event (row_key, version, delta, used_after, cap, day, at_utc, ref) AS
SELECT 'merchant/' || merchant_id || owner_part || '/day/' || limit_day || '/' || unit,
       limit_version, delta, used_after, cap, limit_day,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000),
       CASE kind WHEN 4 THEN 'send:' || packet_no ELSE 'claim:' || packet_no || '/' || share_no END
FROM (
    SELECT merchant_id, kind, packet_no, share_no, at, limit_version, limit_day,
           CASE kind WHEN 4 THEN '' ELSE '/user/' || user_id END AS owner_part,
           'amount' AS unit, amount AS delta, limit_used_fen AS used_after, limit_cap_fen AS cap
    FROM merchant_journal
    WHERE limit_version IS NOT NULL
    UNION ALL
    SELECT merchant_id, kind, packet_no, share_no, at, limit_version, limit_day,
           '/user/' || user_id, 'count', 1, limit_used_count, limit_cap_count
    FROM merchant_journal
    WHERE limit_cap_count IS NOT NULL
);

-- One row for each event that somebody is told about; delivered once its journal was followed.
CREATE VIEW audit_outbox (shard, seq, event, ref, at_utc, delivered) AS
SELECT 'merchant/' || merchant_journal.merchant_id, merchant_journal.seq,
       CASE merchant_journal.kind WHEN 4 THEN 'send' WHEN 5 THEN 'claim' WHEN 6 THEN 'refund' END,
       CASE
           WHEN share_no IS NOT NULL THEN packet_no || '/' || share_no
           ELSE CAST(packet_no AS TEXT)
       END,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000),
       merchant_journal.seq <= follow_cursor.followed_seq
FROM merchant_journal
JOIN follow_cursor ON follow_cursor.merchant_id = merchant_journal.merchant_id
WHERE merchant_journal.kind IN (4, 5, 6);

-- Every protected change.
CREATE VIEW audit_change (
    merchant, seq, action, actor, permission, state_before, state_after, at_utc
) AS
SELECT CASE merchant_id WHEN 0 THEN 'platform' ELSE 'merchant/' || merchant_id END,
       seq, action, actor, permission, state_before, state_after,
       strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000)
FROM change_record;
