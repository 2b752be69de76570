//! Of a store and what it was moved to, never do both open: after the move, at every step of it, and
//! when it is taken back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a surprise in a test is its failure")]

mod fair;

use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use fair::{Fair, a_place, by_hand, moved, served};
use hongbao_app::{
    jobs::check_books,
    ports::{Store, StoreError},
};
use hongbao_domain::{
    Command as _, Fen, Needs,
    merchant::{FundingAccount, Recharge},
};
use hongbao_store::{
    moving::{self, MoveError, Place, Stage, Step},
    postgres::{PostgresStore, PostgresUrl},
    sqlite::SqliteStore,
};
use hongbao_testkit::{
    Harness, ManualClock,
    builders::{a_send, a_user, normal_terms, reference},
    suite::transact,
};
use tokio_postgres::NoTls;

/// Opens a place as a server does; answers why it cannot.
async fn serves(place: &Place) -> Result<(), String> {
    match place {
        Place::Sqlite(path) => {
            SqliteStore::open(path, ManualClock::morning()).map(drop).map_err(|no| no.to_string())
        }
        Place::Postgres(url) => {
            PostgresStore::open(url).await.map(drop).map_err(|no| no.to_string())
        }
    }
}

/// Takes a move back; stopped where `stop` says so.
async fn undone(
    from: &Place,
    to: &Place,
    lost: bool,
    mut stop: impl FnMut(&Step<'_>) -> bool + Send,
) -> Result<(), MoveError> {
    let mut tell = |step: &Step<'_>| {
        if stop(step) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Box::pin(moving::undo(from, to, lost, &mut tell)).await
}

async fn undo(from: &Place, to: &Place) -> Result<(), MoveError> {
    undone(from, to, false, |_| false).await
}

/// Moved to PostgreSQL, and from there to a file.
fn there_and_on(fair: &Fair) -> Option<[(Place, Place); 2]> {
    let (_url, there) = a_place()?;
    let on = Place::Sqlite(fair.folder.path().join("on.db"));
    Some([(fair.place(), there.clone()), (there, on)])
}

#[tokio::test]
async fn a_store_that_was_moved_is_served_no_more_and_says_where_it_went() {
    let fair = Fair::of(3).await;
    let Some(moves) = there_and_on(&fair) else { return };
    for (from, to) in &moves {
        moved(from, to, |_| false).await.unwrap();
        let refused = serves(from).await.unwrap_err();
        assert!(refused.contains(&format!("was moved to {to}")), "{refused}");
        assert!(refused.contains("hongbao move --undo"), "{refused}");
        assert_eq!(serves(to).await, Ok(()));
        // Nor is it moved a second time, to the same place or to another.
        let elsewhere = Place::Sqlite(fair.folder.path().join("elsewhere.db"));
        for again in [to, &elsewhere] {
            let refused = moved(from, again, |_| false).await.unwrap_err();
            assert!(matches!(refused, MoveError::Moved { .. }), "{refused}");
        }
        assert_eq!(serves(to).await, Ok(()));
    }
}

#[tokio::test]
async fn a_store_that_was_moved_can_still_be_looked_at() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&to).await.unwrap();
    let source = SqliteStore::open_read_only(&fair.path(), fair.clock.clone()).unwrap();
    assert!(check_books(&source, None).await.unwrap().clean());
    let on = Place::Sqlite(fair.folder.path().join("on.db"));
    moved(&to, &on, |_| false).await.unwrap();
    let source = PostgresStore::open_read_only(&url).await.unwrap();
    assert!(check_books(&source, None).await.unwrap().clean());
}

