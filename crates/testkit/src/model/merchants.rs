//! Merchants, their certificates and authorizations.

use std::sync::Arc;

use hongbao_app::ports::{
    Authorization, Certificate, MerchantRecord, NewCertificate, NewMerchant, StoreError,
};
use hongbao_domain::{
    MerchantId, Timestamp,
    change::ChangeRecord,
    merchant::{Book, Merchant, Settings},
};

use super::state::{State, conflict};

impl State {
    pub(super) fn create_merchant(
        &mut self,
        new: NewMerchant,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        if self.merchants.contains_key(&new.id) {
            return Err(conflict("merchant"));
        }
        let merchant =
            Merchant { id: new.id, settings: Arc::new(new.settings), book: Book::default() };
        let made = MerchantRecord { merchant, settings_version: 1, sealed_key: new.sealed_key };
        self.merchants.insert(new.id, made);
        self.records.push(record);
        Ok(())
    }

    pub(super) fn update_settings(
        &mut self,
        id: MerchantId,
        expected: u64,
        settings: Settings,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let held = self
            .merchants
            .get_mut(&id)
            .filter(|held| held.settings_version == expected)
            .ok_or(conflict("settings"))?;
        held.merchant.settings = Arc::new(settings);
        held.settings_version = expected.saturating_add(1);
        self.records.push(record);
        Ok(())
    }

    pub(super) fn set_key(
        &mut self,
        id: MerchantId,
        sealed: Vec<u8>,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let held = self.merchants.get_mut(&id).ok_or(conflict("merchant"))?;
        held.sealed_key = Some(sealed);
        self.records.push(record);
        Ok(())
    }

    pub(super) fn add_certificate(
        &mut self,
        new: NewCertificate,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        let key = (new.merchant, new.serial.clone());
        if self.certificates.contains_key(&key) {
            return Err(conflict("certificate"));
        }
        let certificate = Certificate {
            merchant: new.merchant,
            serial: new.serial,
            not_after: new.not_after,
            revoked_at: None,
        };
        self.certificates.insert(key, certificate);
        self.records.push(record);
        Ok(())
    }

    pub(super) fn certificates_of(&self, merchant: MerchantId) -> Vec<Certificate> {
        self.certificates
            .range((merchant, String::new())..)
            .take_while(|((owner, _), _)| *owner == merchant)
            .map(|(_, certificate)| certificate.clone())
            .collect()
    }

    pub(super) fn revoke_certificate(
        &mut self,
        merchant: MerchantId,
        serial: &str,
        at: Timestamp,
        record: ChangeRecord,
    ) -> bool {
        let held = self.certificates.get_mut(&(merchant, serial.to_owned()));
        let Some(valid) = held.filter(|held| held.revoked_at.is_none()) else {
            return false;
        };
        valid.revoked_at = Some(at);
        self.records.push(record);
        true
    }

    pub(super) fn authorization(
        &self,
        provider: MerchantId,
        sub_merchant: MerchantId,
    ) -> Option<Authorization> {
        let state = *self.authorizations.get(&(provider, sub_merchant))?;
        Some(Authorization { provider, sub_merchant, state })
    }

    pub(super) fn set_authorization(
        &mut self,
        before: Option<Authorization>,
        after: Authorization,
        record: ChangeRecord,
    ) -> Result<(), StoreError> {
        if self.authorization(after.provider, after.sub_merchant) != before {
            return Err(conflict("authorization"));
        }
        let pair = (after.provider, after.sub_merchant);
        self.authorizations.insert(pair, after.state);
        self.records.push(record);
        Ok(())
    }
}
