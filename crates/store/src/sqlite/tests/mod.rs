//! The store by itself. What every store must do alike is tested by the suite in testkit.

mod ahead;
mod checkpoints;
mod damage;
mod insert;
mod lookup;
mod money;
mod opening;
mod speed;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use hongbao_app::{
    executor,
    ports::{Clock, NewMerchant, NewUser, Person, Store, StoreError, Work},
};
use hongbao_domain::{
    Batch, Changes, Command, Facts, Fen, MerchantId, Needs, PacketCode, PacketKey, PacketNo,
    PacketSecret, Timestamp, UserId,
    change::{Actor, ChangeRecord},
    facts::BatchError,
    ids::Access,
    limit::Caps,
    merchant::{AppKind, BoundApp, FundingAccount, Recharge, SendWay, Settings},
    packet::{ClaimShare, OrderKey, PacketKind, RefundPacket, SendPacket, Terms, Texts},
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::SqliteStore;

/// 2026-01-01T12:00:00 in Beijing.
const NOON: i64 = 1_767_240_000_000;
const MERCHANT: u64 = 10_000_098;
const SECRET: PacketSecret = PacketSecret::new([7; 16]);

/// A clock that stands still until it is told.
pub(super) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(super) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A store in a folder of its own.
pub(super) struct Fixture {
    pub(super) store: SqliteStore,
    pub(super) clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(AtomicI64::new(NOON)));
        SqliteStore::migrate(&path_in(&folder)).unwrap();
        let store = SqliteStore::open(&path_in(&folder), Arc::clone(&clock) as _).unwrap();
        Self { store, clock, folder }
    }

    /// Has batches of so many rows decided ahead.
    pub(super) fn preparing_from(self, rows: usize) -> Self {
        Self { store: self.store.preparing_from(rows), ..self }
    }

    /// The same database, closed and opened again.
    pub(super) fn reopened(self) -> Self {
        let Self { store, clock, folder } = self;
        drop(store);
        let store = SqliteStore::open(&path_in(&folder), Arc::clone(&clock) as _).unwrap();
        Self { store, clock, folder }
    }

    pub(super) fn path(&self) -> PathBuf {
        path_in(&self.folder)
    }

    /// A connection as a stranger with the file would have it.
    pub(super) fn stranger(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    pub(super) async fn run<C: Command + Clone>(
        &self,
        commands: Vec<C>,
    ) -> Result<Vec<Result<C::Outcome, BatchError>>, StoreError> {
        run(&self.store, commands).await
    }

    /// One command that succeeds.
    pub(super) async fn does<C: Command + Clone>(&self, command: C) -> C::Outcome {
        self.run(vec![command]).await.unwrap().remove(0).unwrap()
    }

    /// A merchant with the product opened, and money.
    pub(super) async fn merchant(&self, fen: i64) -> MerchantId {
        let id = merchant_id();
        let new = NewMerchant { id, settings: settings(), sealed_key: None };
        self.store.create_merchant(new, record()).await.unwrap();
        self.does(recharge(fen, "r1")).await;
        id
    }

    pub(super) async fn user(&self, openid: &str) -> UserId {
        let new = NewUser {
            person: Person { app: "wx1".parse().unwrap(), openid: openid.parse().unwrap() },
            subject: format!("subject-of-{openid}"),
            display_name: format!("Name {openid}"),
            following: hongbao_domain::message::Following::default(),
            standing: hongbao_domain::risk::Standing::Normal,
        };
        let at = self.clock.now();
        self.store.register_user(new, at).await.unwrap().user
    }
}

/// In a folder that migrating makes: a temporary folder may be open to others.
pub(super) fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("data/hongbao.db")
}

pub(super) fn open(path: &Path) -> Result<SqliteStore, super::OpenError> {
    SqliteStore::open(path, Arc::new(ManualClock(AtomicI64::new(NOON))))
}

pub(super) fn merchant_id() -> MerchantId {
    MerchantId::try_new(MERCHANT).unwrap()
}

pub(super) fn packet_key(no: u64) -> PacketKey {
    PacketKey { merchant: merchant_id(), no: PacketNo::new(no) }
}

pub(super) fn settings() -> Settings {
    let mut settings = Settings::new("Shop".to_owned());
    settings.product.opened = true;
    settings.apps = vec![BoundApp { app: "wx1".parse().unwrap(), kind: AppKind::OfficialAccount }];
    settings.caps = Caps {
        merchant_day_fen: Fen::from_yuan(i32::MAX),
        user_day_count: 1_000_000,
        user_day_fen: Fen::from_yuan(i32::MAX),
        ..Caps::default()
    };
    settings
}

pub(super) fn record() -> ChangeRecord {
    ChangeRecord {
        merchant: Some(merchant_id()),
        action: "test",
        actor: Actor::command_line(),
        before: String::new(),
        after: "{}".to_owned(),
        at: Timestamp::from_millis(NOON),
    }
}

pub(super) fn recharge(fen: i64, reference: &str) -> Recharge {
    Recharge {
        merchant: merchant_id(),
        account: FundingAccount::Basic,
        amount: Fen::new(fen),
        reference: reference.parse().unwrap(),
    }
}

pub(super) fn send(bill_no: &str, openid: &str, fen: i64, share_count: u32) -> SendPacket {
    let kind = match share_count {
        1 => PacketKind::Normal,
        _ => PacketKind::Group,
    };
    SendPacket {
        order: OrderKey { caller: merchant_id(), bill_no: bill_no.parse().unwrap() },
        payer: merchant_id(),
        terms: Arc::new(Terms {
            kind,
            way: SendWay::Api,
            app: "wx1".parse().unwrap(),
            openid: openid.parse().unwrap(),
            total: Fen::new(fen),
            share_count,
            scene: None,
            sub_merchant: None,
            message_app: None,
            texts: Texts::default(),
            client_ip: None,
            risk_info: None,
        }),
        secret: SECRET,
    }
}

pub(super) fn claim(no: u64, user: UserId, access: Access) -> ClaimShare {
    ClaimShare { code: PacketCode::new(packet_key(no), &SECRET, access), user }
}

pub(super) fn refund(no: u64) -> RefundPacket {
    RefundPacket { packet: packet_key(no) }
}

type Answers<C> = Arc<Mutex<Vec<Result<<C as Command>::Outcome, BatchError>>>>;

struct RunAll<C: Command> {
    commands: Vec<C>,
    answers: Answers<C>,
}

impl<C: Command> Work for RunAll<C> {
    fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
        let mut batch = Batch::new(facts);
        let answers = self.commands.iter().map(|command| batch.run(command));
        *self.answers.lock().unwrap() = answers.collect();
        batch.finish()
    }

    fn answer(self: Box<Self>, _failure: Option<executor::Failure>) {}
}

/// Runs commands as one batch.
pub(super) async fn run<C: Command + Clone>(
    store: &dyn Store,
    commands: Vec<C>,
) -> Result<Vec<Result<C::Outcome, BatchError>>, StoreError> {
    let mut needs = Needs::default();
    for command in &commands {
        command.needs(&mut needs);
    }
    let answers = Answers::<C>::default();
    let work = RunAll { commands, answers: Arc::clone(&answers) };
    store.transact(needs, Box::new(work)).await.1?;
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    Ok(answers)
}
