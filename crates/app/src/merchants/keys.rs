//! The V2 key of a merchant, and what a V2 call is checked against.

use std::sync::Arc;

use hongbao_domain::{
    MerchantId,
    change::{Actor, ChangeRecord},
    merchant::Settings,
};
use zeroize::Zeroizing;

use crate::{App, AppError};

/// A V2 key has 32 characters.
pub const KEY_LEN: usize = 32;

/// What a V2 call is checked against.
#[derive(Clone)]
pub struct V2Access {
    /// Signature policy, call addresses and rate.
    pub settings: Arc<Settings>,
    /// The key that signs.
    pub key: Zeroizing<String>,
}

impl std::fmt::Debug for V2Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("V2Access(..)")
    }
}

impl App {
    /// What calls of this merchant are checked against; `None` when there is no such merchant or
    /// it has no key, which no caller may tell apart.
    pub async fn v2_access(&self, id: MerchantId) -> Result<Option<V2Access>, AppError> {
        let Some(record) = self.store.merchant(id).await? else {
            return Ok(None);
        };
        let Some(sealed) = record.sealed_key else {
            return Ok(None);
        };
        let key = self.vault.open(&seal_label(id), &sealed)?;
        let text =
            std::str::from_utf8(&key).map_err(|_bad| crate::vault::VaultError::DoesNotOpen)?;
        Ok(Some(V2Access {
            settings: record.merchant.settings,
            key: Zeroizing::new(text.to_owned()),
        }))
    }

    /// Fails when the master key is not the one that the store's keys were sealed under: better no
    /// start than one in which every V2 call fails (O-3).
    pub async fn check_master_key(&self) -> Result<(), AppError> {
        let sealed = self.store.merchants().await?.into_iter().find_map(|record| {
            let sealed = record.sealed_key?;
            Some((record.merchant.id, sealed))
        });
        if let Some((id, sealed)) = sealed {
            self.vault.open(&seal_label(id), &sealed)?;
        }
        Ok(())
    }

    /// Replaces the V2 key.
    pub async fn set_v2_key(
        &self,
        id: MerchantId,
        key: &str,
        actor: Actor,
    ) -> Result<(), AppError> {
        check_key(key)?;
        self.merchant(id).await?;
        let sealed = self.vault.seal(self.rng.as_ref(), &seal_label(id), key.as_bytes())?;
        let record = ChangeRecord {
            merchant: Some(id),
            action: "v2_key.set",
            actor,
            before: String::new(),
            after: String::new(),
            at: self.store.now().await?,
        };
        self.store.set_key(id, sealed, record).await?;
        Ok(())
    }
}

/// The row a sealed key belongs to.
pub(super) fn seal_label(id: MerchantId) -> String {
    format!("merchant/{id}/v2-key")
}

/// Refuses keys of another form.
pub(super) fn check_key(key: &str) -> Result<(), AppError> {
    if key.len() == KEY_LEN && key.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(());
    }
    let rule = format!("exactly {KEY_LEN} letters and digits");
    Err(AppError::Invalid { field: "v2_key", rule })
}
