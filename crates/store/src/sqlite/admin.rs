//! What people change one at a time: merchants, certificates, authorizations, each with a record.

use hongbao_app::ports::{
    Authorization, AuthorizationState, Certificate, MerchantRecord, NewCertificate, NewMerchant,
};
use hongbao_domain::{MerchantId, Timestamp, change::ChangeRecord, merchant::Settings};
use rusqlite::{Connection, params};

use super::{
    commit::{insert, one},
    error::{Failure, Outcome},
    readers::Reading,
    rows::{Fields, merchant_int},
};
use crate::queries::admin as sql;

/// Makes a merchant with an empty book.
pub(super) fn create_merchant(
    connection: &Connection,
    new: &NewMerchant,
    record: &ChangeRecord,
) -> Outcome<()> {
    let id = merchant_int(new.id);
    let row = (id, settings_text(&new.settings)?, new.sealed_key.as_deref(), record.at.millis());
    insert(&mut connection.prepare_cached(sql::INSERT_MERCHANT)?, row, "merchant")?;
    connection.prepare_cached(sql::INSERT_BOOK)?.execute((id, [0_u8; 32]))?;
    connection.prepare_cached(sql::INSERT_FOLLOW_CURSOR)?.execute((id,))?;
    insert_record(connection, record)
}

/// The merchant.
pub(super) fn merchant(reading: &Reading<'_>, id: MerchantId) -> Outcome<Option<MerchantRecord>> {
    let mut statement = reading.tx.prepare_cached(sql::MERCHANT)?;
    let mut rows = statement.query((merchant_int(id),))?;
    match rows.next()? {
        Some(row) => record_of(reading, &mut Fields::new(row, "merchant_book")).map(Some),
        None => Ok(None),
    }
}

/// Every merchant, by number.
pub(super) fn merchants(reading: &Reading<'_>) -> Outcome<Vec<MerchantRecord>> {
    let mut statement = reading.tx.prepare_cached(sql::MERCHANTS)?;
    let mut rows = statement.query(())?;
    let mut merchants = Vec::new();
    while let Some(row) = rows.next()? {
        merchants.push(record_of(reading, &mut Fields::new(row, "merchant_book"))?);
    }
    Ok(merchants)
}

fn record_of(reading: &Reading<'_>, fields: &mut Fields<'_>) -> Outcome<MerchantRecord> {
    let (merchant, settings_version) = reading.settings.merchant(&reading.tx, fields)?;
    Ok(MerchantRecord { merchant, settings_version, sealed_key: fields.raw()? })
}

/// Replaces settings of version `expected`.
pub(super) fn update_settings(
    connection: &Connection,
    id: MerchantId,
    expected: u64,
    settings: &Settings,
    record: &ChangeRecord,
) -> Outcome<()> {
    let row = (settings_text(settings)?, merchant_int(id), super::rows::int(expected)?);
    let mut statement = connection.prepare_cached(sql::UPDATE_SETTINGS)?;
    one(statement.execute(row)?, "settings")?;
    insert_record(connection, record)
}

/// Replaces the sealed V2 key.
pub(super) fn set_key(
    connection: &Connection,
    id: MerchantId,
    sealed: &[u8],
    record: &ChangeRecord,
) -> Outcome<()> {
    let mut statement = connection.prepare_cached(sql::SET_KEY)?;
    one(statement.execute((sealed, merchant_int(id)))?, "merchant")?;
    insert_record(connection, record)
}

/// Records an issued certificate.
pub(super) fn add_certificate(
    connection: &Connection,
    new: &NewCertificate,
    record: &ChangeRecord,
) -> Outcome<()> {
    let row = (merchant_int(new.merchant), &new.serial, new.not_after.millis());
    insert(&mut connection.prepare_cached(sql::INSERT_CERTIFICATE)?, row, "certificate")?;
    insert_record(connection, record)
}

