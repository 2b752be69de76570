//! Authorizations of providers by merchants.

use hongbao_domain::{
    MerchantId,
    change::{Actor, ChangeRecord},
};

use crate::{
    App, AppError,
    ports::{Authorization, AuthorizationState},
};

impl App {
    /// Moves the authorization of `provider` by `sub_merchant` to `state`.
    ///
    /// The provider invites; the merchant answers; either ends it. A pair that was declined or
    /// revoked may be invited anew.
    pub async fn set_authorization(
        &self,
        provider: MerchantId,
        sub_merchant: MerchantId,
        state: AuthorizationState,
        actor: Actor,
    ) -> Result<Authorization, AppError> {
        let is_provider = self.merchant(provider).await?.merchant.settings.provider;
        // Ending an authorization is always possible, whatever the provider is today.
        let ends = state == AuthorizationState::Revoked;
        if (!is_provider && !ends) || provider == sub_merchant {
            let rule = "must be a service provider, and another merchant".to_owned();
            return Err(AppError::Invalid { field: "provider", rule });
        }
        self.merchant(sub_merchant).await?;
        let before = self.store.authorization(provider, sub_merchant).await?;
        let allowed = match before {
            None => state == AuthorizationState::Invited,
            Some(before) => before.state.may_become(state),
        };
        if !allowed {
            let rule = format!("cannot follow {:?}", before.map(|before| before.state));
            return Err(AppError::Invalid { field: "state", rule });
        }
        let after = Authorization { provider, sub_merchant, state };
        let record = ChangeRecord {
            merchant: Some(sub_merchant),
            action: "authorization.set",
            actor,
            before: before.map(as_json).unwrap_or_default(),
            after: as_json(after),
            at: self.store.now().await?,
        };
        self.store.set_authorization(before, after, record).await?;
        Ok(after)
    }
}

fn as_json(authorization: Authorization) -> String {
    let Authorization { provider, sub_merchant, state } = authorization;
    serde_json::json!({ "provider": provider, "sub_merchant": sub_merchant, "state": state })
        .to_string()
}
