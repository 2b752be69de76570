//! Work on its way through the threads of the store.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hongbao_app::{
    executor,
    ports::{StoreError, Work},
};
use hongbao_domain::facts::{Changes, Facts};

/// Work that is lent to threads and comes back whatever becomes of them.
#[derive(Clone)]
pub(super) struct Lent(Arc<Mutex<Box<dyn Work>>>);

impl Lent {
    pub(super) fn new(work: Box<dyn Work>) -> Self {
        Self(Arc::new(Mutex::new(work)))
    }

    /// Lets it decide.
    pub(super) fn decide(&self, facts: Facts) -> Result<(Facts, Changes), StoreError> {
        let mut work = self.lock();
        let decided = catch_unwind(AssertUnwindSafe(|| work.decide(facts)));
        decided.map_err(|_panic| {
            StoreError::Unavailable("a decision panicked; nothing was written".to_owned())
        })
    }

    /// Takes it back.
    pub(super) fn back(self) -> Box<dyn Work> {
        std::mem::replace(&mut *self.lock(), Box::new(Gone))
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands in a slot whose work was taken out.
struct Gone;

impl Work for Gone {
    fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
        (facts, Changes::default())
    }

    fn answer(self: Box<Self>, _failure: Option<executor::Failure>) {}
}
