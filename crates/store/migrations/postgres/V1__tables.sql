-- Every table that grows has its owner first in its primary key and in every unique key, so that
-- one owner's rows lie together here and on one shard of a distributed engine.
-- Money is whole fen, times are milliseconds since 1970 in UTC, codes are those of the domain.
-- Texts are compared byte by byte, as in every other store. Wide columns stand before narrow ones,
-- so that rows have no gaps. Rows that are updated have room on their page for a new version, so
-- that an update leaves the indexes alone.

-- ---- merchants ----

CREATE TABLE merchant (
    merchant_id BIGINT NOT NULL PRIMARY KEY,
    settings_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    sealed_key BYTEA
);

-- The one row of a merchant that commands change; small, written once a batch.
CREATE TABLE merchant_book (
    merchant_id BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    basic_fen BIGINT NOT NULL CHECK (basic_fen >= 0),
    basic_seq BIGINT NOT NULL,
    operation_fen BIGINT NOT NULL CHECK (operation_fen >= 0),
    operation_seq BIGINT NOT NULL,
    escrow_fen BIGINT NOT NULL CHECK (escrow_fen >= 0),
    escrow_seq BIGINT NOT NULL,
    external_fen BIGINT NOT NULL,
    external_seq BIGINT NOT NULL,
    journal_seq BIGINT NOT NULL,
    journal_at BIGINT NOT NULL,
    day_version BIGINT NOT NULL,
    day_fen BIGINT NOT NULL,
    day_count BIGINT NOT NULL,
    last_packet BIGINT NOT NULL,
    clock_offset_millis BIGINT NOT NULL,
    day INTEGER NOT NULL,
    journal_hash BYTEA NOT NULL CHECK (octet_length(journal_hash) = 32)
) WITH (fillfactor = 50);

CREATE TABLE certificate (
    merchant_id BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    revoked_at BIGINT,
    serial TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant_id, serial)
);

CREATE TABLE provider_authorization (
    provider_id BIGINT NOT NULL,
    sub_merchant_id BIGINT NOT NULL,
    state SMALLINT NOT NULL CHECK (state BETWEEN 1 AND 4),
    PRIMARY KEY (provider_id, sub_merchant_id)
);

-- merchant_id 0 stands for the platform itself.
CREATE TABLE change_record (
    merchant_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    permission TEXT COLLATE "C" NOT NULL,
    state_before TEXT COLLATE "C" NOT NULL,
    state_after TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant_id, seq)
);

-- ---- people ----

CREATE TABLE subject (
    user_id BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL PRIMARY KEY
);

CREATE TABLE app_user (
    user_id BIGINT NOT NULL,
    follows_since BIGINT,
    registered_at BIGINT NOT NULL,
    accepts_messages SMALLINT NOT NULL CHECK (accepts_messages IN (0, 1)),
    standing SMALLINT NOT NULL CHECK (standing BETWEEN 0 AND 3),
    openid TEXT COLLATE "C" NOT NULL,
    appid TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (openid, appid)
);

CREATE INDEX app_user_by_user ON app_user (user_id, appid);

-- Small: every claim writes one of these. The hash is NULL until the user has a journal.
CREATE TABLE wallet (
    user_id BIGINT NOT NULL PRIMARY KEY,
    wallet_fen BIGINT NOT NULL CHECK (wallet_fen >= 0),
    wallet_seq BIGINT NOT NULL,
    external_fen BIGINT NOT NULL,
    external_seq BIGINT NOT NULL,
    journal_seq BIGINT NOT NULL,
    journal_at BIGINT NOT NULL,
    frozen SMALLINT NOT NULL CHECK (frozen IN (0, 1)),
    journal_hash BYTEA
) WITH (fillfactor = 75);

CREATE TABLE wallet_entry (
    user_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    delta BIGINT NOT NULL,
    balance_after BIGINT NOT NULL,
    merchant_id BIGINT,
    at BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    reference TEXT COLLATE "C",
    PRIMARY KEY (user_id, seq)
);

CREATE TABLE inbox_message (
    user_id BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    merchant_id BIGINT NOT NULL,
    packet_no BIGINT NOT NULL,
    form SMALLINT NOT NULL,
    PRIMARY KEY (user_id, sent_at, merchant_id, packet_no)
);

