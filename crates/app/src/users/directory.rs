//! Who a person is. A name never changes its user, so it can be remembered.
//!
//! Names that are not are looked up together: while the store reads for some, the next gather. One
//! read a caller would cost more in threads woken than in reading.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use hongbao_domain::UserId;
use tokio::sync::{mpsc, oneshot};

use crate::{
    App, AppError,
    ports::{Person, Store, StoreError},
};

/// Names remembered at most: at about 200 bytes a name some 40 MiB.
const NAMES_MAX: usize = 200_000;

/// Names of one look-up at most: about ten milliseconds of reading.
const LOOKUP_MAX: usize = 1_024;

/// Names remembered, and the way to look up others.
#[derive(Debug)]
pub struct Directory {
    names: Arc<Names>,
    lookups: mpsc::Sender<Lookup>,
}

#[derive(Debug, Default)]
struct Names(Mutex<HashMap<Person, UserId>>);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(person).copied()
    }

    fn put(&self, found: impl Iterator<Item = (Person, UserId)>) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES_MAX {
            names.clear();
        }
        names.extend(found);
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
