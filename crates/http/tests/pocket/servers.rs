//! The servers that a test calls: one over a store in memory, or over PostgreSQL, or several.
//!
//! `HONGBAO_TEST_API_STORE` says which: nothing or `model`, `postgres`, `three-on-postgres`, or
//! `citus`. Three answer in turn, so that whatever one was told the next one has to know (I-24).

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Body, http::Request};
use hongbao_app::{
    App,
    ports::{Rng, Store},
    vault::Vault,
};
use hongbao_domain::change::ChangeRecord;
use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{
    ManualClock, ModelStore,
    postgres::{a_distributed_namespace, a_namespace},
};
use tower::ServiceExt as _;

/// One application a server.
pub(crate) struct Servers {
    pub(crate) apps: Vec<Arc<App>>,
    pub(crate) clock: Arc<ManualClock>,
    model: Option<Arc<ModelStore>>,
}

impl Servers {
    /// Over an empty store.
    pub(crate) async fn start(rng: Arc<dyn Rng>) -> Self {
        let clock = ManualClock::morning();
        let mut model = None;
        let stores: Vec<Arc<dyn Store>> = match std::env::var("HONGBAO_TEST_API_STORE").as_deref() {
            Err(_) | Ok("model") => {
                vec![model.insert(Arc::new(ModelStore::new(clock.clone()))).clone()]
            }
            Ok("postgres") => on_postgres(1, &clock).await,
            Ok("three-on-postgres") => on_postgres(3, &clock).await,
            Ok("citus") => on_citus(&clock).await,
            Ok(other) => panic!("no such store: {other}"),
        };
        let key = Vault::new_master_key(&*rng);
        let start =
            |store| App::start(store, clock.clone(), rng.clone(), Vault::open_with(&key).unwrap());
        Self { apps: stores.into_iter().map(start).collect(), clock, model }
    }

    /// Without the others.
    pub(crate) fn only_the_first(mut self) -> Self {
        self.apps.truncate(1);
        self
    }

    /// The first one's store, which is everybody's.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.apps[0].store())
    }

    /// All servers as one face. Calls go to them in turn.
    pub(crate) fn face(&self, of_one: impl Fn(Arc<App>) -> Router) -> Router {
        let faces: Vec<Router> = self.apps.iter().map(|app| of_one(Arc::clone(app))).collect();
        if let [only] = faces.as_slice() {
            return only.clone();
        }
        let next = Arc::new(AtomicUsize::new(0));
        Router::new().fallback_service(tower::service_fn(move |request: Request<Body>| {
            let turn = next.fetch_add(1, Ordering::Relaxed) % faces.len();
            faces[turn].clone().oneshot(request)
        }))
    }

    /// Stops money on every server.
    pub(crate) fn halt(&self, reason: &str) {
        for app in &self.apps {
            app.executor().gate().halt(reason.to_owned());
        }
    }

    /// What was recorded last, where the store tells.
    pub(crate) fn newest_record(&self) -> Option<ChangeRecord> {
        self.model.as_ref().and_then(|model| model.change_records().pop())
    }
}

// A database was asked for by name, so that skipping would be wrong.

async fn on_postgres(servers: usize, clock: &Arc<ManualClock>) -> Vec<Arc<dyn Store>> {
    let (server, namespace) = a_namespace().unwrap();
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate(&url).await.unwrap();
    opened(servers, &url, clock).await
}

/// Distributed as `hongbao migrate --distribute` does it.
async fn on_citus(clock: &Arc<ManualClock>) -> Vec<Arc<dyn Store>> {
    let (server, namespace) = a_distributed_namespace().unwrap();
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate_and_distribute(&url).await.unwrap();
    opened(1, &url, clock).await
}

async fn opened(
    servers: usize,
    url: &PostgresUrl,
    clock: &Arc<ManualClock>,
) -> Vec<Arc<dyn Store>> {
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..servers {
        let store = PostgresStore::open_with_clock(url, clock.clone()).await;
        stores.push(Arc::new(store.unwrap()));
    }
    stores
}