CREATE TABLE payout (
    user_id BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    at BIGINT NOT NULL,
    state SMALLINT NOT NULL CHECK (state BETWEEN 1 AND 3),
    reference TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, reference)
);

CREATE INDEX payout_pending ON payout (at, user_id, reference) WHERE state = 1;

-- ---- journals ----
-- Append-only; one row a transfer. Accounts of kind basic, operation, escrow and external belong
-- to the merchant; a wallet belongs to user_id.

CREATE TABLE merchant_journal (
    merchant_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    from_seq BIGINT NOT NULL,
    from_balance BIGINT NOT NULL CHECK (from_balance >= 0 OR from_kind = 5),
    to_seq BIGINT NOT NULL,
    to_balance BIGINT NOT NULL CHECK (to_balance >= 0 OR to_kind = 5),
    user_id BIGINT,
    packet_no BIGINT,
    share_no BIGINT,
    at BIGINT NOT NULL,
    limit_version BIGINT,
    limit_used_fen BIGINT,
    limit_used_count BIGINT,
    limit_cap_fen BIGINT,
    limit_cap_count BIGINT,
    limit_day INTEGER,
    kind SMALLINT NOT NULL,
    from_kind SMALLINT NOT NULL,
    to_kind SMALLINT NOT NULL,
    reference TEXT COLLATE "C",
    hash BYTEA NOT NULL,
    PRIMARY KEY (merchant_id, seq)
);

-- Accounts belong to user_id; only the wallet that takes may be another user's, payee_id.
CREATE TABLE user_journal (
    user_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    from_seq BIGINT NOT NULL,
    from_balance BIGINT NOT NULL CHECK (from_balance >= 0 OR from_kind = 5),
    to_seq BIGINT NOT NULL,
    to_balance BIGINT NOT NULL CHECK (to_balance >= 0 OR to_kind = 5),
    payee_id BIGINT,
    at BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    from_kind SMALLINT NOT NULL,
    to_kind SMALLINT NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (user_id, seq)
);

-- A reference used up, and what was booked under it. An account is told by its kind and, where
-- the owner of the reference does not own it, by its owner.
CREATE TABLE merchant_posted (
    merchant_id BIGINT NOT NULL,
    from_merchant_id BIGINT,
    from_user_id BIGINT,
    to_merchant_id BIGINT,
    to_user_id BIGINT,
    amount BIGINT NOT NULL CHECK (amount > 0),
    at BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    from_kind SMALLINT NOT NULL,
    to_kind SMALLINT NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant_id, reference)
);

CREATE TABLE user_posted (
    user_id BIGINT NOT NULL,
    from_merchant_id BIGINT,
    from_user_id BIGINT,
    to_merchant_id BIGINT,
    to_user_id BIGINT,
    amount BIGINT NOT NULL CHECK (amount > 0),
    at BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    from_kind SMALLINT NOT NULL,
    to_kind SMALLINT NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, reference)
);

-- ---- packets ----

CREATE TABLE send_order (
    caller_id BIGINT NOT NULL,
    payer_id BIGINT NOT NULL,
    packet_no BIGINT NOT NULL,
    bill_no TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (caller_id, bill_no)
);

-- An order and what it asks for, written once, and the packet that it became when it was funded: until
-- then, and where it never was, receiver_id, paid_from, funded_at, expire_at, secret, form, split_min,
-- split_max and shares are NULL. split_min and split_max are the bounds a group was drawn between.
-- Orders of one merchant that are written together have most of their terms in common: the way, apps but no
-- openid, scene, sub-merchant, texts and address. They stand in the row of one of them, and terms_of names
-- it in the rows of the others.
CREATE TABLE packet (
    merchant_id BIGINT NOT NULL,
    packet_no BIGINT NOT NULL,
    total BIGINT NOT NULL CHECK (total > 0),
    share_count BIGINT NOT NULL CHECK (share_count > 0),
    caller_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    receiver_id BIGINT,
    funded_at BIGINT,
    expire_at BIGINT,
    split_min BIGINT,
    split_max BIGINT,
    terms_of BIGINT,
    sub_merchant_id BIGINT,
    kind SMALLINT NOT NULL,
    way SMALLINT,
    scene SMALLINT,
    paid_from SMALLINT,
    form SMALLINT,
    secret BYTEA,
    shares BYTEA,
    bill_no TEXT COLLATE "C" NOT NULL,
    appid TEXT COLLATE "C",
    openid TEXT COLLATE "C" NOT NULL,
    message_appid TEXT COLLATE "C",
    send_name TEXT COLLATE "C",
    wishing TEXT COLLATE "C",
    act_name TEXT COLLATE "C",
    remark TEXT COLLATE "C",
    client_ip TEXT COLLATE "C",
    risk_info TEXT COLLATE "C",
    PRIMARY KEY (merchant_id, packet_no),
    CHECK (
        terms_of IS NOT NULL
        OR way IS NOT NULL AND appid IS NOT NULL AND send_name IS NOT NULL AND wishing IS NOT NULL
        AND act_name IS NOT NULL AND remark IS NOT NULL
    )
);

