//! Making and reading merchants.

use hongbao_domain::{
    MerchantId,
    change::{Actor, ChangeRecord},
    merchant::Settings,
};

use super::keys::seal_label;
use crate::{
    App, AppError,
    ports::{MerchantRecord, NewMerchant},
};

impl App {
    /// Makes a merchant with empty accounts; `key` is its V2 key, 32 letters and digits.
    pub async fn create_merchant(
        &self,
        id: MerchantId,
        settings: Settings,
        key: Option<&str>,
        actor: Actor,
    ) -> Result<(), AppError> {
        settings.check().map_err(|error| super::settings::invalid(&error))?;
        let sealed_key = match key {
            Some(key) => {
                super::keys::check_key(key)?;
                Some(self.vault.seal(self.rng.as_ref(), &seal_label(id), key.as_bytes())?)
            }
            None => None,
        };
        let record = ChangeRecord {
            merchant: Some(id),
            action: "merchant.create",
            actor,
            before: String::new(),
            after: super::settings::as_json(&settings),
            at: self.store.now().await?,
        };
        self.store.create_merchant(NewMerchant { id, settings, sealed_key }, record).await?;
        Ok(())
    }

    /// The merchant.
    pub async fn merchant(&self, id: MerchantId) -> Result<MerchantRecord, AppError> {
        self.store.merchant(id).await?.ok_or(AppError::NotFound { what: "merchant" })
    }

    /// Every merchant, by number.
    pub async fn merchants(&self) -> Result<Vec<MerchantRecord>, AppError> {
        Ok(self.store.merchants().await?)
    }
}
