//! Copies of a moment, and what heads that were told elsewhere say of them.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use hongbao_app::{
    heads::{Heads, How, Lost, ToldHead, ToldHeads, compare, torn_ends},
    jobs::check_books,
    ports::Store,
};
use hongbao_domain::{MerchantId, ledger::Owner};
use hongbao_store::sqlite::{SqliteBackup, SqliteStore};
use hongbao_testkit::{
    Harness, ManualClock,
    builders::{a_merchant, a_send, a_user, normal_terms},
};

struct Shop {
    folder: PathBuf,
    clock: Arc<ManualClock>,
    harness: Harness,
    merchant: MerchantId,
}

impl Shop {
    async fn new() -> Self {
        let private = Permissions::from_mode(0o700);
        let kept = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        let folder = kept.path().to_owned();
        let path = folder.join("hongbao.db");
        SqliteStore::migrate(&path).unwrap();
        let clock = ManualClock::morning();
        let store = SqliteStore::open(&path, clock.clone()).unwrap();
        let harness = Harness::new(Arc::new(store), clock.clone()).keeping(kept);
        let merchant = a_merchant().with_money(100_000).in_store(harness.store()).await;
        a_user("alice").in_store(harness.store()).await;
        Self { folder, clock, harness, merchant }
    }

    async fn sends(&self, bill_nos: &[&str]) {
        for bill_no in bill_nos {
            self.harness.send(&a_send(self.merchant, bill_no, normal_terms("alice", 100))).await;
        }
    }

    async fn begin(&self) -> SqliteBackup {
        SqliteBackup::begin(&self.folder.join("hongbao.db")).await.unwrap()
    }

    async fn copy(&self, name: &str) -> PathBuf {
        let to = self.folder.join(name);
        self.begin().await.copy_to(&to, |_| {}).await.unwrap();
        to
    }

    fn open(&self, path: &Path) -> SqliteStore {
        SqliteStore::open(path, Arc::clone(&self.clock) as _).unwrap()
    }
}

async fn told(store: &dyn Store) -> ToldHeads {
    let mut source = store.audit_source().await.unwrap();
    let mut heads = Heads::of(source.as_mut());
    let mut told = ToldHeads::new();
    while let Some(page) = heads.page().await.unwrap() {
        for (journal, head) in page {
            let head = ToldHead { seq: head.seq, hash: head.hash, at: None };
            told.entry(journal).or_default().insert(head);
        }
    }
    told
}

async fn lost(store: &dyn Store, told: &ToldHeads) -> Vec<Lost> {
    compare(store.audit_source().await.unwrap().as_mut(), told).await.unwrap()
}

#[tokio::test]
async fn a_copy_is_the_moment_at_which_it_began_whatever_is_written_meanwhile() {
    let shop = Shop::new().await;
    shop.sends(&["b1"]).await;
    let then = told(shop.harness.store()).await;
    let mut backup = shop.begin().await;
    shop.sends(&["b2", "b3"]).await;
    let to = shop.folder.join("copy.db");
    let whole = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&whole);
    let tell = move |copied: hongbao_store::sqlite::Copied| {
        seen.store(copied.pages == copied.of_pages, std::sync::atomic::Ordering::SeqCst);
    };
    backup.copy_to(&to, tell).await.unwrap();
    assert!(whole.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = backup.copy_to(&to, |_| {}).await.unwrap_err().to_string();
    assert!(again.contains("it exists already"), "{again}");
    // Opens as a server would, WAL mode and all, and holds what was there then.
    let copy = shop.open(&to);
    assert_eq!(told(&copy).await, then);
    assert!(check_books(&copy, None).await.unwrap().clean());
}

#[tokio::test]
async fn an_older_copy_lacks_a_window_that_is_named() {
    let shop = Shop::new().await;
    shop.sends(&["b1"]).await;
    let copy = shop.copy("copy.db").await;
    shop.sends(&["b2", "b3"]).await;
    let now = told(shop.harness.store()).await;
    assert_eq!(lost(shop.harness.store(), &now).await, []);
    let copy = shop.open(&copy);
    let found = lost(&copy, &now).await;
    assert_eq!((found.len(), found[0].how, found[0].from, found[0].to), (1, How::Shorter, 3, 4));
    let said = found[0].to_string();
    assert!(said.contains("ends at row 2: rows 3 to 4 are lost, booked after 20"), "{said}");
}

#[tokio::test]
async fn a_copy_that_went_on_by_itself_has_other_rows() {
    let shop = Shop::new().await;
    shop.sends(&["b1"]).await;
    let common = told(shop.harness.store()).await;
    let copy = shop.copy("copy.db").await;
    shop.sends(&["b2", "b3"]).await;
    let mut now = told(shop.harness.store()).await;
    let copy = Harness::new(Arc::new(shop.open(&copy)), Arc::clone(&shop.clock));
    for bill_no in ["c2", "c3", "c4"] {
        copy.send(&a_send(shop.merchant, bill_no, normal_terms("alice", 200))).await;
    }
    let found = lost(copy.store(), &now).await;
    assert_eq!((found.len(), found[0].how, found[0].from, found[0].to), (1, How::Other, 1, 4));
    // An older head that both have narrows it down.
    for (journal, heads) in common {
        now.entry(journal).or_default().extend(heads);
    }
    let found = lost(copy.store(), &now).await;
    assert_eq!((found[0].how, found[0].from, found[0].to), (How::Other, 3, 4));
}