/// The certificate of a merchant with this serial.
pub(super) fn certificate(
    connection: &Connection,
    merchant: MerchantId,
    serial: &str,
) -> Outcome<Option<Certificate>> {
    let mut statement = connection.prepare_cached(sql::CERTIFICATE)?;
    let mut rows = statement.query((merchant_int(merchant), serial))?;
    match rows.next()? {
        Some(row) => certificate_row(&mut Fields::new(row, "certificate")).map(Some),
        None => Ok(None),
    }
}

/// Every certificate of a merchant, by serial.
pub(super) fn certificates(
    connection: &Connection,
    merchant: MerchantId,
) -> Outcome<Vec<Certificate>> {
    let mut statement = connection.prepare_cached(sql::CERTIFICATES)?;
    let mut rows = statement.query((merchant_int(merchant),))?;
    let mut certificates = Vec::new();
    while let Some(row) = rows.next()? {
        certificates.push(certificate_row(&mut Fields::new(row, "certificate"))?);
    }
    Ok(certificates)
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
pub(super) fn revoke_certificate(
    connection: &Connection,
    merchant: MerchantId,
    serial: &str,
    at: Timestamp,
    record: &ChangeRecord,
) -> Outcome<bool> {
    let mut statement = connection.prepare_cached(sql::REVOKE_CERTIFICATE)?;
    let revoked = statement.execute((at.millis(), merchant_int(merchant), serial))? == 1;
    if revoked {
        insert_record(connection, record)?;
    }
    Ok(revoked)
}

/// The authorization of this pair.
pub(super) fn find_authorization(
    connection: &Connection,
    provider: MerchantId,
    sub_merchant: MerchantId,
) -> Outcome<Option<Authorization>> {
    let mut statement = connection.prepare_cached(sql::AUTHORIZATION)?;
    let mut rows = statement.query((merchant_int(provider), merchant_int(sub_merchant)))?;
    match rows.next()? {
        Some(row) => authorization(&mut Fields::new(row, "provider_authorization")).map(Some),
        None => Ok(None),
    }
}

/// A row of `provider_authorization`.
pub(super) fn authorization(fields: &mut Fields<'_>) -> Outcome<Authorization> {
    Ok(Authorization {
        provider: fields.merchant()?,
        sub_merchant: fields.merchant()?,
        state: fields.code(AuthorizationState::from_code)?,
    })
}

/// Sets an authorization that was in `before`.
pub(super) fn set_authorization(
    connection: &Connection,
    before: Option<Authorization>,
    after: Authorization,
    record: &ChangeRecord,
) -> Outcome<()> {
    const WHAT: &str = "authorization";
    let (provider, sub_merchant, state) =
        (merchant_int(after.provider), merchant_int(after.sub_merchant), after.state.code());
    match before {
        None => insert(
            &mut connection.prepare_cached(sql::INSERT_AUTHORIZATION)?,
            (provider, sub_merchant, state),
            WHAT,
        )?,
        Some(before) => {
            let mut statement = connection.prepare_cached(sql::UPDATE_AUTHORIZATION)?;
            let row = (state, provider, sub_merchant, before.state.code());
            one(statement.execute(row)?, WHAT)?;
        }
    }
    insert_record(connection, record)
}

/// Appends a record of a protected change; number 0 is the platform's.
pub(super) fn insert_record(connection: &Connection, record: &ChangeRecord) -> Outcome<()> {
    let ChangeRecord { merchant, action, actor, before, after, at } = record;
    let params = params![
        merchant.map_or(0, merchant_int),
        action,
        actor.name,
        actor.permission,
        before,
        after,
        at.millis(),
    ];
    insert(&mut connection.prepare_cached(sql::INSERT_CHANGE)?, params, "change_record")
}

fn settings_text(settings: &Settings) -> Outcome<String> {
    serde_json::to_string(settings)
        .map_err(|error| Failure::corrupt(format!("settings that cannot be written: {error}")))
}
