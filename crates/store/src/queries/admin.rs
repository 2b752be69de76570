//! What people change one at a time: merchants, certificates, authorizations, each with a record.

use hongbao_app::ports::{
    Authorization, AuthorizationState, Certificate, MerchantRecord, NewCertificate, NewMerchant,
};
use hongbao_domain::{MerchantId, Timestamp, change::ChangeRecord, merchant::Settings};

use super::book_columns;
use crate::{
    columns::{int, merchant_int},
    error::{Failure, Outcome, one},
    fields::Fields,
    session::{Session, values},
    settings::{MerchantRow, SettingsCache},
};

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
SELECT settings, settings_version
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

/// Makes a merchant with an empty book.
pub(crate) async fn create_merchant(
    session: &impl Session,
    new: &NewMerchant,
    record: &ChangeRecord,
) -> Outcome<()> {
    let (id, text) = (merchant_int(new.id), settings_text(&new.settings)?);
    let row = values![id, &text, new.sealed_key.as_deref(), record.at.millis()];
    session.insert(INSERT_MERCHANT, "merchant", row).await?;
    session.execute(INSERT_BOOK, values![id, [0_u8; 32].as_slice()]).await?;
    session.execute(INSERT_FOLLOW_CURSOR, values![id]).await?;
    insert_record(session, record).await
}

/// The merchant.
pub(crate) async fn merchant(
    session: &impl Session,
    settings: &SettingsCache,
    id: MerchantId,
) -> Outcome<Option<MerchantRecord>> {
    let key = values![merchant_int(id)];
    match session.find(MERCHANT, "merchant_book", key, merchant_row).await? {
        Some(row) => record_of(session, settings, row).await.map(Some),
        None => Ok(None),
    }
}

/// Every merchant, by number.
pub(crate) async fn merchants(
    session: &impl Session,
    settings: &SettingsCache,
) -> Outcome<Vec<MerchantRecord>> {
    let rows = session.query(MERCHANTS, "merchant_book", &[], merchant_row).await?;
    let mut merchants = Vec::with_capacity(rows.len());
    for row in rows {
        merchants.push(record_of(session, settings, row).await?);
    }
    Ok(merchants)
}

type SealedKey = Option<Vec<u8>>;

fn merchant_row(fields: &mut Fields<'_>) -> Outcome<(MerchantRow, SealedKey)> {
    Ok((MerchantRow::read(fields)?, fields.maybe()?))
}

async fn record_of(
    session: &impl Session,
    settings: &SettingsCache,
    (row, sealed_key): (MerchantRow, SealedKey),
) -> Outcome<MerchantRecord> {
    let settings_version = row.settings_version;
    let merchant = settings.merchant(session, row).await?;
    Ok(MerchantRecord { merchant, settings_version, sealed_key })
}

/// Replaces settings of version `expected`.
pub(crate) async fn update_settings(
    session: &impl Session,
    id: MerchantId,
    expected: u64,
    settings: &Settings,
    record: &ChangeRecord,
) -> Outcome<()> {
    let text = settings_text(settings)?;
    let row = values![&text, merchant_int(id), int(expected)?];
    one(session.execute(UPDATE_SETTINGS, row).await?, "settings")?;
    insert_record(session, record).await
}

/// Replaces the sealed V2 key.
pub(crate) async fn set_key(
    session: &impl Session,
    id: MerchantId,
    sealed: &[u8],
    record: &ChangeRecord,
) -> Outcome<()> {
    one(session.execute(SET_KEY, values![sealed, merchant_int(id)]).await?, "merchant")?;
    insert_record(session, record).await
}

/// Records an issued certificate.
pub(crate) async fn add_certificate(
    session: &impl Session,
    new: &NewCertificate,
    record: &ChangeRecord,
) -> Outcome<()> {
    let row = values![merchant_int(new.merchant), &new.serial, new.not_after.millis()];
    session.insert(INSERT_CERTIFICATE, "certificate", row).await?;
    insert_record(session, record).await
}

/// The certificate of a merchant with this serial.
pub(crate) async fn certificate(
    session: &impl Session,
    merchant: MerchantId,
    serial: &str,
) -> Outcome<Option<Certificate>> {
    let key = values![merchant_int(merchant), serial];
    session.find(CERTIFICATE, "certificate", key, certificate_row).await
}

/// Every certificate of a merchant, by serial.
pub(crate) async fn certificates(
    session: &impl Session,
    merchant: MerchantId,
) -> Outcome<Vec<Certificate>> {
    let key = values![merchant_int(merchant)];
    session.query(CERTIFICATES, "certificate", key, certificate_row).await
}

fn certificate_row(fields: &mut Fields<'_>) -> Outcome<Certificate> {
    Ok(Certificate {
        merchant: fields.merchant()?,
        serial: fields.raw()?,
        not_after: fields.time()?,
        revoked_at: fields.time_or_null()?,
    })
}

/// Marks a certificate revoked; without one that is still good nothing is recorded.
pub(crate) async fn revoke_certificate(
    session: &impl Session,
    merchant: MerchantId,
    serial: &str,
    at: Timestamp,
    record: &ChangeRecord,
) -> Outcome<bool> {
    let key = values![at.millis(), merchant_int(merchant), serial];
    let revoked = session.execute(REVOKE_CERTIFICATE, key).await? == 1;
    if revoked {
        insert_record(session, record).await?;
    }
    Ok(revoked)
}

/// The authorization of this pair.
pub(crate) async fn authorization(
    session: &impl Session,
    provider: MerchantId,
    sub_merchant: MerchantId,
) -> Outcome<Option<Authorization>> {
    let key = values![merchant_int(provider), merchant_int(sub_merchant)];
    session.find(AUTHORIZATION, "provider_authorization", key, authorization_row).await
}

/// A row of `provider_authorization`.
pub(crate) fn authorization_row(fields: &mut Fields<'_>) -> Outcome<Authorization> {
    Ok(Authorization {
        provider: fields.merchant()?,
        sub_merchant: fields.merchant()?,
        state: fields.code(AuthorizationState::from_code)?,
    })
}

/// Sets an authorization that was in `before`.
pub(crate) async fn set_authorization(
    session: &impl Session,
    before: Option<Authorization>,
    after: Authorization,
    record: &ChangeRecord,
) -> Outcome<()> {
    const WHAT: &str = "authorization";
    let (provider, sub_merchant, state) =
        (merchant_int(after.provider), merchant_int(after.sub_merchant), after.state.code());
    match before {
        None => {
            let row = values![provider, sub_merchant, state];
            session.insert(INSERT_AUTHORIZATION, WHAT, row).await?;
        }
        Some(before) => {
            let row = values![state, provider, sub_merchant, before.state.code()];
            one(session.execute(UPDATE_AUTHORIZATION, row).await?, WHAT)?;
        }
    }
    insert_record(session, record).await
}

/// Appends a record of a protected change; number 0 is the platform's.
pub(crate) async fn insert_record(session: &impl Session, record: &ChangeRecord) -> Outcome<()> {
    let ChangeRecord { merchant, action, actor, before, after, at } = record;
    let row = values![
        merchant.map_or(0, merchant_int),
        *action,
        &actor.name,
        actor.permission,
        before,
        after,
        at.millis(),
    ];
    session.insert(INSERT_CHANGE, "change_record", row).await
}

fn settings_text(settings: &Settings) -> Outcome<String> {
    serde_json::to_string(settings)
        .map_err(|error| Failure::corrupt(format!("settings that cannot be written: {error}")))
}
