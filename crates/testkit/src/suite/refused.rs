//! Orders that were refused for a cause that can be cured.

use hongbao_app::ports::OrderRecord;
use hongbao_domain::{
    Fen, Refusal,
    ledger::AccountKind,
    merchant::{FundingAccount, Recharge},
    packet::{OrderState, PacketStatus, REFUSED_ORDER_SECONDS, RefusedOrder, SendPacket},
    risk::{RiskLevel, Standing},
};

use super::{Harness, town::Town};
use crate::builders::{a_claim, a_merchant, a_send, a_user, fen, normal_terms, reference};

async fn refused_order(h: &Harness, send: &SendPacket) -> (RefusedOrder, OrderRecord) {
    let record = h.find_order(&send.order).await.expect("it is kept");
    match &record.order.state {
        OrderState::Refused(refused) => (refused.clone(), record),
        OrderState::Funded { .. } => panic!("the order was funded: {record:?}"),
    }
}

fn too_low(balance: i64) -> Refusal {
    Refusal::BalanceTooLow { account: AccountKind::Basic, balance: fen(balance) }
}

async fn recharge(h: &Harness, town: &Town, fen: i64, number: &str) {
    h.ok(Recharge {
        merchant: town.merchant,
        account: FundingAccount::Basic,
        amount: Fen::new(fen),
        reference: reference(number),
    })
    .await;
}

/// Each reason reads back as it was given.
pub async fn a_refused_order_is_kept_with_its_reason(h: &Harness) {
    let builder = a_merchant().with_money(1_000).with(|settings| {
        settings.caps.merchant_day_fen = fen(2_000);
        settings.caps.user_day_fen = fen(1_500);
        settings.caps.user_day_count = 1;
        settings.risk_level = RiskLevel::try_new(1).expect("levels go to 3");
    });
    let town = Town::of(h, builder).await;
    let bot = a_user("bot").with_standing(Standing::Bot);
    bot.in_store(h.store()).await;
    let first = a_send(town.merchant, "b0", normal_terms("bob", 100));
    let key = h.send(&first).await;
    h.ok(a_claim(&first, key, town.bob)).await;
    for (number, terms, reason) in [
        ("b1", normal_terms("bot", 100), Refusal::RiskStopped { level: 1 }),
        (
            "b2",
            normal_terms("alice", 1_901),
            Refusal::MerchantDayAmount { cap: fen(2_000), used: fen(100) },
        ),
        ("b3", normal_terms("bob", 100), Refusal::UserDayCount { cap: 1, used: 1 }),
        (
            "b4",
            normal_terms("carol", 1_501),
            Refusal::UserDayAmount { cap: fen(1_500), used: Fen::ZERO },
        ),
        ("b5", normal_terms("alice", 901), too_low(900)),
    ] {
        let send = a_send(town.merchant, number, terms);
        assert_eq!(h.refusal(send.clone()).await, reason);
        let (refused, record) = refused_order(h, &send).await;
        assert_eq!((refused.reason, refused.attempts), (reason, 1));
        assert_eq!(refused.since, h.clock_now());
        assert_eq!(record.order.terms, send.terms);
        assert!(record.packet.is_none() && record.claims.is_empty());
        assert_eq!(h.status(&send.order).await, PacketStatus::Sending);
        let by_packet = h.order_of(record.order.packet).await;
        assert_eq!(by_packet.key, send.order);
    }
}

/// Money comes, the same number is sent again, and goes through (E-3).
pub async fn a_refused_order_is_cured_under_the_same_number(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(100)).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 500));
    assert_eq!(h.refusal(send.clone()).await, too_low(100));
    let (_, refused) = refused_order(h, &send).await;
    let other = a_send(town.merchant, "b2", normal_terms("bob", 100));
    assert_ne!(h.send(&other).await, refused.order.packet);
    recharge(h, &town, 700, "r1").await;
    h.clock.pass_seconds(REFUSED_ORDER_SECONDS - 1);
    let cured = h.ok(send.clone()).await;
    assert!(!cured.replayed);
    assert_eq!(cured.packet, refused.order.packet);
    assert_eq!(cured.list_id, refused.order.list_id());
    assert_eq!(h.packet(cured.packet).await.funded_at, h.clock_now());
    assert_eq!(h.accounts_fen(town.merchant).await, [200, 0, 600]);
    assert!(h.ok(send).await.replayed);
}

/// The newest reason, the first time, the number of tries.
pub async fn refusals_of_an_order_are_counted_from_the_first(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(100)).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 500));
    let first = h.clock_now();
    assert_eq!(h.refusal(send.clone()).await, too_low(100));
    h.clock.pass_seconds(60);
    recharge(h, &town, 50, "r1").await;
    assert_eq!(h.refusal(send.clone()).await, too_low(150));
    let (refused, record) = refused_order(h, &send).await;
    let expected = RefusedOrder { reason: too_low(150), since: first, attempts: 2 };
    assert_eq!(refused, expected);
    assert_eq!(record.order.created_at, first);
}

/// A number nobody cured within a day is over.
pub async fn a_refused_order_fails_for_good_after_a_day(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(100)).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 500));
    let since = h.clock_now();
    assert_eq!(h.refusal(send.clone()).await, too_low(100));
    recharge(h, &town, 900, "r1").await;
    h.clock.pass_seconds(REFUSED_ORDER_SECONDS);
    assert_eq!(h.refusal(send.clone()).await, Refusal::OrderExpired { since });
    assert_eq!(h.status(&send.order).await, PacketStatus::Failed);
    assert_eq!(h.accounts_fen(town.merchant).await, [1_000, 0, 0]);
    let (refused, _) = refused_order(h, &send).await;
    assert_eq!((refused.reason, refused.attempts), (too_low(100), 1));
}

/// A refused number stands for its terms as a funded one does.
pub async fn a_refused_order_holds_on_to_its_terms(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(100)).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 500));
    assert_eq!(h.refusal(send).await, too_low(100));
    let cheaper = a_send(town.merchant, "b1", normal_terms("alice", 100));
    assert_eq!(h.refusal(cheaper).await, Refusal::AmountChanged);
    let other = a_send(town.merchant, "b1", normal_terms("bob", 500));
    assert_eq!(h.refusal(other).await, Refusal::ReceiverChanged);
}

/// Neither ledger nor limits (I-31).
pub async fn a_refused_order_moves_no_money_and_uses_no_limit(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(100)).await;
    let before = h.merchant(town.merchant).await.book;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 500));
    assert_eq!(h.refusal(send).await, too_low(100));
    let after = h.merchant(town.merchant).await.book;
    assert_eq!((after.basic, after.escrow), (before.basic, before.escrow));
    assert_eq!((after.journal, after.day), (before.journal, before.day));
    assert_eq!((before.last_packet, after.last_packet), (0, 1));
}
