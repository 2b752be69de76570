//! Running commands on a store.

use std::sync::{Arc, Mutex, PoisonError};

use hongbao_app::{
    executor::Failure,
    ports::{Store, StoreError, Turn, Work},
};
use hongbao_domain::{Batch, Changes, Command, Facts, Needs, facts::BatchError};

/// One command of a batch of different ones; what it answers is dropped.
pub trait Step: Send + Sync {
    /// See [`Command::needs`].
    fn needs(&self, needs: &mut Needs);

    /// Runs it in `batch`.
    fn run(&self, batch: &mut Batch) -> Result<(), BatchError>;
}

impl<C: Command> Step for C {
    fn needs(&self, needs: &mut Needs) {
        Command::needs(self, needs);
    }

    fn run(&self, batch: &mut Batch) -> Result<(), BatchError> {
        batch.run(self).map(|_outcome| ())
    }
}

/// Results of a batch, outside of the boxed work that fills them.
type Shared<T> = Arc<Mutex<Vec<T>>>;

struct Decide<F, T> {
    decide: F,
    results: Shared<T>,
}

impl<F: Fn(&mut Batch) -> Vec<T> + Send, T: Send> Work for Decide<F, T> {
    fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
        let mut batch = Batch::new(facts);
        let results = (self.decide)(&mut batch);
        // Only the last call counts: what an earlier one said is gone.
        *self.results.lock().unwrap_or_else(PoisonError::into_inner) = results;
        batch.finish()
    }

    /// Nobody waits: who runs it reads the results.
    fn answer(self: Box<Self>, _failure: Option<Failure>) {}
}

/// Runs `decide` over what `needs` names, in one transaction.
pub async fn transact<T: Send + 'static>(
    store: &dyn Store,
    needs: Needs,
    decide: impl Fn(&mut Batch) -> Vec<T> + Send + 'static,
) -> Result<Vec<T>, StoreError> {
    let results = Shared::default();
    let work = Decide { decide, results: Arc::clone(&results) };
    let (turn, _over) = Turn::begin();
    let (_work, written) = store.transact_in_turn(needs, Box::new(work), turn).await;
    written?;
    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *results))
}

/// Runs one command.
pub async fn run<C: Command>(store: &dyn Store, command: C) -> Result<C::Outcome, BatchError> {
    let mut results = run_all(store, vec![command]).await;
    results.pop().expect("a store runs the work it is given")
}

/// Runs commands of one kind in one batch.
pub async fn run_all<C: Command>(
    store: &dyn Store,
    commands: Vec<C>,
) -> Vec<Result<C::Outcome, BatchError>> {
    let mut needs = Needs::default();
    for command in &commands {
        Command::needs(command, &mut needs);
    }
    transact(store, needs, move |batch| commands.iter().map(|command| batch.run(command)).collect())
        .await
        .expect("the store takes a batch")
}

/// Runs commands of different kinds in one batch.
pub async fn run_steps(
    store: &dyn Store,
    steps: Vec<Box<dyn Step>>,
) -> Vec<Result<(), BatchError>> {
    let mut needs = Needs::default();
    for step in &steps {
        step.needs(&mut needs);
    }
    transact(store, needs, move |batch| steps.iter().map(|step| step.run(batch)).collect())
        .await
        .expect("the store takes a batch")
}
