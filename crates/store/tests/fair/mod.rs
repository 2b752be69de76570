//! A grown store, and ways to move it.

#![expect(unreachable_pub, reason = "each test file has its own")]

use std::{
    fs::Permissions, ops::ControlFlow, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc,
};

use hongbao_app::{
    jobs::check_books,
    ports::{Authorization, AuthorizationState, Clock, NewCertificate},
};
use hongbao_domain::{
    Fen, MerchantId, UserId,
    merchant::{FundingAccount, Recharge},
    packet::{RefundPacket, SendPacket},
    wallet::{PayMerchant, PayoutKey, SettleWithdrawal, TransferToUser, WithdrawFromWallet},
};
use hongbao_store::{
    moving::{self, MoveError, Moved, Place, Step},
    postgres::{PostgresStore, PostgresUrl},
    sqlite::SqliteStore,
};
use hongbao_testkit::{
    Harness, ManualClock,
    builders::{
        a_claim, a_link_claim, a_merchant, a_record, a_send, a_user, group_terms, normal_terms,
        reference,
    },
    postgres::a_namespace,
    run_all,
    suite::follow_all,
};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// A folder with a SQLite store in which everything happened that can happen, and no server.
pub struct Fair {
    pub folder: TempDir,
    pub clock: Arc<ManualClock>,
    pub merchant: MerchantId,
    pub alice: UserId,
    last: SendPacket,
}

impl Fair {
    /// With so many packets that nobody opened beside all others.
    pub async fn of(unopened: usize) -> Self {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        let path = folder.path().join("hongbao.db");
        SqliteStore::migrate(&path).unwrap();
        let clock = ManualClock::morning();
        let store = SqliteStore::open(&path, clock.clone()).unwrap();
        let h = Harness::new(Arc::new(store), clock.clone());
        let rich = a_merchant().with_money(50_000_000);
        let rich = rich.with(|settings| settings.caps.user_day_count = 1_000_000);
        let merchant = rich.in_store(h.store()).await;
        let alice = a_user("alice").in_store(h.store()).await;
        let bob = a_user("bob").in_store(h.store()).await;
        papers(&h, merchant).await;
        money_of_users(&h, merchant, alice, bob).await;
        packets(&h, merchant, [alice, bob]).await;
        let send = |no| a_send(merchant, &format!("many{no:06}"), normal_terms("alice", 100));
        let many: Vec<SendPacket> = (0..unopened).map(send).collect();
        let last = many.last().unwrap().clone();
        for some in many.chunks(500) {
            let answers = run_all(h.store(), some.to_vec()).await;
            assert!(answers.iter().all(Result::is_ok));
        }
        follow_all(h.store()).await;
        Self { folder, clock, merchant, alice, last }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("hongbao.db")
    }

    pub fn place(&self) -> Place {
        Place::Sqlite(self.path())
    }

    pub fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), self.clock.clone()).unwrap()
    }

    pub async fn moved(&self, to: &Place) -> Result<Moved, MoveError> {
        moved(&self.place(), to, |_| false).await
    }

    /// What is true of the store is true of `h`, and the story goes on there.
    pub async fn goes_on(&self, h: &Harness) {
        let again = h.ok(self.last.clone()).await;
        assert!(again.replayed, "a number was used a second time");
        let key = again.packet;
        assert_eq!(h.order_of(key).await.key, self.last.order);
        h.ok(a_claim(&self.last, key, self.alice)).await;
        let new = a_user("newcomer").in_store(h.store()).await;
        assert!(new > self.alice && h.wallet_fen(new).await == 0, "a number was told twice");
        let next = a_send(self.merchant, "afterwards", normal_terms("newcomer", 300));
        let sent = h.send(&next).await;
        assert_eq!(sent.no.get(), key.no.get() + 1, "packets are not numbered on");
        h.ok(a_claim(&next, sent, new)).await;
        follow_all(h.store()).await;
        let found = check_books(h.store(), None).await.unwrap();
        assert!(found.clean(), "{}\n{:?}", found.report, found.structure);
    }
}

