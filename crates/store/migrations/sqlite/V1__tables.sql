-- Every table that grows has its owner first in its primary key and in every unique key, so that
-- one owner's rows lie together here and on one shard of a distributed engine.
-- Money is whole fen, times are milliseconds since 1970 in UTC, codes are those of the domain.
-- Tables with one integer as key are rowid tables: their key is the rowid.

-- ---- merchants ----

CREATE TABLE merchant (
    merchant_id INTEGER NOT NULL PRIMARY KEY,
    settings TEXT NOT NULL,
    settings_version INTEGER NOT NULL,
    sealed_key BLOB,
    created_at INTEGER NOT NULL
) STRICT;

-- The one row of a merchant that commands change; small, written once a batch.
CREATE TABLE merchant_book (
    merchant_id INTEGER NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    basic_fen INTEGER NOT NULL CHECK (basic_fen >= 0),
    basic_seq INTEGER NOT NULL,
    operation_fen INTEGER NOT NULL CHECK (operation_fen >= 0),
    operation_seq INTEGER NOT NULL,
    escrow_fen INTEGER NOT NULL CHECK (escrow_fen >= 0),
    escrow_seq INTEGER NOT NULL,
    external_fen INTEGER NOT NULL,
    external_seq INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL,
    journal_hash BLOB NOT NULL CHECK (length(journal_hash) = 32),
    journal_at INTEGER NOT NULL,
    day_version INTEGER NOT NULL,
    day INTEGER NOT NULL,
    day_fen INTEGER NOT NULL,
    day_count INTEGER NOT NULL,
    last_packet INTEGER NOT NULL,
    clock_offset_millis INTEGER NOT NULL
) STRICT;

CREATE TABLE certificate (
    merchant_id INTEGER NOT NULL,
    serial TEXT NOT NULL,
    not_after INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (merchant_id, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_authorization (
    provider_id INTEGER NOT NULL,
    sub_merchant_id INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 4),
    PRIMARY KEY (provider_id, sub_merchant_id)
) STRICT, WITHOUT ROWID;

-- merchant_id 0 stands for the platform itself.
CREATE TABLE change_record (
    merchant_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    permission TEXT NOT NULL,
    state_before TEXT NOT NULL,
    state_after TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, seq)
) STRICT, WITHOUT ROWID;

-- ---- people ----

