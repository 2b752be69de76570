//! Money through the store: what is read back, and what the audit views show.

use hongbao_app::ports::{Message, Store as _, StoreError, Transact as _, WalletEntry, Work};
use hongbao_domain::{
    Changes, Facts, Fen, Needs, Refusal, Timestamp, UserId,
    facts::BatchError,
    ids::Access,
    ledger::{Owner, TransferKind, chain},
    packet::{OrderKey, OrderState, PacketState},
    wallet::{PayoutKey, SettleWithdrawal, TransferToUser, WithdrawFromWallet},
};

use super::{Fixture, claim, merchant_id, packet_key, recharge, record, refund, send};

#[tokio::test]
async fn a_funded_packet_is_written_once() {
    let fixture = Fixture::new();
    busy_day(&fixture).await;
    let touched = "UPDATE packet SET total = total WHERE packet_no = 1";
    let refused = fixture.stranger().execute(touched, ()).unwrap_err().to_string();
    assert!(refused.contains("does not change"), "{refused}");
}

/// Sends, claims, a group, a refund, a transfer, a withdrawal that comes back.
async fn busy_day(fixture: &Fixture) -> (UserId, UserId) {
    fixture.merchant(100_000).await;
    let (ann, bob) = (fixture.user("ann").await, fixture.user("bob").await);
    fixture
        .run(vec![send("b1", "ann", 500, 1), send("b2", "bob", 300, 1), send("b3", "ann", 900, 3)])
        .await
        .unwrap()
        .into_iter()
        .for_each(|sent| assert!(sent.is_ok(), "{sent:?}"));
    fixture.does(claim(1, ann, Access::Message)).await;
    fixture.does(claim(3, ann, Access::Message)).await;
    fixture.does(claim(3, bob, Access::SharedLink)).await;
    fixture.clock.advance_seconds(90_000);
    fixture.does(refund(2)).await;
    fixture.does(refund(3)).await;
    let pass_on = TransferToUser {
        from: ann,
        to: bob,
        amount: Fen::new(120),
        reference: "t1".parse().unwrap(),
    };
    fixture.does(pass_on).await;
    let withdraw =
        WithdrawFromWallet { user: ann, amount: Fen::new(50), reference: "w1".parse().unwrap() };
    fixture.does(withdraw).await;
    let returned = SettleWithdrawal {
        key: PayoutKey { user: ann, reference: "w1".parse().unwrap() },
        delivered: false,
    };
    assert_eq!(fixture.store.pending_payouts(None, 10).await.unwrap().len(), 1);
    fixture.does(returned).await;
    assert!(fixture.store.pending_payouts(None, 10).await.unwrap().is_empty());
    (ann, bob)
}

