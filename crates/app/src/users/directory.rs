//! Who a person is. A name never changes its user, so it can be remembered.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use hongbao_domain::UserId;

use crate::{App, AppError, ports::Person};

/// Names remembered at most: at about 200 bytes a name some 40 MiB.
const NAMES_MAX: usize = 200_000;

/// Remembered names.
#[derive(Debug, Default)]
pub struct Directory(Mutex<HashMap<Person, UserId>>);

impl App {
    /// The user behind a name.
    pub async fn user_id(&self, person: &Person) -> Result<UserId, AppError> {
        if let Some(user) = self.directory.get(person) {
            return Ok(user);
        }
        let record = self.store.user(person).await?.ok_or(AppError::NotFound { what: "user" })?;
        self.directory.put(person.clone(), record.user);
        Ok(record.user)
    }
}

impl Directory {
    fn get(&self, person: &Person) -> Option<UserId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(person).copied()
    }

    fn put(&self, person: Person, user: UserId) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES_MAX {
            names.clear();
        }
        names.insert(person, user);
    }
}
