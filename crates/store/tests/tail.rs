//! The check of every minute on a real store: what was booked since the last one, and nothing else.

#![expect(clippy::unwrap_used, reason = "a surprise in a test is its failure")]

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc};

use hongbao_app::jobs::TailCheck;
use hongbao_domain::{
    Fen, MerchantId,
    ledger::{Owner, chain},
    merchant::{FundingAccount, Recharge},
};
use hongbao_store::sqlite::SqliteStore;
use hongbao_testkit::{
    Harness, ManualClock,
    builders::{a_merchant, a_send, a_user, normal_terms, reference},
};
use rusqlite::Connection;

struct Watched {
    harness: Harness,
    path: PathBuf,
    merchant: MerchantId,
    tail: TailCheck,
}

impl Watched {
    /// A merchant of ¥100 that was looked at once.
    async fn new() -> Self {
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().permissions(private).tempdir().unwrap();
        let path = folder.path().join("hongbao.db");
        SqliteStore::migrate(&path).unwrap();
        let clock = ManualClock::morning();
        let store = SqliteStore::open(&path, clock.clone()).unwrap();
        let harness = Harness::new(Arc::new(store), clock).keeping(folder);
        let merchant = a_merchant().with_money(10_000).in_store(harness.store()).await;
        a_user("alice").in_store(harness.store()).await;
        let mut watched = Self { harness, path, merchant, tail: TailCheck::default() };
        assert_eq!(watched.looks().await, None);
        watched
    }

    async fn looks(&mut self) -> Option<String> {
        self.tail.check(self.harness.store()).await.unwrap()
    }

    async fn sends(&self, bill_no: &str) {
        self.harness.send(&a_send(self.merchant, bill_no, normal_terms("alice", 100))).await;
    }

    fn damaged(&self, sql: &str) {
        Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn what_is_booked_rightly_is_let_pass() {
    let mut watched = Watched::new().await;
    for bill_no in ["b1", "b2", "b3"] {
        watched.sends(bill_no).await;
        assert_eq!(watched.looks().await, None);
    }
}

#[tokio::test]
async fn a_book_that_is_not_what_its_entries_say_is_told() {
    for column in ["basic_fen", "escrow_fen", "external_fen", "basic_seq", "operation_seq"] {
        let mut watched = Watched::new().await;
        watched.sends("b1").await;
        watched.damaged(&format!("UPDATE merchant_book SET {column} = {column} + 1"));
        let told = watched.looks().await.unwrap();
        assert!(told.contains("entries say"), "{told}");
    }
}

#[tokio::test]
async fn a_head_that_is_not_the_last_row_is_told() {
    let mut watched = Watched::new().await;
    watched.damaged("UPDATE merchant_book SET journal_seq = journal_seq + 1");
    let told = watched.looks().await.unwrap();
    assert!(told.contains("the stored head"), "{told}");
}

/// Money from nowhere, written by somebody who knows how rows are chained.
#[tokio::test]
async fn a_balance_that_does_not_continue_is_told_though_the_chain_holds() {
    let mut watched = Watched::new().await;
    let merchant = watched.merchant;
    let head = watched.harness.merchant(merchant).await.book.journal;
    let (account, amount) = (FundingAccount::Basic, Fen::new(100));
    watched.harness.ok(Recharge { merchant, account, amount, reference: reference("r2") }).await;
    let rows = watched.harness.store().journal_after(Owner::Merchant(merchant), head.seq, 1).await;
    let mut forged = rows.unwrap().remove(0);
    forged.to_after.amount = forged.to_after.amount.plus(Fen::new(5)).unwrap();
    let hash = chain::expected(head.hash, &forged);
    watched.damaged(&format!(
        "DROP TRIGGER merchant_journal_no_update;
         UPDATE merchant_journal SET to_balance = to_balance + 5, hash = x'{hash}' WHERE seq = 2;
         UPDATE merchant_book SET basic_fen = basic_fen + 5, journal_hash = x'{hash}';"
    ));
    let told = watched.looks().await.unwrap();
    assert!(told.contains("row 2") && told.contains("/basic stands at"), "{told}");
}

#[tokio::test]
async fn a_head_is_told_once_after_it_moved() {
    let mut watched = Watched::new().await;
    let told = async |watched: &mut Watched| {
        assert_eq!(watched.looks().await, None);
        let heads = watched.tail.moved_heads();
        heads.into_iter().map(|(id, head)| (id, head.seq)).collect::<Vec<_>>()
    };
    let id = watched.merchant;
    assert_eq!(told(&mut watched).await, [(id, 1)]);
    assert_eq!(told(&mut watched).await, []);
    watched.sends("b1").await;
    watched.sends("b2").await;
    assert_eq!(told(&mut watched).await, [(id, 3)]);
    assert_eq!(told(&mut watched).await, []);
}