/// Writes the history lines of the merchant's journal, as the following job does.
async fn follow(fixture: &Fixture) {
    let cursor = fixture.store.unfollowed(None, 10).await.unwrap().remove(0);
    let owner = Owner::Merchant(cursor.merchant);
    let rows = fixture.store.journal_after(owner, 0, 1_000).await.unwrap();
    let lines: Vec<WalletEntry> = rows
        .iter()
        .filter_map(|row| match row.transfer.to.owner {
            Owner::User(user) => Some(WalletEntry {
                user,
                seq: row.to_after.seq,
                kind: row.transfer.kind,
                delta: row.transfer.amount,
                balance_after: row.to_after.amount,
                merchant: Some(cursor.merchant),
                reference: None,
                at: row.transfer.at,
            }),
            Owner::Merchant(_) => None,
        })
        .collect();
    let store = &fixture.store;
    let (merchant, head) = (cursor.merchant, cursor.head);
    let keys = [1, 2, 3].map(packet_key);
    let packets = store.packets(&keys).await.unwrap();
    let messages: Vec<Message> = packets.iter().map(Message::of).collect();
    store.put_messages(&messages).await.unwrap();
    store.follow(merchant, 0, head, &lines).await.unwrap();
    assert!(matches!(
        store.follow(merchant, 0, head, &lines).await,
        Err(StoreError::Conflict { .. })
    ));
    assert!(store.unfollowed(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn journals_read_back_chained_as_they_were_decided() {
    let fixture = Fixture::new();
    let (ann, _) = busy_day(&fixture).await;
    for (owner, count) in [(Owner::Merchant(merchant_id()), 9), (Owner::User(ann), 3)] {
        let rows = fixture.store.journal_after(owner, 0, 100).await.unwrap();
        assert_eq!(rows.len(), count, "{owner}");
        let mut hash = chain::JournalHash::default();
        for (row, seq) in rows.iter().zip(1..) {
            assert_eq!((row.seq, row.hash), (seq, chain::expected(hash, row)));
            hash = row.hash;
        }
    }
    let merchant = fixture.store.merchant(merchant_id()).await.unwrap().unwrap();
    assert_eq!(merchant.merchant.book.journal.seq, 9);
    assert_eq!(merchant.merchant.book.escrow.amount, Fen::ZERO);
}

#[tokio::test]
async fn the_example_checks_of_the_audit_views_find_nothing() {
    const UNBALANCED: &str = "SELECT txn_id FROM audit_entry GROUP BY txn_id \
        HAVING sum(amt) <> 0 OR count(*) < 2;";
    const LIMITS: &str = "SELECT row_key, version FROM (SELECT *, lag(used_after,1,0) OVER \
        (PARTITION BY row_key ORDER BY version) prev FROM audit_limit_event) t \
        WHERE used_after <> prev + delta OR used_after > cap;";
    let fixture = Fixture::new();
    busy_day(&fixture).await;
    let stranger = fixture.stranger();
    for check in [UNBALANCED, LIMITS] {
        assert!(!stranger.prepare(check).unwrap().exists(()).unwrap(), "{check}");
    }
    let count = |sql: &str| -> i64 { stranger.query_row(sql, (), |row| row.get(0)).unwrap() };
    for (sql, wanted) in [
        ("SELECT count(*) FROM audit_entry", 24),
        ("SELECT sum(amt) FROM audit_entry", 0),
        ("SELECT count(*) FROM audit_entry WHERE kind = 'WA' AND owner = 'user/1'", 5),
        ("SELECT count(*) FROM audit_entry WHERE account = 'merchant/10000098/escrow'", 8),
        ("SELECT count(*) FROM audit_packet", 3),
        ("SELECT count(*) FROM audit_packet WHERE state = 'REFUND' AND refunded > 0", 2),
        ("SELECT count(*) FROM audit_claim", 3),
        ("SELECT count(*) FROM audit_limit_event", 9),
        ("SELECT count(*) FROM audit_outbox WHERE NOT delivered", 8),
        ("SELECT count(*) FROM audit_change", 1),
        (
            "SELECT count(*) FROM audit_entry WHERE kind IS NULL OR ref IS NULL OR account IS NULL",
            0,
        ),
    ] {
        assert_eq!(count(sql), wanted, "{sql}");
    }
    let (txn, reference, at): (String, String, String) = stranger
        .query_row(
            "SELECT txn_id, ref, at_utc FROM audit_entry WHERE kind = 'WA' ORDER BY seq LIMIT 1",
            (),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(
        (txn.as_str(), reference.as_str(), at.as_str()),
        ("user/1#1", "wallet_transfer:t1", "2026-01-02T05:00:00.000Z")
    );
}

#[tokio::test]
async fn histories_agree_with_the_journals_that_were_followed() {
    let fixture = Fixture::new();
    let (ann, bob) = busy_day(&fixture).await;
    follow(&fixture).await;
    let kinds = |entries: Vec<WalletEntry>| -> Vec<TransferKind> {
        entries.iter().map(|entry| entry.kind).collect()
    };
    let of_ann = fixture.store.wallet_entries(ann, u64::MAX, 10).await.unwrap();
    assert_eq!(of_ann.iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    let of_bob = fixture.store.wallet_entries(bob, u64::MAX, 10).await.unwrap();
    assert_eq!(kinds(of_bob), [TransferKind::WalletTransfer, TransferKind::Claim]);
    let mut audit = fixture.store.audit_source().await.unwrap();
    assert_eq!(audit.projections().await.unwrap(), []);
    assert_eq!(audit.structure().await.unwrap(), [""; 0]);
    fixture
        .stranger()
        .execute("UPDATE wallet_entry SET delta = delta + 1 WHERE seq = 1", ())
        .unwrap();
    // The snapshot does not see it; the next one does.
    assert_eq!(audit.projections().await.unwrap(), []);
    let mut audit = fixture.store.audit_source().await.unwrap();
    assert_eq!(audit.projections().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_is_shown_with_its_claims_and_names() {
    let fixture = Fixture::new();
    busy_day(&fixture).await;
    let key = |bill_no: &str| OrderKey { caller: merchant_id(), bill_no: bill_no.parse().unwrap() };
    let group = fixture.store.order(&key("b3")).await.unwrap().unwrap();
    assert_eq!(group.claims.len(), 2);
    assert_eq!(group.claims[1].openid.as_ref().unwrap().as_str(), "bob");
    assert_eq!(group.claims[1].display_name, "Name bob");
    let packet = group.packet.unwrap();
    assert_eq!(packet.shares.len(), 3);
    assert!(matches!(packet.state, PacketState::Refunded { .. }));
    let OrderState::Funded { split: Some(split) } = group.order.state else {
        panic!("a funded group");
    };
    assert_eq!((split.total, split.count), (Fen::new(900), 3));
    let normal = fixture.store.order_of_packet(super::packet_key(1)).await.unwrap().unwrap();
    assert_eq!(normal.key, key("b1"));
    assert_eq!(normal.claims.len(), 1);
    assert!(fixture.store.order(&key("b9")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_refused_order_keeps_its_reason_and_can_be_cured() {
    let fixture = Fixture::new();
    fixture.merchant(1_000).await;
    fixture.user("ann").await;
    for attempt in 1..=2 {
        let refused = fixture.run(vec![send("b1", "ann", 5_000, 3)]).await.unwrap();
        assert!(matches!(refused[0], Err(BatchError::Refused(Refusal::BalanceTooLow { .. }))));
        let order = fixture.store.order_of_packet(super::packet_key(1)).await.unwrap().unwrap();
        let OrderState::Refused(refused) = order.order.state else {
            panic!("a refused order");
        };
        assert_eq!(refused.attempts, attempt);
    }
    fixture.does(recharge(10_000, "r2")).await;
    assert!(!fixture.does(send("b1", "ann", 5_000, 3)).await.replayed);
    assert!(fixture.does(send("b1", "ann", 5_000, 3)).await.replayed);
    let stranger = fixture.stranger();
    let kept: String =
        stranger.query_row("SELECT reason FROM refused_order", (), |row| row.get(0)).unwrap();
    assert_eq!(kept, r#"{"refusal":"balance_too_low","account":1,"balance":1000}"#);
    let mut audit = fixture.store.audit_source().await.unwrap();
    let orders = audit.orders(merchant_id(), "", 10).await.unwrap();
    assert!(matches!(orders[0].1.state, OrderState::Funded { split: Some(_) }));
}

#[tokio::test]
async fn due_packets_are_found_until_they_are_settled() {
    let fixture = Fixture::new();
    fixture.merchant(10_000).await;
    let ann = fixture.user("ann").await;
    fixture.run(vec![send("b1", "ann", 100, 1), send("b2", "ann", 100, 1)]).await.unwrap();
    fixture.does(claim(1, ann, Access::Message)).await;
    let now = || fixture.store.now();
    let due = |now: Timestamp| fixture.store.due_packets(now, 10);
    assert!(due(now().await.unwrap()).await.unwrap().packets.is_empty());
    fixture.clock.advance_seconds(86_400);
    let scan = due(now().await.unwrap()).await.unwrap();
    assert_eq!(scan.packets.len(), 1);
    assert_eq!(scan.packets[0].packet, super::packet_key(2));
    fixture.does(refund(2)).await;
    let scan = due(now().await.unwrap()).await.unwrap();
    assert!(scan.packets.is_empty());
    fixture.store.settled_through(&scan.times).await.unwrap();
    assert_eq!(settled_through(&fixture), now().await.unwrap().millis());
}

fn settled_through(fixture: &Fixture) -> i64 {
    let stranger = fixture.stranger();
    let cursor = "SELECT settled_through FROM expiry_cursor";
    stranger.query_row(cursor, (), |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_idle_server_commits_its_cursor_once_a_minute() {
    let fixture = Fixture::new();
    fixture.merchant(1_000).await;
    let told = async |seconds: i64| {
        let time = Timestamp::from_millis(super::NOON).plus_seconds(seconds);
        fixture.store.settled_through(&[(merchant_id(), time)]).await.unwrap();
        (settled_through(&fixture) - super::NOON) / 1_000
    };
    assert_eq!(told(0).await, 0);
    let stranger = fixture.stranger();
    let commits =
        || -> i64 { stranger.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap() };
    let before = commits();
    for seconds in [0, 1, 30, 59] {
        assert_eq!(told(seconds).await, 0);
    }
    assert_eq!(commits(), before);
    assert_eq!(told(60).await, 60);
    assert_ne!(commits(), before);
    assert_eq!(told(119).await, 60);
    // Back at once: a cursor ahead of the time is not trusted and makes every scan a whole one.
    assert_eq!(told(59).await, 59);
}

#[tokio::test]
async fn a_server_that_ran_in_the_future_refunds_after_a_restart() {
    const FOUR_YEARS: i64 = 4 * 365 * 86_400;
    let fixture = Fixture::new();
    fixture.merchant(1_000).await;
    fixture.user("ann").await;
    fixture.clock.advance_seconds(FOUR_YEARS);
    let scan = fixture.store.due_packets(fixture.store.now().await.unwrap(), 10).await.unwrap();
    assert!(scan.packets.is_empty());
    fixture.store.settled_through(&scan.times).await.unwrap();
    fixture.clock.advance_seconds(-FOUR_YEARS);
    let fixture = fixture.reopened();
    assert_eq!(settled_through(&fixture), super::NOON + FOUR_YEARS * 1_000);
    fixture.does(send("b1", "ann", 100, 1)).await;
    fixture.clock.advance_seconds(86_400);
    let now = fixture.store.now().await.unwrap();
    let scan = fixture.store.due_packets(now, 10).await.unwrap();
    assert_eq!(scan.packets.len(), 1);
    fixture.does(refund(1)).await;
    let scan = fixture.store.due_packets(now, 10).await.unwrap();
    assert!(scan.packets.is_empty());
    fixture.store.settled_through(&scan.times).await.unwrap();
    assert_eq!(settled_through(&fixture), now.millis());
}

pub(super) struct Panics;

impl Work for Panics {
    fn decide(&mut self, _facts: Facts) -> (Facts, Changes) {
        panic!("a defect")
    }

    fn answer(self: Box<Self>, _failure: Option<hongbao_app::executor::Failure>) {}
}

#[tokio::test]
async fn a_decision_that_panics_writes_nothing_and_stops_nobody() {
    let fixture = Fixture::new();
    fixture.merchant(1_000).await;
    let (_work, result) = fixture.store.transact(Needs::default(), Box::new(Panics)).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    fixture.does(recharge(1_000, "r2")).await;
}

#[tokio::test]
async fn settings_are_replaced_only_by_who_read_them() {
    let fixture = Fixture::new();
    fixture.merchant(1_000).await;
    let mut settings = super::settings();
    settings.frozen = true;
    let store = &fixture.store;
    store.update_settings(merchant_id(), 1, settings.clone(), record()).await.unwrap();
    let stale = store.update_settings(merchant_id(), 1, settings, record()).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })));
    let merchant = store.merchant(merchant_id()).await.unwrap().unwrap();
    assert_eq!(merchant.settings_version, 2);
    assert!(merchant.merchant.settings.frozen);
    fixture.user("ann").await;
    let refused = fixture.run(vec![send("b1", "ann", 100, 1)]).await.unwrap();
    assert_eq!(refused[0], Err(BatchError::Refused(Refusal::MerchantFrozen)));
}
