//! The network breaks around a commit (C-2): a batch takes effect once, and its callers are told
//! so; a person's change, which has no lane to read, is told to be unknown. A lane that was put back
//! stops money (C-4).

use hongbao_app::ports::{Store as _, StoreError};
use hongbao_testkit::builders::{a_merchant, a_record, a_user};

use super::{
    PostgresStore, a_recharge, an_empty_database, basic_fen, connect, counted,
    proxy::{Cut, Proxy},
};

#[tokio::test]
async fn a_commit_that_was_not_answered_takes_effect_once() {
    let Some(url) = an_empty_database().await else { return };
    let proxy = Proxy::before(&url).await;
    let store = PostgresStore::open(&proxy.url).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    let mut fen = 1_000;
    for (round, cut) in
        [Cut::BeforeCommit, Cut::AfterCommit, Cut::OfAnswer].repeat(8).iter().enumerate()
    {
        proxy.cut(*cut);
        let recharge = a_recharge(merchant, 100, &format!("{cut:?}{round}"));
        let (outcome, decided) = counted(&store, recharge).await;
        outcome.unwrap().unwrap();
        assert!(proxy.was_cut());
        match cut {
            // The server rolled back: all again.
            Cut::BeforeCommit => assert_eq!(decided, 2),
            // It may have seen the end before the COMMIT, or not.
            Cut::AfterCommit => assert!([1, 2].contains(&decided)),
            // It took place, and doing it again would only have looked like a replay.
            Cut::OfAnswer => assert_eq!(decided, 1),
        }
        fen += 100;
        assert_eq!(basic_fen(&store, merchant).await, fen);
    }
}

#[tokio::test]
async fn a_persons_change_that_was_not_answered_is_unknown() {
    let Some(url) = an_empty_database().await else { return };
    let proxy = Proxy::before(&url).await;
    let store = PostgresStore::open(&proxy.url).await.unwrap();
    let user = a_user("alice").in_store(&store).await;
    for (cut, took_place) in [(Cut::BeforeCommit, false), (Cut::OfAnswer, true)] {
        proxy.cut(cut);
        let frozen = store.set_wallet_frozen(user, true, a_record(None)).await;
        assert!(matches!(frozen, Err(StoreError::Unknown(_))), "{frozen:?}");
        assert!(proxy.was_cut());
        assert_eq!(store.wallet(user).await.unwrap().unwrap().frozen, took_place);
    }
}

#[tokio::test]
async fn a_lane_that_was_put_back_is_damage() {
    let Some(url) = an_empty_database().await else { return };
    let store = PostgresStore::open(&url).await.unwrap();
    let merchant = a_merchant().with_money(1_000).in_store(&store).await;
    let put_back = "UPDATE lane SET batch_no = batch_no - 1";
    connect(&url).await.batch_execute(put_back).await.unwrap();
    let (outcome, _) = counted(&store, a_recharge(merchant, 100, "r1")).await;
    assert!(matches!(outcome, Err(StoreError::Corrupt(_))), "{outcome:?}");
    assert_eq!(basic_fen(&store, merchant).await, 1_000);
}
