//! People.

use hongbao_app::ports::{NewUser, Person, Store, UserRecord};
use hongbao_domain::{UserId, message::Following, risk::Standing};

use super::{APP, app, openid};
use crate::clock::MORNING;

/// A person in the making.
#[derive(Clone, Debug)]
pub struct UserBuilder {
    new: NewUser,
}

/// Somebody known as `name` in [`APP`], of the subject `name`, with an ordinary account.
pub fn a_user(name: &str) -> UserBuilder {
    UserBuilder {
        new: NewUser {
            person: Person { app: app(APP), openid: openid(name) },
            subject: name.to_owned(),
            display_name: name.to_uppercase(),
            following: Following::default(),
            standing: Standing::Normal,
        },
    }
}

impl UserBuilder {
    /// Known in the app named `name`.
    #[must_use]
    pub fn in_app(mut self, name: &str) -> Self {
        self.new.person.app = app(name);
        self
    }

    /// With `subject` as the host app's name for the human behind it.
    #[must_use]
    pub fn with_subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.new.subject);
        self
    }

    /// Shown to others as `name`.
    #[must_use]
    pub fn shown_as(mut self, name: &str) -> Self {
        name.clone_into(&mut self.new.display_name);
        self
    }

    /// With this standing.
    #[must_use]
    pub const fn with_standing(mut self, standing: Standing) -> Self {
        self.new.standing = standing;
        self
    }

    /// Following the official account in this way.
    #[must_use]
    pub const fn following(mut self, following: Following) -> Self {
        self.new.following = following;
        self
    }

    /// As it is registered.
    pub fn new_user(&self) -> NewUser {
        self.new.clone()
    }

    /// The name inside the app.
    pub fn person(&self) -> Person {
        self.new.person.clone()
    }

    /// Registers in `store`.
    pub async fn registered(self, store: &dyn Store) -> UserRecord {
        store.register_user(self.new, MORNING).await.expect("a person can be registered")
    }

    /// Registers in `store` and tells whose wallet it is.
    pub async fn in_store(self, store: &dyn Store) -> UserId {
        self.registered(store).await.user
    }
}
