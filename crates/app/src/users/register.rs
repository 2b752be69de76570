//! Registering people.

use hongbao_domain::{
    UserId,
    change::{Actor, ChangeRecord},
    wallet::Wallet,
};

use crate::{
    App, AppError,
    ports::{NewUser, Person, UserRecord},
};

/// The longest name that a host may have for somebody.
pub const SUBJECT_BYTES_MAX: usize = 128;
const DISPLAY_NAME_CHARS_MAX: usize = 32;

impl App {
    /// Registers a person, or brings a registered one up to date.
    pub async fn register_user(&self, new: NewUser) -> Result<UserRecord, AppError> {
        if new.subject.is_empty() || new.subject.len() > SUBJECT_BYTES_MAX {
            let rule = format!("1 to {SUBJECT_BYTES_MAX} bytes");
            return Err(AppError::Invalid { field: "subject", rule });
        }
        if new.display_name.chars().count() > DISPLAY_NAME_CHARS_MAX {
            let rule = format!("at most {DISPLAY_NAME_CHARS_MAX} characters");
            return Err(AppError::Invalid { field: "display_name", rule });
        }
        let at = self.store.now().await?;
        let record = self.store.register_user(new, at).await?;
        self.directory.remember(record.person.clone(), record.user);
        Ok(record)
    }

    /// The person.
    pub async fn user(&self, person: &Person) -> Result<UserRecord, AppError> {
        self.store.user(person).await?.ok_or(AppError::NotFound { what: "user" })
    }

    /// The user's money.
    pub async fn wallet(&self, user: UserId) -> Result<Wallet, AppError> {
        self.store.wallet(user).await?.ok_or(AppError::NotFound { what: "user" })
    }

    /// Freezes or thaws a wallet.
    pub async fn set_wallet_frozen(
        &self,
        user: UserId,
        frozen: bool,
        actor: Actor,
    ) -> Result<(), AppError> {
        let record = ChangeRecord {
            merchant: None,
            action: if frozen { "wallet.freeze" } else { "wallet.thaw" },
            actor,
            before: serde_json::json!({ "frozen": self.wallet(user).await?.frozen }).to_string(),
            after: serde_json::json!({ "user": user.get(), "frozen": frozen }).to_string(),
            at: self.store.now().await?,
        };
        if self.store.set_wallet_frozen(user, frozen, record).await? {
            Ok(())
        } else {
            Err(AppError::NotFound { what: "user" })
        }
    }
}
