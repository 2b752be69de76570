//! Merchants, certificates, authorizations and records of changes.

use super::book_columns;

pub(crate) const INSERT_MERCHANT: &str = "
INSERT INTO merchant (merchant_id, settings, settings_version, sealed_key, created_at)
VALUES ($1, $2, 1, $3, $4)";

pub(crate) const INSERT_BOOK: &str = "
INSERT INTO merchant_book (
    merchant_id, version, basic_fen, basic_seq, operation_fen, operation_seq, escrow_fen,
    escrow_seq, external_fen, external_seq, journal_seq, journal_hash, journal_at, day_version,
    day, day_fen, day_count, last_packet, clock_offset_millis
)
VALUES ($1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, $2, 0, 0, 0, 0, 0, 0, 0)";

pub(crate) const INSERT_FOLLOW_CURSOR: &str = "
INSERT INTO follow_cursor (merchant_id, followed_seq)
VALUES ($1, 0)";

pub(crate) const MERCHANT: &str = concat!(
    "
SELECT merchant.merchant_id, merchant.settings_version, ",
    book_columns!(),
    ", merchant.sealed_key
FROM merchant
JOIN merchant_book ON merchant_book.merchant_id = merchant.merchant_id
WHERE merchant.merchant_id = $1"
);

pub(crate) const MERCHANTS: &str = concat!(
    "
SELECT merchant.merchant_id, merchant.settings_version, ",
    book_columns!(),
    ", merchant.sealed_key
FROM merchant
JOIN merchant_book ON merchant_book.merchant_id = merchant.merchant_id
ORDER BY merchant.merchant_id"
);

pub(crate) const SETTINGS: &str = "
SELECT settings
FROM merchant
WHERE merchant_id = $1";

pub(crate) const UPDATE_SETTINGS: &str = "
UPDATE merchant
SET settings = $1, settings_version = settings_version + 1
WHERE merchant_id = $2 AND settings_version = $3";

pub(crate) const SET_KEY: &str = "
UPDATE merchant
SET sealed_key = $1
WHERE merchant_id = $2";

pub(crate) const INSERT_CERTIFICATE: &str = "
INSERT INTO certificate (merchant_id, serial, not_after, revoked_at)
VALUES ($1, $2, $3, NULL)";

pub(crate) const CERTIFICATE: &str = "
SELECT merchant_id, serial, not_after, revoked_at
FROM certificate
WHERE merchant_id = $1 AND serial = $2";

pub(crate) const CERTIFICATES: &str = "
SELECT merchant_id, serial, not_after, revoked_at
FROM certificate
WHERE merchant_id = $1
ORDER BY serial";

pub(crate) const REVOKE_CERTIFICATE: &str = "
UPDATE certificate
SET revoked_at = $1
WHERE merchant_id = $2 AND serial = $3 AND revoked_at IS NULL";

pub(crate) const AUTHORIZATION: &str = "
SELECT provider_id, sub_merchant_id, state
FROM provider_authorization
WHERE provider_id = $1 AND sub_merchant_id = $2";

pub(crate) const INSERT_AUTHORIZATION: &str = "
INSERT INTO provider_authorization (provider_id, sub_merchant_id, state)
VALUES ($1, $2, $3)";

pub(crate) const UPDATE_AUTHORIZATION: &str = "
UPDATE provider_authorization
SET state = $1
WHERE provider_id = $2 AND sub_merchant_id = $3 AND state = $4";

pub(crate) const INSERT_CHANGE: &str = "
INSERT INTO change_record (
    merchant_id, seq, action, actor, permission, state_before, state_after, at
)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7
FROM change_record
WHERE merchant_id = $1";
