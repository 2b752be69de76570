//! Race storms F-1 to F-6: sixty-four tasks at once through the executor, on each store, and on
//! PostgreSQL and Citus through the executors of three servers too. Whoever wins, the counts are
//! exact and the books add up.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a surprise in a test is its failure"
)]

use std::sync::Arc;

use hongbao_app::{
    App,
    executor::Failure,
    jobs::check_books,
    ports::{Clock, Store},
    vault::Vault,
};
use hongbao_domain::{
    Command, MerchantId, PacketKey, Refusal, UserId,
    limit::EXPIRY_SECONDS,
    packet::{RefundPacket, SendPacket},
};
use hongbao_store::{
    postgres::{PostgresStore, PostgresUrl},
    sqlite::SqliteStore,
};
use hongbao_testkit::{
    ManualClock, ModelStore, SeededRng,
    builders::{a_claim, a_link_claim, a_merchant, a_send, a_user, group_terms, normal_terms},
    postgres::{a_distributed_namespace, a_namespace},
};
use tokio::task::JoinSet;

const TASKS: usize = 64;

/// Servers on one database.
const SERVERS: usize = 3;

struct Storm {
    /// One a server. Tasks are dealt out to them in turn.
    apps: Vec<Arc<App>>,
    clock: Arc<ManualClock>,
    _directory: Option<tempfile::TempDir>,
}

impl Storm {
    fn over(stores: Vec<Arc<dyn Store>>, clock: Arc<ManualClock>) -> Self {
        let start = |store| {
            let vault = Vault::open_with(&Vault::new_master_key(&SeededRng::new(1))).unwrap();
            let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
            App::start(store, time, Arc::new(SeededRng::new(2)), vault)
        };
        Self { apps: stores.into_iter().map(start).collect(), clock, _directory: None }
    }

    fn on_model() -> Self {
        let clock = ManualClock::morning();
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        Self::over(vec![Arc::new(ModelStore::new(time))], clock)
    }

    fn on_sqlite(as_wanted: impl FnOnce(SqliteStore) -> SqliteStore) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::morning();
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let path = directory.path().join("data/storm.db");
        SqliteStore::migrate(&path).unwrap();
        let store = as_wanted(SqliteStore::open(&path, time).unwrap());
        Self { _directory: Some(directory), ..Self::over(vec![Arc::new(store)], clock) }
    }

    /// So many servers, each with a store and an executor of its own, on one database.
    async fn on_postgres(servers: usize) -> Option<Self> {
        let (server, namespace) = a_namespace()?;
        let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
        PostgresStore::migrate(&url).await.unwrap();
        Some(Self::of_servers(servers, &url).await)
    }

    async fn on_citus(servers: usize) -> Option<Self> {
        let (server, namespace) = a_distributed_namespace()?;
        let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
        PostgresStore::migrate_and_distribute(&url).await.unwrap();
        Some(Self::of_servers(servers, &url).await)
    }

    async fn of_servers(servers: usize, url: &PostgresUrl) -> Self {
        let clock = ManualClock::morning();
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        for _ in 0..servers {
            let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
            stores.push(Arc::new(PostgresStore::open_with_clock(url, time).await.unwrap()));
        }
        Self::over(stores, clock)
    }

    fn app(&self) -> &App {
        &self.apps[0]
    }

    fn store(&self) -> &dyn Store {
        self.app().store().as_ref()
    }

    /// Submits every command from a task of its own; all start at the same moment.
    async fn at_once<C: Command>(&self, commands: Vec<C>) -> Vec<Result<C::Outcome, Failure>> {
        let barrier = Arc::new(tokio::sync::Barrier::new(commands.len()));
        let mut tasks = JoinSet::new();
        for (command, app) in commands.into_iter().zip(self.apps.iter().cycle()) {
            let (executor, barrier) = (app.executor().clone(), Arc::clone(&barrier));
            tasks.spawn(async move {
                barrier.wait().await;
                executor.submit(command).await
            });
        }
        tasks.join_all().await
    }

    async fn books_add_up(&self) {
        let found = check_books(self.store(), None).await.unwrap();
        assert!(found.clean(), "{}", found.report);
    }

    async fn users(&self, count: usize) -> Vec<UserId> {
        let mut users = Vec::new();
        for number in 0..count {
            users.push(a_user(&format!("user{number}")).in_store(self.store()).await);
        }
        users
    }

    async fn send(&self, send: &SendPacket) -> PacketKey {
        self.app().executor().submit(send.clone()).await.unwrap().packet
    }

    async fn merchant(&self, fen: i64) -> MerchantId {
        a_merchant().with_money(fen).in_store(self.store()).await
    }
}

fn wins<T>(results: &[Result<T, Failure>]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}

fn refusals<T>(results: &[Result<T, Failure>], is: impl Fn(&Refusal) -> bool) -> usize {
    let refused = results.iter().filter_map(|result| result.as_ref().err());
    refused.filter(|failure| matches!(failure, Failure::Refused(refusal) if is(refusal))).count()
}

/// F-1: money for 34 sends, 64 sent.
async fn a_balance_is_spent_exactly(storm: Storm) {
    let merchant = storm.merchant(34 * 100).await;
    storm.users(1).await;
    let sends = (0..TASKS)
        .map(|number| a_send(merchant, &format!("b{number}"), normal_terms("user0", 100)))
        .collect();
    let results = storm.at_once(sends).await;
    assert_eq!(wins(&results), 34);
    assert_eq!(refusals(&results, |r| matches!(r, Refusal::BalanceTooLow { .. })), TASKS - 34);
    storm.books_add_up().await;
}

