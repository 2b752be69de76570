//! Settings are JSON in the store and parsed once a version.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use hongbao_domain::{
    MerchantId,
    merchant::{Merchant, Settings},
};
use rusqlite::Connection;

use super::{
    error::{Failure, Outcome},
    rows::{Fields, merchant_int},
};
use crate::queries::admin::SETTINGS;

/// Parsed settings by merchant, with their version.
#[derive(Debug, Default)]
pub(super) struct SettingsCache(Mutex<BTreeMap<MerchantId, (u64, Arc<Settings>)>>);

impl SettingsCache {
    /// The merchant of a row that starts with number, settings version and book, and the version.
    pub(super) fn merchant(
        &self,
        connection: &Connection,
        fields: &mut Fields<'_>,
    ) -> Outcome<(Merchant, u64)> {
        let (id, version) = (fields.merchant()?, fields.u64()?);
        let merchant = Merchant {
            id,
            settings: self.settings(connection, id, version)?,
            book: fields.book()?,
        };
        Ok((merchant, version))
    }

    fn settings(
        &self,
        connection: &Connection,
        id: MerchantId,
        version: u64,
    ) -> Outcome<Arc<Settings>> {
        let held = self.lock().get(&id).cloned();
        if let Some((_, settings)) = held.filter(|(held, _)| *held == version) {
            return Ok(settings);
        }
        let mut statement = connection.prepare_cached(SETTINGS)?;
        let text: String = statement.query_row((merchant_int(id),), |row| row.get(0))?;
        let settings: Arc<Settings> = serde_json::from_str(&text)
            .map(Arc::new)
            .map_err(|error| Failure::corrupt(format!("settings of merchant {id}: {error}")))?;
        self.lock().insert(id, (version, Arc::clone(&settings)));
        Ok(settings)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<MerchantId, (u64, Arc<Settings>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
