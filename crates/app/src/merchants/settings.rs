//! Changing a merchant's settings.

use hongbao_domain::{
    MerchantId,
    change::{Actor, ChangeRecord},
    merchant::{Settings, SettingsError},
};

use crate::{App, AppError};

impl App {
    /// Replaces the settings that were read as version `expected`.
    ///
    /// # Errors
    /// [`AppError::Invalid`] names the setting and what is allowed; a conflict means that somebody
    /// else changed them meanwhile: read again.
    pub async fn update_settings(
        &self,
        id: MerchantId,
        expected: u64,
        settings: Settings,
        actor: Actor,
    ) -> Result<(), AppError> {
        let before = self.merchant(id).await?.merchant.settings;
        before.check_successor(&settings).map_err(|error| invalid(&error))?;
        let record = ChangeRecord {
            merchant: Some(id),
            action: "settings.update",
            actor,
            before: as_json(&before),
            after: as_json(&settings),
            at: self.store.now().await?,
        };
        self.store.update_settings(id, expected, settings, record).await?;
        Ok(())
    }
}

/// A broken rule of a setting as an error of a use case.
pub(super) fn invalid(error: &SettingsError) -> AppError {
    AppError::Invalid { field: error.field, rule: error.rule.to_owned() }
}

/// Settings as they stand in a change record.
pub(super) fn as_json(settings: &Settings) -> String {
    serde_json::to_string(settings).unwrap_or_default()
}