/// The mark lies in the file itself: without it, whoever copies the file alone would have a store.
#[tokio::test]
async fn the_mark_goes_along_with_the_file() {
    let Some((_url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&to).await.unwrap();
    let alone = fair.folder.path().join("alone.db");
    fs::copy(fair.path(), &alone).unwrap();
    let refused = serves(&Place::Sqlite(alone)).await.unwrap_err();
    assert!(refused.contains("was moved to"), "{refused}");
}

#[tokio::test]
async fn at_every_step_of_a_move_at_most_one_of_both_opens() {
    let fair = Fair::of(10).await;
    let Some(moves) = there_and_on(&fair) else { return };
    for (from, to) in &moves {
        let mut seen = BTreeSet::new();
        let mut neither = 0;
        loop {
            let attempt =
                moved(from, to, |step| seen.insert(format!("{} {}", step.stage, step.table)));
            let ended = match attempt.await {
                Ok(_) => true,
                Err(MoveError::Stopped) => false,
                Err(other) => panic!("{other}"),
            };
            let (old, new) = (serves(from).await, serves(to).await);
            match (ended, old, new) {
                (true, Err(_), Ok(())) => break,
                (false, Ok(()), Err(_)) => assert_eq!(neither, 0, "it opened again by itself"),
                (false, Err(old), Err(_)) if old.contains("was moved to") => neither += 1,
                other => panic!("{other:?} after {:?}", seen.last()),
            }
        }
        assert_eq!(neither, 1, "the move was not stopped between its two marks");
    }
}

#[tokio::test]
async fn a_move_whose_target_was_never_served_is_taken_back() {
    let fair = Fair::of(3).await;
    let Some(moves) = there_and_on(&fair) else { return };
    for (from, to) in &moves {
        moved(from, to, |_| false).await.unwrap();
        undo(from, to).await.unwrap();
        assert_eq!(serves(from).await, Ok(()));
        let refused = serves(to).await.unwrap_err();
        assert!(refused.contains(&format!("was moved to {from}")), "{refused}");
        let again = undo(from, to).await.unwrap_err();
        assert!(matches!(again, MoveError::NotMoved), "{again}");
        remove(to).await;
        moved(from, to, |_| false).await.unwrap();
        assert_eq!(serves(to).await, Ok(()));
    }
}

#[tokio::test]
async fn the_story_goes_on_where_the_move_was_taken_back() {
    let Some((_url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&to).await.unwrap();
    undo(&fair.place(), &to).await.unwrap();
    fair.goes_on(&Harness::new(Arc::new(fair.open()), fair.clock.clone())).await;
}

async fn remove(place: &Place) {
    match place {
        Place::Sqlite(path) => {
            for suffix in ["", "-wal", "-shm"] {
                let file = format!("{}{suffix}", path.display());
                if Path::new(&file).exists() {
                    fs::remove_file(file).unwrap();
                }
            }
        }
        Place::Postgres(url) => {
            let drop =
                "DO $$ BEGIN EXECUTE format('DROP SCHEMA %I CASCADE', current_schema()); END $$";
            by_hand(url, drop).await;
        }
    }
}

#[tokio::test]
async fn taking_back_that_is_cut_off_is_gone_on_with() {
    let fair = Fair::of(3).await;
    let Some(moves) = there_and_on(&fair) else { return };
    for (from, to) in &moves {
        moved(from, to, |_| false).await.unwrap();
        let before = undone(from, to, false, |step| step.stage == Stage::Close).await.unwrap_err();
        assert!(matches!(before, MoveError::Stopped), "{before}");
        assert!(serves(from).await.is_err() && serves(to).await.is_ok());
        let between = undone(from, to, false, |step| step.stage == Stage::Open).await.unwrap_err();
        assert!(matches!(between, MoveError::Stopped), "{between}");
        assert!(serves(from).await.is_err() && serves(to).await.is_err());
        undo(from, to).await.unwrap();
        assert!(serves(from).await.is_ok() && serves(to).await.is_err());
        remove(to).await;
        moved(from, to, |_| false).await.unwrap();
    }
}

#[tokio::test]
async fn a_move_whose_target_was_served_is_not_taken_back() {
    let Some((url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&to).await.unwrap();
    let h = served(&url, &fair.clock).await;
    a_user("newcomer").in_store(h.store()).await;
    let busy = undo(&fair.place(), &to).await.unwrap_err();
    assert!(matches!(busy, MoveError::Busy { .. }), "{busy}");
    drop(h);
    let refused = undo(&fair.place(), &to).await.unwrap_err();
    assert!(matches!(refused, MoveError::Served { .. }), "{refused}");
    assert!(refused.to_string().contains("table app_user"), "{refused}");
    assert!(serves(&fair.place()).await.is_err() && serves(&to).await.is_ok());
    let elsewhere = Place::Sqlite(fair.folder.path().join("elsewhere.db"));
    let refused = undo(&fair.place(), &elsewhere).await.unwrap_err();
    assert!(matches!(refused, MoveError::MovedElsewhere { .. }), "{refused}");
}

#[tokio::test]
async fn a_target_that_is_gone_is_no_hindrance_where_a_person_says_so() {
    let Some((_url, to)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&to).await.unwrap();
    remove(&to).await;
    undo(&fair.place(), &to).await.unwrap();
    assert_eq!(serves(&fair.place()).await, Ok(()));

    let gone = "postgres://hongbao@127.0.0.1:1/gone".parse::<PostgresUrl>().unwrap();
    let gone = Place::Postgres(gone);
    by_hand_on_sqlite(&fair.path(), &format!("CREATE TABLE moved AS SELECT '{gone}' AS target"));
    let unreachable = undo(&fair.place(), &gone).await.unwrap_err();
    assert!(unreachable.to_string().contains("not reachable"), "{unreachable}");
    assert!(serves(&fair.place()).await.is_err());
    undone(&fair.place(), &gone, true, |_| false).await.unwrap();
    assert_eq!(serves(&fair.place()).await, Ok(()));
}

fn by_hand_on_sqlite(path: &Path, sql: &str) {
    rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// A server tells moves that it is there by a lock, which goes with its connection.
#[tokio::test]
async fn a_server_that_the_move_did_not_see_stops_at_its_next_batch() {
    let Some((url, there)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&there).await.unwrap();
    let unseen = PostgresStore::open_with_clock(&url, fair.clock.clone()).await.unwrap();
    let h = Harness::new(Arc::new(unseen), fair.clock.clone());
    let merchant = fair.merchant;
    h.send(&a_send(merchant, "seen", normal_terms("alice", 100))).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_locks
               WHERE locktype = 'advisory' AND classid = 4716120 AND granted
                   AND objid = hashtext(current_setting('search_path'))::oid";
    by_hand(&url, cut).await;
    let on = Place::Sqlite(fair.folder.path().join("on.db"));
    // The lock goes a moment after its connection.
    while let Err(error) = moved(&there, &on, |_| false).await {
        assert!(matches!(error, MoveError::Busy { .. }), "{error}");
    }
    let late = Recharge {
        merchant,
        account: FundingAccount::Basic,
        amount: Fen::new(1),
        reference: reference("late"),
    };
    let mut needs = Needs::default();
    late.needs(&mut needs);
    let refused = transact(h.store(), needs, move |batch| vec![batch.run(&late)]).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    let source = PostgresStore::open_read_only(&url).await.unwrap();
    let target = SqliteStore::open_read_only(&on_path(&on), fair.clock.clone()).unwrap();
    let heads = async |store: &dyn Store| {
        store.merchant(merchant).await.unwrap().unwrap().merchant.book.journal
    };
    assert_eq!(heads(&source).await, heads(&target).await);
}

fn on_path(place: &Place) -> PathBuf {
    let Place::Sqlite(path) = place else { panic!("{place} is no file") };
    path.clone()
}

/// It looks at the marks, waits for the move to end, and must look again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_waited_for_the_end_of_the_move_does_not_open_the_source() {
    let Some((url, there)) = a_place() else { return };
    let fair = Fair::of(3).await;
    fair.moved(&there).await.unwrap();
    let on = Place::Sqlite(fair.folder.path().join("on.db"));
    let server: Arc<Mutex<Option<Starting>>> = Arc::default();
    let slot = Arc::clone(&server);
    let attempt = moved(&there, &on, move |step| {
        if step.stage == Stage::Close {
            *slot.lock().unwrap() = Some(a_waiting_server(&url));
        }
        false
    });
    attempt.await.unwrap();
    let server = server.lock().unwrap().take().unwrap();
    let refused = server.join().unwrap().unwrap_err();
    assert!(refused.contains("was moved to"), "{refused}");
}

/// A server on its way, and why it did not come to serve.
type Starting = JoinHandle<Result<(), String>>;

/// A server that opens the store, once it waits for the move.
fn a_waiting_server(url: &PostgresUrl) -> Starting {
    let (store, looked) = (url.clone(), url.clone());
    let server = std::thread::spawn(move || {
        in_a_runtime(async { PostgresStore::open(&store).await.map(drop) })
            .map_err(|error| error.to_string())
    });
    let waits = "SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND classid = 4716120 AND NOT granted
            AND objid = hashtext(current_setting('search_path'))::oid)";
    let looking = std::thread::spawn(move || {
        in_a_runtime(async {
            let connected = tokio_postgres::connect(looked.with_password(), NoTls).await;
            let (client, connection) = connected.unwrap();
            tokio::spawn(connection);
            while !client.query_one(waits, &[]).await.unwrap().get::<_, bool>(0) {
                tokio::task::yield_now().await;
            }
        });
    });
    looking.join().unwrap();
    server
}

fn in_a_runtime<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}
