//! The in-memory store passes the suite.

use std::sync::Arc;

use hongbao_testkit::{Harness, ManualClock, ModelStore, store_suite};

async fn an_empty_model() -> Harness {
    let clock = ManualClock::morning();
    let store = ModelStore::new(clock.clone());
    Harness::new(Arc::new(store), clock)
}

store_suite!(model, an_empty_model);
