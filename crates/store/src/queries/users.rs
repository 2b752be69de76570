//! People, wallets, histories and inboxes.

use super::wallet_columns;

pub(crate) const SUBJECT: &str = "
SELECT user_id
FROM subject
WHERE subject = $1";

pub(crate) const NEXT_USER: &str = "
SELECT coalesce(max(user_id), 0) + 1
FROM wallet";

pub(crate) const INSERT_SUBJECT: &str = "
INSERT INTO subject (subject, user_id)
VALUES ($1, $2)";

pub(crate) const INSERT_WALLET: &str = "
INSERT INTO wallet (
    user_id, wallet_fen, wallet_seq, external_fen, external_seq, journal_seq, journal_hash,
    journal_at, frozen
)
VALUES ($1, 0, 0, 0, 0, 0, NULL, 0, 0)";

pub(crate) const INSERT_PERSON: &str = "
INSERT INTO app_user (
    openid, appid, user_id, subject, display_name, follows_since, accepts_messages, standing,
    registered_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub(crate) const UPDATE_PERSON: &str = "
UPDATE app_user
SET display_name = $1, follows_since = $2, accepts_messages = $3, standing = $4
WHERE openid = $5 AND appid = $6 AND subject = $7";

pub(crate) const PERSON: &str = "
SELECT user_id, appid, openid, display_name, follows_since, accepts_messages, standing
FROM app_user
WHERE openid = $1 AND appid = $2";

pub(crate) const NAMES_OF_USER: &str = "
SELECT appid, openid, display_name
FROM app_user
WHERE user_id = $1
ORDER BY CASE appid WHEN $2 THEN 0 ELSE 1 END, appid, openid
LIMIT 1";

pub(crate) const FREEZE_WALLET: &str = "
UPDATE wallet
SET frozen = $1
WHERE user_id = $2";

pub(crate) const WALLET: &str = concat!(
    "
SELECT ",
    wallet_columns!(),
    "
FROM wallet
WHERE user_id = $1"
);

pub(crate) const WALLET_ENTRIES: &str = "
SELECT user_id, seq, kind, delta, balance_after, merchant_id, reference, at
FROM wallet_entry
WHERE user_id = $1 AND seq < $2
ORDER BY seq DESC
LIMIT $3";

pub(crate) const INSERT_WALLET_ENTRY: &str = "
INSERT INTO wallet_entry (
    user_id, seq, kind, delta, balance_after, merchant_id, reference, at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (user_id, seq) DO NOTHING";

pub(crate) const NEWEST_MESSAGES: &str = "
SELECT user_id, merchant_id, packet_no, sent_at, form
FROM inbox_message
WHERE user_id = $1
ORDER BY sent_at DESC, merchant_id DESC, packet_no DESC
LIMIT $2";

pub(crate) const OLDER_MESSAGES: &str = "
SELECT user_id, merchant_id, packet_no, sent_at, form
FROM inbox_message
WHERE user_id = $1 AND (sent_at, merchant_id, packet_no) < ($2, $3, $4)
ORDER BY sent_at DESC, merchant_id DESC, packet_no DESC
LIMIT $5";

pub(crate) const INSERT_MESSAGE: &str = "
INSERT INTO inbox_message (user_id, sent_at, merchant_id, packet_no, form)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, sent_at, merchant_id, packet_no) DO NOTHING";
