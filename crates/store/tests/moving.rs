//! A grown store moved to another database, stopped anywhere, tampered with, and gone on with.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

use std::{
    collections::BTreeSet, fs::Permissions, ops::ControlFlow, os::unix::fs::PermissionsExt as _,
    path::PathBuf, sync::Arc,
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
    moving::{self, MoveError, Moved, Place, Ready, Stage, Step},
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
struct Fair {
    folder: TempDir,
    clock: Arc<ManualClock>,
    merchant: MerchantId,
    alice: UserId,
    last: SendPacket,
}

impl Fair {
    /// With so many packets that nobody opened beside all others.
    async fn of(unopened: usize) -> Self {
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

    fn path(&self) -> PathBuf {
        self.folder.path().join("hongbao.db")
    }

    fn place(&self) -> Place {
        Place::Sqlite(self.path())
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), self.clock.clone()).unwrap()
    }

    async fn moved(&self, to: &Place) -> Result<Moved, MoveError> {
        moved(&self.place(), to, |_| false).await
    }

    /// What is true of the store is true of `h`, and the story goes on there.
    async fn goes_on(&self, h: &Harness) {
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
async fn moved(
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
fn a_place() -> Option<(PostgresUrl, Place)> {
    let (server, namespace) = a_namespace()?;
    let url = server.parse::<PostgresUrl>().unwrap().in_namespace(&namespace);
    Some((url.clone(), Place::Postgres(url)))
}

async fn by_hand(url: &PostgresUrl, sql: &str) {
    let connected = tokio_postgres::connect(url.with_password(), NoTls).await.unwrap();
    let (client, connection) = connected;
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
}

async fn served(url: &PostgresUrl, clock: &Arc<ManualClock>) -> Harness {
    let store = PostgresStore::open_with_clock(url, clock.clone()).await.unwrap();
    Harness::new(Arc::new(store), clock.clone())
}

#[tokio::test]
async fn a_grown_store_is_moved_and_the_story_goes_on() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(6_000).await;
    let mut pages = 0;
    let from = fair.place();
    let copied = moved(&from, &to, |step| {
        pages += u32::from(step.stage == Stage::Copy && step.table == "packet");
        // In the middle of a table, too.
        step.stage == Stage::Copy && step.table == "packet"
    });
    let stopped = copied.await.unwrap_err();
    assert!(matches!(stopped, MoveError::Stopped), "{stopped}");
    let moved = fair.moved(&to).await.unwrap();
    assert!(moved.resumed && pages == 1);
    for table in &moved.survey.tables {
        assert!(table.rows > 0, "nothing of {} was moved: the story is too short", table.table);
    }
    fair.goes_on(&served(&url, &fair.clock).await).await;
}

#[tokio::test]
async fn a_move_that_is_stopped_at_every_step_goes_on_from_there() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(10).await;
    let mut seen = BTreeSet::new();
    let (from, mut attempts) = (fair.place(), 0);
    let moved = loop {
        attempts += 1;
        let attempt =
            moved(&from, &to, |step| seen.insert(format!("{} {}", step.stage, step.table)));
        match attempt.await {
            Ok(moved) => break moved,
            Err(MoveError::Stopped) => {}
            Err(other) => panic!("{other}"),
        }
        if seen.iter().any(|step| step.starts_with("copy")) {
            let refused = PostgresStore::open(&url).await.unwrap_err().to_string();
            assert!(refused.contains("a move into this store has not ended"), "{refused}");
            let refused = PostgresStore::open_read_only(&url).await.unwrap_err().to_string();
            assert!(refused.contains("a move into this store has not ended"), "{refused}");
        }
    };
    let tables = moved.survey.tables.len();
    assert!(attempts > 3 * tables, "stopped {attempts} times with {tables} tables");
    fair.goes_on(&served(&url, &fair.clock).await).await;
}

#[tokio::test]
async fn a_store_comes_back_as_it_went() {
    let Some((url, there)) = a_place() else { return };
    let fair = Fair::of(30).await;
    let went = fair.moved(&there).await.unwrap();
    let back = fair.folder.path().join("back.db");
    let (to, mut seen) = (Place::Sqlite(back.clone()), BTreeSet::new());
    let came = loop {
        let attempt = moved(&there, &to, |step| {
            step.stage == Stage::Copy && seen.insert(step.table.to_owned())
        });
        match attempt.await {
            Ok(moved) => break moved,
            Err(MoveError::Stopped) => {}
            Err(other) => panic!("{other}"),
        }
        let refused = SqliteStore::open(&back, fair.clock.clone()).err().unwrap().to_string();
        assert!(refused.contains("a move into this store has not ended"), "{refused}");
        let refused = SqliteStore::open_read_only(&back, fair.clock.clone()).err().unwrap();
        assert!(refused.to_string().contains("has not ended"), "{refused}");
    };
    assert_eq!(went.survey, came.survey);
    let store = SqliteStore::open(&back, fair.clock.clone()).unwrap();
    fair.goes_on(&Harness::new(Arc::new(store), fair.clock.clone())).await;
    drop(url);
}

#[tokio::test]
async fn a_source_on_which_a_server_runs_is_not_moved() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    let served = fair.open();
    let refused = fair.moved(&to).await.unwrap_err().to_string();
    assert!(refused.contains("open in another server process"), "{refused}");
    drop(served);
    fair.moved(&to).await.unwrap();
    let on_server = PostgresStore::open(&url).await.unwrap();
    // A full check, as every server makes one at its start, closes its connection behind it.
    assert!(check_books(&on_server, None).await.unwrap().clean());
    let back = Place::Sqlite(fair.folder.path().join("back.db"));
    let refused = moved(&to, &back, |_| false).await.unwrap_err().to_string();
    assert!(refused.contains("a server or another move is at work there"), "{refused}");
    drop(on_server);
    moved(&to, &back, |_| false).await.unwrap();
}