/// F-2: one share left, 64 users.
async fn the_last_share_has_one_winner(storm: Storm) {
    let merchant = storm.merchant(10_000).await;
    let users = storm.users(TASKS + 2).await;
    let send = a_send(merchant, "g", group_terms("user0", 900, 3));
    let key = storm.send(&send).await;
    storm.app().executor().submit(a_claim(&send, key, users[0])).await.unwrap();
    storm.app().executor().submit(a_link_claim(&send, key, users[1])).await.unwrap();
    let claims = users[2..].iter().map(|user| a_link_claim(&send, key, *user)).collect();
    let results = storm.at_once(claims).await;
    assert_eq!(wins(&results), 1);
    assert_eq!(refusals(&results, |r| *r == Refusal::AllTaken), TASKS - 1);
    storm.books_add_up().await;
}

/// F-3: one user, one group packet, 64 taps.
async fn one_user_has_one_share(storm: Storm) {
    let merchant = storm.merchant(10_000).await;
    let users = storm.users(1).await;
    let send = a_send(merchant, "g", group_terms("user0", 900, 3));
    let key = storm.send(&send).await;
    let results = storm.at_once(vec![a_claim(&send, key, users[0]); TASKS]).await;
    let claimed: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(claimed.iter().filter(|claimed| !claimed.replayed).count(), 1);
    assert!(claimed.iter().all(|other| other.amount == claimed[0].amount));
    storm.books_add_up().await;
}

/// F-4: room for one under the merchant's cap of the day.
async fn the_daily_send_cap_has_one_winner(storm: Storm) {
    let merchant = a_merchant()
        .with_money(1_000_000)
        .with(|settings| settings.caps.merchant_day_fen = hongbao_domain::Fen::new(199))
        .in_store(storm.store())
        .await;
    storm.users(1).await;
    let sends = (0..TASKS)
        .map(|number| a_send(merchant, &format!("b{number}"), normal_terms("user0", 100)))
        .collect();
    let results = storm.at_once(sends).await;
    assert_eq!(wins(&results), 1);
    assert_eq!(refusals(&results, |r| matches!(r, Refusal::MerchantDayAmount { .. })), TASKS - 1);
    storm.books_add_up().await;
}

/// F-5: a user's count and amount of the day, over 64 packets.
async fn a_users_daily_caps_are_never_exceeded(storm: Storm) {
    let merchant = a_merchant()
        .with_money(1_000_000)
        .with(|settings| {
            settings.caps.user_day_count = 100;
            settings.caps.user_day_fen = hongbao_domain::Fen::new(777);
        })
        .in_store(storm.store())
        .await;
    let users = storm.users(1).await;
    let mut claims = Vec::new();
    for number in 0..TASKS {
        let send = a_send(merchant, &format!("b{number}"), normal_terms("user0", 100));
        let key = storm.send(&send).await;
        claims.push(a_claim(&send, key, users[0]));
    }
    let results = storm.at_once(claims).await;
    assert_eq!(wins(&results), 7);
    assert_eq!(refusals(&results, |r| matches!(r, Refusal::UserDayAmount { .. })), TASKS - 7);
    let wallet = storm.store().wallet(users[0]).await.unwrap().unwrap();
    assert_eq!(wallet.wallet.amount.get(), 700);
    storm.books_add_up().await;
}

/// F-6: claim against refund, a millisecond before the end and at it.
async fn claim_or_refund_wins_and_never_both(storm: Storm) {
    let merchant = storm.merchant(100_000).await;
    let users = storm.users(1).await;
    for (number, late_millis) in [(0, -1), (1, 0), (2, 1)] {
        let send = a_send(merchant, &format!("b{number}"), normal_terms("user0", 100));
        let key = storm.send(&send).await;
        let packet = storm.store().packets(&[key]).await.unwrap().remove(0);
        storm.clock.set(packet.expire_at.plus_millis(late_millis));
        let claims = vec![a_claim(&send, key, users[0]); TASKS / 2];
        let refunds = vec![RefundPacket { packet: key }; TASKS / 2];
        let (claims, refunds) = tokio::join!(storm.at_once(claims), storm.at_once(refunds));
        let claimed = wins(&claims) > 0;
        assert_eq!(claimed, late_millis < 0);
        let refunded = refunds.iter().flatten().filter(|refunded| !refunded.replayed).count();
        assert_eq!(refunded, usize::from(!claimed));
        storm.clock.pass_seconds(i64::from(EXPIRY_SECONDS));
    }
    storm.books_add_up().await;
}

macro_rules! storms {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Storm::on_sqlite(|store| store)).await; })+
        }
        mod on_sqlite_that_prepares {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let prepares = |store: super::SqliteStore| store.preparing_from(0);
                super::$name(super::Storm::on_sqlite(prepares)).await;
            })+
        }
        mod on_the_model {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Storm::on_model()).await; })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(storm) = super::Storm::on_postgres(1).await else { return };
                super::$name(storm).await;
            })+
        }
        mod on_postgres_with_three_servers {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(storm) = super::Storm::on_postgres(super::SERVERS).await else { return };
                super::$name(storm).await;
            })+
        }
        mod on_citus_with_three_servers {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let Some(storm) = super::Storm::on_citus(super::SERVERS).await else { return };
                super::$name(storm).await;
            })+
        }
    };
}

storms!(
    a_balance_is_spent_exactly,
    the_last_share_has_one_winner,
    one_user_has_one_share,
    the_daily_send_cap_has_one_winner,
    a_users_daily_caps_are_never_exceeded,
    claim_or_refund_wins_and_never_both,
);
