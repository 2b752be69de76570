//! A grown store moved to another database, stopped anywhere, tampered with, and gone on with.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

mod fair;

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use fair::{Fair, a_place, by_hand, moved, served};
use hongbao_app::{jobs::check_books, ports::Clock};
use hongbao_domain::wallet::{PayoutKey, SettleWithdrawal};
use hongbao_store::{
    moving::{self, MoveError, Place, Ready, Stage, Step},
    postgres::PostgresStore,
    sqlite::SqliteStore,
};
use hongbao_testkit::{
    Harness,
    builders::{a_user, reference},
};
use tokio_postgres::NoTls;

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
    let refused = Fair::of(3).await.moved(&to).await.unwrap_err().to_string();
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
        (
            "UPDATE packet_progress SET version = version + 1 WHERE packet_no = 3",
            "table packet_progress",
        ),
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