#[tokio::test]
async fn while_a_source_on_a_server_is_moved_nobody_writes_to_it() {
    let Some((url, there)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&there).await.unwrap();
    let back = Place::Sqlite(fair.folder.path().join("back.db"));
    let (url, asked) = (url.clone(), Arc::new(std::sync::Mutex::new(None)));
    let slot = Arc::clone(&asked);
    let attempt = moved(&there, &back, move |step| {
        if step.stage == Stage::Copy && step.table == "packet" {
            let url = url.clone();
            let write = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let (client, connection) =
                        tokio_postgres::connect(url.with_password(), NoTls).await.unwrap();
                    tokio::spawn(connection);
                    let sql = "SET lock_timeout = '200ms'; UPDATE payout SET state = 2";
                    client.batch_execute(sql).await.unwrap_err().to_string()
                })
            });
            *slot.lock().unwrap() = Some(write.join().unwrap());
        }
        false
    });
    attempt.await.unwrap();
    assert!(asked.lock().unwrap().is_some(), "nobody wrote");
}

#[tokio::test]
async fn a_target_that_holds_anything_is_refused() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    PostgresStore::migrate(&url).await.unwrap();
    by_hand(&url, "INSERT INTO subject (subject, user_id) VALUES ('somebody', 1)").await;
    let refused = fair.moved(&to).await.unwrap_err().to_string();
    assert!(refused.contains("table subject has rows already"), "{refused}");
    by_hand(&url, "DELETE FROM subject").await;
    fair.moved(&to).await.unwrap();
    // What was moved is a store like any other.
    let refused = fair.moved(&to).await.unwrap_err().to_string();
    assert!(refused.contains("has rows already"), "{refused}");
    let itself = fair.moved(&fair.place()).await.unwrap_err();
    assert!(matches!(itself, MoveError::Same), "{itself}");
}

#[tokio::test]
async fn a_target_with_another_schema_is_refused() {
    let fair = Fair::of(3).await;
    for (change, says) in [
        ("ALTER TABLE packet ADD COLUMN note text", "the schema was changed by hand"),
        ("DROP INDEX packet_expiry", "the schema was changed by hand"),
        ("DELETE FROM refinery_schema_history WHERE version = 2", "run `hongbao migrate`"),
        (
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')",
            "run a newer `hongbao`",
        ),
    ] {
        let Some((url, to)) = a_place() else { return };
        PostgresStore::migrate(&url).await.unwrap();
        by_hand(&url, change).await;
        let refused = fair.moved(&to).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{change}: {refused}");
    }
}