/// Certificates, authorizations, change records.
async fn papers(h: &Harness, merchant: MerchantId) {
    let not_after = h.clock_now().plus_seconds(86_400);
    let new = NewCertificate { merchant, serial: "0a".to_owned(), not_after };
    h.store.add_certificate(new, a_record(Some(merchant))).await.unwrap();
    let provider = a_merchant().numbered(20_000_001).provider().in_store(h.store()).await;
    let state = AuthorizationState::Invited;
    let invited = Authorization { provider, sub_merchant: merchant, state };
    h.store.set_authorization(None, invited, a_record(Some(merchant))).await.unwrap();
}

/// What moves between wallets and out of them, with journals of users' own.
async fn money_of_users(h: &Harness, merchant: MerchantId, alice: UserId, bob: UserId) {
    let send = a_send(merchant, "rich", normal_terms("alice", 10_000));
    let key = h.send(&send).await;
    h.ok(a_claim(&send, key, alice)).await;
    let pay = |no| PayMerchant { user: alice, merchant, amount: Fen::new(300), reference: no };
    h.ok(pay(reference("p1"))).await;
    let (from, to) = (alice, bob);
    h.ok(TransferToUser { from, to, amount: Fen::new(500), reference: reference("t1") }).await;
    for (number, delivered) in [("w1", Some(true)), ("w2", Some(false)), ("w3", None)] {
        let (user, amount) = (alice, Fen::new(200));
        h.ok(WithdrawFromWallet { user, amount, reference: reference(number) }).await;
        if let Some(delivered) = delivered {
            let key = PayoutKey { user, reference: reference(number) };
            h.ok(SettleWithdrawal { key, delivered }).await;
        }
    }
}

/// Opened, shared, refused and refunded ones.
async fn packets(h: &Harness, merchant: MerchantId, [alice, bob]: [UserId; 2]) {
    let refused = a_send(merchant, "toodear", normal_terms("alice", 20_000));
    h.set(merchant, |settings| settings.caps.user_day_fen = Fen::new(10_001)).await;
    h.refusal(refused).await;
    h.set(merchant, |settings| settings.caps.user_day_fen = Fen::new(1_000_000_000)).await;
    for no in 0..20 {
        let send = a_send(merchant, &format!("group{no}"), group_terms("alice", 900, 3));
        let key = h.send(&send).await;
        h.ok(a_claim(&send, key, alice)).await;
        if no % 2 == 0 {
            h.ok(a_link_claim(&send, key, bob)).await;
        }
        if no > 15 {
            let ends_at = h.packet(key).await.expire_at;
            h.clock.set(ends_at);
            h.ok(RefundPacket { packet: key }).await;
            h.store.settled_through(&[(merchant, ends_at)]).await.unwrap();
        }
    }
    let (account, amount) = (FundingAccount::Basic, Fen::new(77));
    h.ok(Recharge { merchant, account, amount, reference: reference("r2") }).await;
}

/// Moves; stopped where `stop` says so.
pub async fn moved(
    from: &Place,
    to: &Place,
    mut stop: impl FnMut(&Step<'_>) -> bool + Send,
) -> Result<Moved, MoveError> {
    let clock: Arc<dyn Clock> = ManualClock::morning();
    let mut tell = |step: &Step<'_>| {
        if stop(step) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Box::pin(moving::run(from, to, &clock, &mut tell)).await
}

/// Where no database is yet.
pub fn a_place() -> Option<(PostgresUrl, Place)> {
    let (server, namespace) = a_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    Some((url.clone(), Place::Postgres(url)))
}

pub async fn by_hand(url: &PostgresUrl, sql: &str) {
    let connected = tokio_postgres::connect(url.with_password(), NoTls).await.unwrap();
    let (client, connection) = connected;
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

pub async fn served(url: &PostgresUrl, clock: &Arc<ManualClock>) -> Harness {
    let store = PostgresStore::open_with_clock(url, clock.clone()).await.unwrap();
    Harness::new(Arc::new(store), clock.clone())
}