#[tokio::test]
async fn a_journal_that_is_not_there_at_all_is_named() {
    let shop = Shop::new().await;
    let stranger = Owner::Merchant(MerchantId::try_new(99_999_999).unwrap());
    let mut now = told(shop.harness.store()).await;
    let heads = now.values().next().unwrap().clone();
    now.insert(stranger, heads);
    let found = lost(shop.harness.store(), &now).await;
    let said = found[0].to_string();
    assert!(
        said.contains("merchant/99999999 is not in this store: rows 1 to 1 are lost"),
        "{said}"
    );
}

/// A copy after somebody's hand: the triggers that keep journals append-only are gone.
async fn by_hand(shop: &Shop, name: &str, sql: &str) -> PathBuf {
    let copy = shop.copy(name).await;
    let connection = rusqlite::Connection::open(&copy).unwrap();
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let mut triggers = connection.prepare(triggers).unwrap();
    let triggers = triggers.query_map((), |row| row.get::<_, String>(0)).unwrap();
    for trigger in triggers.map(Result::unwrap).collect::<Vec<_>>() {
        connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    connection.execute_batch(sql).unwrap();
    copy
}

#[tokio::test]
async fn a_journal_that_does_not_end_as_its_head_says_is_found_at_its_end() {
    let shop = Shop::new().await;
    a_merchant().numbered(10_000_099).in_store(shop.harness.store()).await;
    a_merchant().numbered(10_000_100).with_money(100).in_store(shop.harness.store()).await;
    shop.sends(&["b1", "b2"]).await;
    for (number, (sql, torn)) in [
        ("SELECT 1", None),
        (
            "UPDATE merchant_book SET journal_hash = zeroblob(32) WHERE merchant_id = 10000098",
            Some("98"),
        ),
        ("UPDATE merchant_book SET journal_seq = 2 WHERE merchant_id = 10000098", Some("98")),
        (
            "UPDATE merchant_book
             SET journal_seq = 2, journal_hash = (
                 SELECT hash FROM merchant_journal WHERE merchant_id = 10000098 AND seq = 2)
             WHERE merchant_id = 10000098",
            Some("98"),
        ),
        ("UPDATE merchant_book SET journal_seq = 9 WHERE merchant_id = 10000098", Some("98")),
        ("UPDATE merchant_book SET journal_seq = 1 WHERE merchant_id = 10000099", Some("99")),
        ("DELETE FROM merchant_journal WHERE merchant_id = 10000098 AND seq = 3", Some("98")),
        ("DELETE FROM merchant_journal WHERE merchant_id = 10000098 AND seq = 2", Some("98")),
        ("DELETE FROM merchant_journal WHERE merchant_id = 10000100", Some("100")),
        ("UPDATE merchant_journal SET amount = 101 WHERE merchant_id = 10000100", Some("100")),
        ("UPDATE merchant_journal SET amount = 101 WHERE seq = 3", Some("98")),
    ]
    .into_iter()
    .enumerate()
    {
        let copy = by_hand(&shop, &format!("copy{number}.db"), sql).await;
        let mut backup = SqliteBackup::begin(&copy).await.unwrap();
        let found = torn_ends(backup.source()).await.unwrap();
        assert_eq!(found.len(), usize::from(torn.is_some()), "{sql}: {found:?}");
        if let Some(merchant) = torn {
            assert!(found[0].contains(&format!("{merchant} does not end with row")), "{found:?}");
        }
    }
}

#[tokio::test]
async fn a_backup_knows_a_store_that_no_restore_would_take() {
    let shop = Shop::new().await;
    let triggers = "trigger merchant_journal_no_delete is missing";
    for (number, (sql, wrong)) in [
        ("DROP INDEX packet_expiry", "packet_expiry is missing"),
        ("ALTER TABLE packet ADD COLUMN note TEXT", "packet was altered"),
        ("PRAGMA journal_mode = delete", "journal_mode is"),
        ("SELECT 1", triggers),
        // Not for this program to judge.
        ("DELETE FROM refinery_schema_history WHERE version > 1", ""),
        ("CREATE TABLE moving (source TEXT)", "a move into this store has not ended"),
    ]
    .into_iter()
    .enumerate()
    {
        let copy = by_hand(&shop, &format!("copy{number}.db"), sql).await;
        let found = SqliteBackup::begin(&copy).await.unwrap().check().await;
        let found = found.unwrap_or_else(|error| vec![error.to_string()]).join("\n");
        assert!(found.contains(wrong) && found.is_empty() == wrong.is_empty(), "{sql}: {found}");
    }
    assert_eq!(shop.begin().await.check().await.unwrap(), [] as [&str; 0]);
}
