//! Jobs of several servers on one database: one at a time does them, and when it is killed another
//! one goes on.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hongbao_app::{
    App, jobs,
    ports::{Clock, InstantPayout, Message, Notifier, NotifyError, Store},
    users::Inbox,
    vault::Vault,
};
use hongbao_domain::{
    MerchantId, PacketKey,
    packet::{Packet, PacketState},
};
use hongbao_store::postgres::{PostgresStore, PostgresUrl};
use hongbao_testkit::{
    ManualClock, SeededRng,
    builders::{a_merchant, a_send, a_user, normal_terms},
    postgres::a_namespace,
    run,
};
use tokio::{sync::watch, task::JoinHandle};

const DAY: i64 = 86_400;

/// Hands messages over and counts how often it was asked to.
struct Counting {
    inbox: Inbox,
    handed_over: Arc<AtomicUsize>,
}

#[async_trait]
impl Notifier for Counting {
    async fn notify(&self, messages: &[Message]) -> Result<(), NotifyError> {
        self.handed_over.fetch_add(1, Ordering::SeqCst);
        self.inbox.notify(messages).await
    }
}

struct Server {
    store: Arc<dyn Store>,
    handed_over: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    jobs: JoinHandle<()>,
}

impl Server {
    async fn start(url: &PostgresUrl, clock: &Arc<ManualClock>) -> Self {
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
        let opened = PostgresStore::open_with_clock(url, Arc::clone(&time)).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(opened);
        let vault = Vault::open_with(&Vault::new_master_key(&SeededRng::new(1))).unwrap();
        let app = App::start(Arc::clone(&store), time, Arc::new(SeededRng::new(2)), vault);
        let handed_over = Arc::new(AtomicUsize::new(0));
        let inbox = Inbox(Arc::clone(&store));
        let notifier = Arc::new(Counting { inbox, handed_over: Arc::clone(&handed_over) });
        let (stop, stopping) = watch::channel(false);
        let jobs = tokio::spawn(jobs::run(app, notifier, Arc::new(InstantPayout), stopping));
        Self { store, handed_over, stop, jobs }
    }

    fn handed_over(&self) -> usize {
        self.handed_over.load(Ordering::SeqCst)
    }

    /// Like kill -9: nothing is given back.
    async fn kill(self) {
        self.jobs.abort();
        assert!(self.jobs.await.unwrap_err().is_cancelled());
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.jobs.await.unwrap();
    }

    async fn sends(&self, merchant: MerchantId, bill_no: &str) -> PacketKey {
        let send = a_send(merchant, bill_no, normal_terms("alice", 100));
        run(&*self.store, send).await.unwrap().packet
    }

    async fn packet(&self, key: PacketKey) -> Packet {
        self.store.packets(&[key]).await.unwrap().remove(0)
    }

    async fn until_followed(&self) {
        while !self.store.unfollowed(None, 1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_refunded(&self, key: PacketKey) {
        while !matches!(self.packet(key).await.state, PacketState::Refunded { .. }) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_does_the_jobs_and_another_goes_on_when_it_is_killed() {
    let Some((server, namespace)) = a_namespace() else { return };
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    PostgresStore::migrate(&url).await.unwrap();
    let clock = ManualClock::morning();
    let holder = Server::start(&url, &clock).await;
    let merchant = a_merchant().with_money(100_000).in_store(&*holder.store).await;
    a_user("alice").in_store(&*holder.store).await;
    let first = holder.sends(merchant, "b1").await;
    holder.until_followed().await;
    clock.pass_seconds(DAY);
    holder.until_refunded(first).await;

    let other = Server::start(&url, &clock).await;
    for number in 0..20 {
        holder.sends(merchant, &format!("c{number}")).await;
        holder.until_followed().await;
    }
    assert!(holder.handed_over() > 20 && other.handed_over() == 0);
    let last = holder.sends(merchant, "b2").await;
    holder.kill().await;
    clock.pass_seconds(DAY);
    other.until_refunded(last).await;
    other.sends(merchant, "b3").await;
    other.until_followed().await;
    assert!(other.handed_over() > 0);

    // One that ends in peace does not let the next one wait.
    let next = Server::start(&url, &clock).await;
    let store = Arc::clone(&next.store);
    next.end().await;
    assert!(!store.lease("expiry").await.unwrap());
    other.end().await;
    for job in ["expiry", "follow", "payouts"] {
        assert!(store.lease(job).await.unwrap(), "{job}");
    }
    let books = jobs::check_books(&*store, None).await.unwrap();
    assert!(books.clean(), "{}", books.report);
}