CREATE TABLE subject (
    subject TEXT NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE app_user (
    openid TEXT NOT NULL,
    appid TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    display_name TEXT NOT NULL,
    follows_since INTEGER,
    accepts_messages INTEGER NOT NULL CHECK (accepts_messages IN (0, 1)),
    standing INTEGER NOT NULL CHECK (standing BETWEEN 0 AND 3),
    registered_at INTEGER NOT NULL,
    PRIMARY KEY (openid, appid)
) STRICT, WITHOUT ROWID;

CREATE INDEX app_user_by_user ON app_user (user_id, appid);

-- Small: every claim writes one of these. The hash is NULL until the user has a journal.
CREATE TABLE wallet (
    user_id INTEGER NOT NULL PRIMARY KEY,
    wallet_fen INTEGER NOT NULL CHECK (wallet_fen >= 0),
    wallet_seq INTEGER NOT NULL,
    external_fen INTEGER NOT NULL,
    external_seq INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL,
    journal_hash BLOB,
    journal_at INTEGER NOT NULL,
    frozen INTEGER NOT NULL CHECK (frozen IN (0, 1))
) STRICT;

CREATE TABLE wallet_entry (
    user_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    delta INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    merchant_id INTEGER,
    reference TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_message (
    user_id INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    merchant_id INTEGER NOT NULL,
    packet_no INTEGER NOT NULL,
    form INTEGER NOT NULL,
    PRIMARY KEY (user_id, sent_at, merchant_id, packet_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE payout (
    user_id INTEGER NOT NULL,
    reference TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, reference)
) STRICT, WITHOUT ROWID;

CREATE INDEX payout_pending ON payout (at, user_id, reference) WHERE state = 1;

-- ---- journals ----
-- Append-only; one row a transfer. Accounts of kind basic, operation, escrow and external belong
-- to the merchant; a wallet belongs to user_id.

CREATE TABLE merchant_journal (
    merchant_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    from_kind INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    from_balance INTEGER NOT NULL CHECK (from_balance >= 0 OR from_kind = 5),
    to_kind INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    to_balance INTEGER NOT NULL CHECK (to_balance >= 0 OR to_kind = 5),
    user_id INTEGER,
    packet_no INTEGER,
    share_no INTEGER,
    reference TEXT,
    at INTEGER NOT NULL,
    limit_version INTEGER,
    limit_day INTEGER,
    limit_used_fen INTEGER,
    limit_used_count INTEGER,
    limit_cap_fen INTEGER,
    limit_cap_count INTEGER,
    hash BLOB NOT NULL,
    PRIMARY KEY (merchant_id, seq)
) STRICT, WITHOUT ROWID;

-- Accounts belong to user_id; only the wallet that takes may be another user's, payee_id.
CREATE TABLE user_journal (
    user_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    from_kind INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    from_balance INTEGER NOT NULL CHECK (from_balance >= 0 OR from_kind = 5),
    to_kind INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    to_balance INTEGER NOT NULL CHECK (to_balance >= 0 OR to_kind = 5),
    payee_id INTEGER,
    reference TEXT NOT NULL,
    at INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (user_id, seq)
) STRICT, WITHOUT ROWID;

-- A reference used up, and what was booked under it. An account is told by its kind and, where
-- the owner of the reference does not own it, by its owner.
CREATE TABLE merchant_posted (
    merchant_id INTEGER NOT NULL,
    reference TEXT NOT NULL,
    kind INTEGER NOT NULL,
    from_kind INTEGER NOT NULL,
    from_merchant_id INTEGER,
    from_user_id INTEGER,
    to_kind INTEGER NOT NULL,
    to_merchant_id INTEGER,
    to_user_id INTEGER,
    amount INTEGER NOT NULL CHECK (amount > 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, reference)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_posted (
    user_id INTEGER NOT NULL,
    reference TEXT NOT NULL,
    kind INTEGER NOT NULL,
    from_kind INTEGER NOT NULL,
    from_merchant_id INTEGER,
    from_user_id INTEGER,
    to_kind INTEGER NOT NULL,
    to_merchant_id INTEGER,
    to_user_id INTEGER,
    amount INTEGER NOT NULL CHECK (amount > 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, reference)
) STRICT, WITHOUT ROWID;

-- ---- packets ----

CREATE TABLE send_order (
    caller_id INTEGER NOT NULL,
    bill_no TEXT NOT NULL,
    payer_id INTEGER NOT NULL,
    packet_no INTEGER NOT NULL,
    PRIMARY KEY (caller_id, bill_no)
) STRICT, WITHOUT ROWID;

-- An order and what it asks for, written once, and the packet that it became when it was funded: until
-- then, and where it never was, receiver_id, paid_from, funded_at, expire_at, secret, form, split_min,
-- split_max and shares are NULL. split_min and split_max are the bounds a group was drawn between.
-- Orders of one merchant that are written together have most of their terms in common: the way, apps but no
-- openid, scene, sub-merchant, texts and address. They stand in the row of one of them, and terms_of names
-- it in the rows of the others.
CREATE TABLE packet (
    merchant_id INTEGER NOT NULL,
    packet_no INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    total INTEGER NOT NULL CHECK (total > 0),
    share_count INTEGER NOT NULL CHECK (share_count > 0),
    receiver_id INTEGER,
    paid_from INTEGER,
    funded_at INTEGER,
    expire_at INTEGER,
    secret BLOB,
    form INTEGER,
    split_min INTEGER,
    split_max INTEGER,
    shares BLOB,
    caller_id INTEGER NOT NULL,
    bill_no TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    openid TEXT NOT NULL,
    risk_info TEXT,
    terms_of INTEGER,
    way INTEGER,
    appid TEXT,
    scene INTEGER,
    sub_merchant_id INTEGER,
    message_appid TEXT,
    send_name TEXT,
    wishing TEXT,
    act_name TEXT,
    remark TEXT,
    client_ip TEXT,
    PRIMARY KEY (merchant_id, packet_no),
    CHECK (
        terms_of IS NOT NULL
        OR way IS NOT NULL AND appid IS NOT NULL AND send_name IS NOT NULL AND wishing IS NOT NULL
        AND act_name IS NOT NULL AND remark IS NOT NULL
    )
) STRICT, WITHOUT ROWID;

CREATE INDEX packet_expiry ON packet (merchant_id, expire_at);

-- The newest refusal of an order; stays after a cure. One that was refused and cured
-- within one batch was funded all along as far as the store knows, and has no row here.
CREATE TABLE refused_order (
    merchant_id INTEGER NOT NULL,
    packet_no INTEGER NOT NULL,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, packet_no)
) STRICT, WITHOUT ROWID;

-- What became of a packet since: it is settled when all was claimed or the rest went back. A packet
-- of which nothing was claimed or went back has no row here, and the first version. Apart from the
-- packet, so that a claim of one among millions does not write its page: what lies here is small, and
-- of packets that end at about the same time together.
CREATE TABLE packet_progress (
    merchant_id INTEGER NOT NULL,
    packet_no INTEGER NOT NULL,
    claimed INTEGER NOT NULL CHECK (claimed >= 0),
    claimed_count INTEGER NOT NULL CHECK (claimed_count >= 0),
    settled_at INTEGER,
    version INTEGER NOT NULL CHECK (version > 1),
    PRIMARY KEY (merchant_id, packet_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE group_claim (
    merchant_id INTEGER NOT NULL,
    packet_no INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    share_no INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, packet_no, user_id),
    UNIQUE (merchant_id, packet_no, share_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_day (
    merchant_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    day INTEGER NOT NULL,
    fen INTEGER NOT NULL CHECK (fen >= 0),
    packet_count INTEGER NOT NULL CHECK (packet_count >= 0),
    PRIMARY KEY (merchant_id, user_id)
) STRICT, WITHOUT ROWID;

-- ---- how far jobs got ----

-- Every packet that ended at or before this time is settled, unless the time lies ahead of the
-- merchant's: then it was told by a wrong clock, and the next scan that finds nothing replaces it.
CREATE TABLE expiry_cursor (
    merchant_id INTEGER NOT NULL PRIMARY KEY,
    settled_through INTEGER NOT NULL
) STRICT;

-- The newest journal row whose history lines and messages are written.
CREATE TABLE follow_cursor (
    merchant_id INTEGER NOT NULL PRIMARY KEY,
    followed_seq INTEGER NOT NULL
) STRICT;

-- ---- append-only ----

CREATE TRIGGER merchant_journal_no_update BEFORE UPDATE ON merchant_journal
BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END;

CREATE TRIGGER merchant_journal_no_delete BEFORE DELETE ON merchant_journal
BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END;

CREATE TRIGGER user_journal_no_update BEFORE UPDATE ON user_journal
BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END;

CREATE TRIGGER user_journal_no_delete BEFORE DELETE ON user_journal
BEGIN SELECT RAISE(ABORT, 'a journal is append-only'); END;

CREATE TRIGGER packet_written_once BEFORE UPDATE ON packet WHEN old.funded_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a funded packet does not change'); END;

CREATE TRIGGER change_record_no_update BEFORE UPDATE ON change_record
BEGIN SELECT RAISE(ABORT, 'change records are append-only'); END;

CREATE TRIGGER change_record_no_delete BEFORE DELETE ON change_record
BEGIN SELECT RAISE(ABORT, 'change records are append-only'); END;