#[tokio::test]
async fn half_a_move_is_not_gone_on_with_from_a_source_that_changed() {
    let Some((_url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    let half = |step: &Step<'_>| step.stage == Stage::Copy && step.table == "wallet";
    moved(&fair.place(), &to, half).await.unwrap_err();
    let other = Fair::of(4).await;
    let refused = other.moved(&to).await.unwrap_err().to_string();
    assert!(refused.contains("a part of another source"), "{refused}");
    // No row more and no head another: a payout that was delivered.
    let key = PayoutKey { user: fair.alice, reference: reference("w3") };
    let store = fair.open();
    let h = Harness::new(Arc::new(store), fair.clock.clone());
    h.ok(SettleWithdrawal { key, delivered: true }).await;
    drop(h);
    let refused = fair.moved(&to).await.unwrap_err().to_string();
    let says = "table payout: the same 3 rows, with other values";
    assert!(refused.contains(says) && refused.contains("move again from the start"), "{refused}");
}

#[tokio::test]
async fn what_is_lost_or_altered_on_the_way_is_found() {
    let fair = Fair::of(10).await;
    for (fault, says) in [
        ("UPDATE wallet SET wallet_fen = wallet_fen + 1 WHERE user_id = 1", "table wallet"),
        ("UPDATE packet_terms SET total = total - 1 WHERE packet_no = 3", "table packet_terms"),
        ("DELETE FROM inbox_message WHERE packet_no = 3", "inbox_message: 30 rows, not 31"),
        ("DELETE FROM wallet_entry WHERE seq = 2", "table wallet_entry"),
        (
            "UPDATE merchant_book SET journal_hash = decode(repeat('00', 32), 'hex')",
            "merchant_book",
        ),
        ("UPDATE app_user SET display_name = 'somebody' WHERE user_id = 1", "table app_user"),
    ] {
        let Some((url, to)) = a_place() else { return };
        let copied = |step: &Step<'_>| step.stage == Stage::Settle;
        moved(&fair.place(), &to, copied).await.unwrap_err();
        by_hand(&url, fault).await;
        let refused = fair.moved(&to).await.unwrap_err().to_string();
        assert!(refused.contains("the target is not what the source is"), "{fault}: {refused}");
        assert!(refused.contains(says), "{fault}: {refused}");
        let closed = PostgresStore::open(&url).await.unwrap_err().to_string();
        assert!(closed.contains("has not ended"), "{closed}");
    }
}

#[tokio::test]
async fn a_source_whose_books_do_not_add_up_is_not_moved() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&to).await.unwrap();
    by_hand(&url, "UPDATE wallet SET wallet_fen = wallet_fen + 1 WHERE user_id = 1").await;
    let back = fair.folder.path().join("back.db");
    let refused = moved(&to, &Place::Sqlite(back.clone()), |_| false).await.unwrap_err();
    assert!(matches!(refused, MoveError::Unsound(_)), "{refused}");
    assert!(!back.exists(), "something was written");
}

#[tokio::test]
async fn a_text_that_the_target_cannot_keep_is_found_before_anything_is_written() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    let store = fair.open();
    a_user("eve").shown_as("e\0ve").in_store(&store).await;
    drop(store);
    let refused = fair.moved(&to).await.unwrap_err().to_string();
    assert!(refused.contains("table app_user") && refused.contains("display_name"), "{refused}");
    let missing = PostgresStore::open(&url).await.unwrap_err().to_string();
    assert!(missing.contains("schema 0"), "something was written: {missing}");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_moved_and_writes_nothing() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    let clock: Arc<dyn Clock> = fair.clock.clone();
    let mut tell = |_: &Step<'_>| ControlFlow::Continue(());
    // Beside a server.
    let served = fair.open();
    let plan = moving::dry_run(&fair.place(), &to, &clock, &mut tell).await.unwrap();
    assert!(plan.target == Ready::Nothing && plan.survey.rows() > 100 && plan.survey.bytes() > 100);
    drop(served);
    let missing = PostgresStore::open(&url).await.unwrap_err().to_string();
    assert!(missing.contains("schema 0"), "something was written: {missing}");
    PostgresStore::migrate(&url).await.unwrap();
    let plan = moving::dry_run(&fair.place(), &to, &clock, &mut tell).await.unwrap();
    assert_eq!(plan.target, Ready::Empty);
    let half = |step: &Step<'_>| step.stage == Stage::Copy && step.table == "wallet";
    moved(&fair.place(), &to, half).await.unwrap_err();
    let plan = moving::dry_run(&fair.place(), &to, &clock, &mut tell).await.unwrap();
    assert_eq!(plan.target, Ready::Half);
}

#[tokio::test]
async fn two_moves_do_not_write_to_one_target() {
    let Some((_url, to)) = a_place() else { return };
    let (fair, other) = (Fair::of(3).await, Fair::of(4).await);
    let (place, target) = (other.place(), to.clone());
    let (from, mut refused) = (fair.place(), None);
    let first = moved(&from, &to, |step| {
        if step.stage == Stage::Copy && refused.is_none() {
            let (place, target) = (place.clone(), target.clone());
            let second = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(moved(&place, &target, |_| false)).unwrap_err()
            });
            refused = Some(second.join().unwrap());
        }
        false
    });
    first.await.unwrap();
    assert!(matches!(refused, Some(MoveError::Busy { .. })), "{refused:?}");
}