CREATE INDEX packet_expiry ON packet (merchant_id, expire_at);

-- The newest refusal of an order; stays after a cure. One that was refused and cured
-- within one batch was funded all along as far as the store knows, and has no row here.
CREATE TABLE refused_order (
    merchant_id BIGINT NOT NULL,
    packet_no BIGINT NOT NULL,
    since BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (merchant_id, packet_no)
);

-- What became of a packet since: it is settled when all was claimed or the rest went back. A packet
-- of which nothing was claimed or went back has no row here, and the first version. Apart from the
-- packet, so that a claim of one among millions does not write its page: what lies here is small, and
-- of packets that end at about the same time together.
CREATE TABLE packet_progress (
    merchant_id BIGINT NOT NULL,
    packet_no BIGINT NOT NULL,
    claimed BIGINT NOT NULL CHECK (claimed >= 0),
    claimed_count BIGINT NOT NULL CHECK (claimed_count >= 0),
    settled_at BIGINT,
    version BIGINT NOT NULL CHECK (version > 1),
    PRIMARY KEY (merchant_id, packet_no)
);

CREATE TABLE group_claim (
    merchant_id BIGINT NOT NULL,
    packet_no BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    share_no BIGINT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, packet_no, user_id),
    UNIQUE (merchant_id, packet_no, share_no)
);

CREATE TABLE user_day (
    merchant_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    fen BIGINT NOT NULL CHECK (fen >= 0),
    packet_count BIGINT NOT NULL CHECK (packet_count >= 0),
    day INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, user_id)
) WITH (fillfactor = 75);

-- ---- how far jobs got ----

-- Every packet that ended at or before this time is settled, unless the time lies ahead of the
-- merchant's: then it was told by a wrong clock, and the next scan that finds nothing replaces it.
CREATE TABLE expiry_cursor (
    merchant_id BIGINT NOT NULL PRIMARY KEY,
    settled_through BIGINT NOT NULL
) WITH (fillfactor = 50);

-- The newest journal row whose history lines and messages are written.
CREATE TABLE follow_cursor (
    merchant_id BIGINT NOT NULL PRIMARY KEY,
    followed_seq BIGINT NOT NULL
) WITH (fillfactor = 50);

-- ---- several servers ----

-- One row for each command lane of each server: its newest batch. A batch moves it in its own
-- transaction, so that a server whose connection broke during a commit can read what became of it.
CREATE TABLE lane (
    lane_id BIGINT NOT NULL PRIMARY KEY,
    batch_no BIGINT NOT NULL,
    opened_at BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Which server does a job now, and until when if it falls silent.
CREATE TABLE job_lease (
    job TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder BIGINT NOT NULL,
    until BIGINT NOT NULL
);

CREATE SEQUENCE lane_number;

CREATE SEQUENCE user_number;

-- ---- append-only ----

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER merchant_journal_append_only BEFORE UPDATE OR DELETE ON merchant_journal
FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER merchant_journal_no_truncate BEFORE TRUNCATE ON merchant_journal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER user_journal_append_only BEFORE UPDATE OR DELETE ON user_journal
FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER user_journal_no_truncate BEFORE TRUNCATE ON user_journal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER packet_written_once BEFORE UPDATE ON packet
FOR EACH ROW WHEN (old.funded_at IS NOT NULL) EXECUTE FUNCTION refuse_change();

CREATE TRIGGER change_record_append_only BEFORE UPDATE OR DELETE ON change_record
FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER change_record_no_truncate BEFORE TRUNCATE ON change_record
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
