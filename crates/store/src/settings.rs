//! Settings are JSON in the store and parsed once a version.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hongbao_domain::{
    MerchantId,
    merchant::{Book, Merchant, Settings},
};

use crate::{
    columns::merchant_int,
    error::{Failure, Outcome},
    fields::Fields,
    queries::admin::SETTINGS,
    session::{Session, values},
};

/// Parsed settings by merchant, with their version.
#[derive(Debug, Default)]
pub(crate) struct SettingsCache(Mutex<BTreeMap<MerchantId, (u64, Arc<Settings>)>>);

/// A merchant's row before its settings are looked up.
pub(crate) struct MerchantRow {
    pub(crate) id: MerchantId,
    pub(crate) settings_version: u64,
    pub(crate) book: Book,
}

impl MerchantRow {
    /// Reads number, settings version and book.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Outcome<Self> {
        let (id, settings_version) = (fields.merchant()?, fields.u64()?);
        Ok(Self { id, settings_version, book: fields.book()? })
    }
}

impl SettingsCache {
    /// The merchant of a row.
    pub(crate) async fn merchant(
        &self,
        session: &impl Session,
        row: MerchantRow,
    ) -> Outcome<Merchant> {
        let MerchantRow { id, settings_version, book } = row;
        let settings = match self.held(id, settings_version) {
            Some(settings) => settings,
            None => self.read(session, id).await?,
        };
        Ok(Merchant { id, settings, book })
    }

    fn held(&self, id: MerchantId, version: u64) -> Option<Arc<Settings>> {
        let held = self.lock().get(&id).cloned();
        held.filter(|(held, _)| *held == version).map(|(_, settings)| settings)
    }

    /// Reads settings with the version that they have now, which may be newer than the row's.
    async fn read(&self, session: &impl Session, id: MerchantId) -> Outcome<Arc<Settings>> {
        let key = values![merchant_int(id)];
        let found = session
            .find(SETTINGS, "merchant", key, |fields| {
                let (text, version): (String, u64) = (fields.raw()?, fields.u64()?);
                let settings: Settings = serde_json::from_str(&text)
                    .map_err(|error| Failure::corrupt(format!("settings of {id}: {error}")))?;
                Ok((version, Arc::new(settings)))
            })
            .await?;
        let (version, settings) =
            found.ok_or_else(|| Failure::corrupt(format!("the merchant {id} has no settings")))?;
        self.lock().insert(id, (version, Arc::clone(&settings)));
        Ok(settings)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MerchantId, (u64, Arc<Settings>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
