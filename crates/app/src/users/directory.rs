//! Who a person is. A name never changes its user, so it can be remembered.
//!
//! Names that are not are looked up together: while the store reads for some, the next gather. One
//! read a caller would cost more in threads woken than in reading.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hongbao_domain::{AppId, OpenId, UserId};
use tokio::sync::{mpsc, oneshot};

use crate::{
    App, AppError,
    ports::{Person, Store, StoreError},
};

/// Names remembered at most: at under 100 bytes a name some 40 MiB.
const NAMES_MAX: usize = 400_000;

/// Names of one look-up at most: about ten milliseconds of reading.
const LOOKUP_MAX: usize = 1_024;

/// Names remembered, and the way to look up others.
#[derive(Debug)]
pub struct Directory {
    names: Arc<Names>,
    lookups: mpsc::Sender<Lookup>,
}

/// The names of the last half of [`NAMES_MAX`] that were put here, and those of the half before.
#[derive(Debug, Default)]
struct Names(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    newer: Half,
    older: Half,
}

/// By app, so that its name is kept once and a look-up needs no copies.
#[derive(Debug, Default)]
struct Half {
    apps: HashMap<AppId, HashMap<OpenId, UserId>>,
    names: usize,
}

/// A name that somebody waits for.
#[derive(Debug)]
struct Lookup {
    person: Person,
    caller: oneshot::Sender<Result<Option<UserId>, String>>,
}

impl App {
    /// The user behind a name.
    pub async fn user_id(&self, person: &Person) -> Result<UserId, AppError> {
        self.directory.find(person).await?.ok_or(AppError::NotFound { what: "user" })
    }
}

impl Directory {
    /// Starts looking names up in `store`; ends when the directory is dropped.
    pub fn start(store: Arc<dyn Store>) -> Self {
        let names = Arc::new(Names::default());
        let (lookups, waiting) = mpsc::channel(LOOKUP_MAX);
        tokio::spawn(run_lookups(store, Arc::clone(&names), waiting));
        Self { names, lookups }
    }

    /// Remembers a name. Whoever registers here will soon ask for something here.
    pub(super) fn remember(&self, person: Person, user: UserId) {
        self.names.put(std::iter::once((person, user)));
    }

    async fn find(&self, person: &Person) -> Result<Option<UserId>, StoreError> {
        if let Some(user) = self.names.get(person) {
            return Ok(Some(user));
        }
        let ended = || StoreError::Unavailable("names are not looked up any more".to_owned());
        let (caller, found) = oneshot::channel();
        let lookup = Lookup { person: person.clone(), caller };
        self.lookups.send(lookup).await.map_err(|_closed| ended())?;
        found.await.map_err(|_dropped| ended())?.map_err(StoreError::Unavailable)
    }
}

impl Names {
    fn get(&self, person: &Person) -> Option<UserId> {
        let halves = self.lock();
        halves.newer.get(person).or_else(|| halves.older.get(person))
    }

    fn put(&self, found: impl Iterator<Item = (Person, UserId)>) {
        // Outlives the lock: to drop so many takes longer than anybody should wait for a name.
        let mut forgotten = Vec::new();
        let mut halves = self.lock();
        for (person, user) in found {
            if halves.newer.names >= NAMES_MAX / 2 {
                let newer = std::mem::take(&mut halves.newer);
                forgotten.push(std::mem::replace(&mut halves.older, newer));
            }
            halves.newer.put(person, user);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Half {
    fn get(&self, person: &Person) -> Option<UserId> {
        self.apps.get(&person.app)?.get(&person.openid).copied()
    }

    fn put(&mut self, Person { app, openid }: Person, user: UserId) {
        if self.apps.entry(app).or_default().insert(openid, user).is_none() {
            self.names += 1;
        }
    }
}

async fn run_lookups(
    store: Arc<dyn Store>,
    names: Arc<Names>,
    mut waiting: mpsc::Receiver<Lookup>,
) {
    let mut lookups = Vec::with_capacity(LOOKUP_MAX);
    while waiting.recv_many(&mut lookups, LOOKUP_MAX).await > 0 {
        let people = lookups.iter().map(|lookup| lookup.person.clone()).collect();
        let read = store.users(people).await.map_err(|error| error.to_string());
        for Lookup { person, caller } in lookups.drain(..) {
            let answer = read
                .as_ref()
                .map(|found| found.get(&person).map(|record| record.user))
                .map_err(Clone::clone);
            // A caller that went away asks again.
            drop(caller.send(answer));
        }
        names.put(read.into_iter().flatten().map(|(person, record)| (person, record.user)));
    }
}

#[cfg(test)]
mod tests {
    use hongbao_domain::UserId;

    use super::{NAMES_MAX, Names};
    use crate::ports::Person;

    fn person(number: usize) -> Person {
        let app = if number.is_multiple_of(2) { "wxeven" } else { "wxodd" };
        Person { app: app.parse().unwrap(), openid: format!("o{number}").parse().unwrap() }
    }

    fn user(number: usize) -> UserId {
        UserId::new(number.try_into().unwrap())
    }

    #[test]
    fn the_newest_names_are_remembered_and_no_more_than_may_be() {
        let names = Names::default();
        let last = 2 * NAMES_MAX;
        names.put((0..last).map(|number| (person(number), user(number))));
        let remembered = (0..last).filter(|&number| names.get(&person(number)).is_some()).count();
        assert!(remembered <= NAMES_MAX && remembered > NAMES_MAX / 2, "{remembered}");
        for number in [last - NAMES_MAX / 2, last - 1] {
            assert_eq!(names.get(&person(number)), Some(user(number)));
        }
        assert_eq!(names.get(&person(0)), None);
    }

    #[test]
    fn a_name_of_one_app_is_nobody_in_another() {
        let names = Names::default();
        names.put(std::iter::once((person(1), user(1))));
        let elsewhere = Person { app: person(2).app, ..person(1) };
        assert_eq!(names.get(&elsewhere), None);
    }
}
