//! Limits of a day, and when a day ends.

use hongbao_domain::{
    Fen, PacketKey, Refusal,
    packet::{RefundPacket, SendPacket},
};

use super::{Harness, town::Town};
use crate::builders::{a_claim, a_merchant, a_send, fen, normal_terms};

/// Sends `number` to alice and lets her claim it.
async fn give(h: &Harness, town: &Town, number: &str, fen: i64) -> Result<(), Refusal> {
    let send = a_send(town.merchant, number, normal_terms("alice", fen));
    let key = h.send(&send).await;
    claim(h, town, &send, key).await
}

async fn claim(h: &Harness, town: &Town, send: &SendPacket, key: PacketKey) -> Result<(), Refusal> {
    match super::run(h.store(), a_claim(send, key, town.alice)).await {
        Ok(_claimed) => Ok(()),
        Err(hongbao_domain::facts::BatchError::Refused(refusal)) => Err(refusal),
        Err(defect) => panic!("{defect:?}"),
    }
}

fn capped(fen: i64) -> crate::builders::MerchantBuilder {
    a_merchant()
        .with_money(1_000_000)
        .with(|settings| settings.caps.merchant_day_fen = Fen::new(fen))
}

/// Exactly up to the cap, not one fen more.
pub async fn a_merchants_day_is_filled_to_the_fen(h: &Harness) {
    let town = Town::of(h, capped(1_000)).await;
    let send = |number, fen| a_send(town.merchant, number, normal_terms("alice", fen));
    h.send(&send("b1", 600)).await;
    let over = Refusal::MerchantDayAmount { cap: fen(1_000), used: fen(600) };
    assert_eq!(h.refusal(send("b2", 401)).await, over);
    h.send(&send("b3", 400)).await;
    let day = h.merchant(town.merchant).await.book.day;
    assert_eq!((day.fen, day.count, day.version), (fen(1_000), 2, 2));
}

/// The last millisecond belongs to the old day, midnight to the new (DEF2).
pub async fn a_merchants_day_starts_anew_at_midnight_in_beijing(h: &Harness) {
    let town = Town::of(h, capped(1_000)).await;
    let send = |number| a_send(town.merchant, number, normal_terms("alice", 1_000));
    h.send(&send("b1")).await;
    let last = h.clock.pass_to_last_millisecond_of_day();
    let full = Refusal::MerchantDayAmount { cap: fen(1_000), used: fen(1_000) };
    assert_eq!(h.refusal(send("b2")).await, full);
    h.clock.set(last.plus_millis(1));
    h.send(&send("b2")).await;
    let day = h.merchant(town.merchant).await.book.day;
    assert_eq!((day.fen, day.count, day.version), (fen(1_000), 1, 2));
    assert_eq!(day.day, h.clock_now().day());
}

/// What was sent was sent (DEF3).
pub async fn a_refund_gives_no_limit_back(h: &Harness) {
    let builder = capped(1_000).with(|settings| settings.expiry_seconds = 60);
    let town = Town::of(h, builder).await;
    let packet = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 1_000))).await;
    h.clock.pass_seconds(60);
    h.ok(RefundPacket { packet }).await;
    let again = a_send(town.merchant, "b2", normal_terms("alice", 100));
    let full = Refusal::MerchantDayAmount { cap: fen(1_000), used: fen(1_000) };
    assert_eq!(h.refusal(again).await, full);
}

/// The claim decides (DEF4); the send refuses early.
pub async fn a_user_claims_up_to_the_count_of_the_day(h: &Harness) {
    let builder =
        a_merchant().with_money(1_000_000).with(|settings| settings.caps.user_day_count = 2);
    let town = Town::of(h, builder).await;
    let early = a_send(town.merchant, "b0", normal_terms("alice", 100));
    let early_key = h.send(&early).await;
    for number in ["b1", "b2"] {
        assert_eq!(give(h, &town, number, 100).await, Ok(()));
    }
    let full = Refusal::UserDayCount { cap: 2, used: 2 };
    assert_eq!(claim(h, &town, &early, early_key).await, Err(full.clone()));
    let next = a_send(town.merchant, "b3", normal_terms("alice", 100));
    assert_eq!(h.refusal(next.clone()).await, full);
    let last = h.clock.pass_to_last_millisecond_of_day();
    assert_eq!(claim(h, &town, &early, early_key).await, Err(full));
    h.clock.set(last.plus_millis(1));
    assert_eq!(claim(h, &town, &early, early_key).await, Ok(()));
    h.send(&next).await;
}

/// To the fen, over several packets.
pub async fn a_user_claims_up_to_the_amount_of_the_day(h: &Harness) {
    let builder =
        a_merchant().with_money(1_000_000).with(|settings| settings.caps.user_day_fen = fen(500));
    let town = Town::of(h, builder).await;
    let early = a_send(town.merchant, "b0", normal_terms("alice", 201));
    let early_key = h.send(&early).await;
    assert_eq!(give(h, &town, "b1", 300).await, Ok(()));
    let full = |used| Refusal::UserDayAmount { cap: fen(500), used: fen(used) };
    assert_eq!(claim(h, &town, &early, early_key).await, Err(full(300)));
    assert_eq!(give(h, &town, "b2", 200).await, Ok(()));
    let next = a_send(town.merchant, "b3", normal_terms("alice", 100));
    assert_eq!(h.refusal(next).await, full(500));
    h.clock.set(h.clock.pass_to_last_millisecond_of_day().plus_millis(1));
    assert_eq!(claim(h, &town, &early, early_key).await, Ok(()));
}

/// A user's limits are kept per merchant.
pub async fn limits_of_one_merchant_are_not_those_of_another(h: &Harness) {
    let one_a_day = |number| {
        a_merchant()
            .numbered(number)
            .with_money(10_000)
            .with(|settings| settings.caps.user_day_count = 1)
    };
    let here = Town::of(h, one_a_day(10_000_098)).await;
    let there = Town { merchant: one_a_day(10_000_099).in_store(h.store()).await, ..here };
    assert_eq!(give(h, &here, "b1", 100).await, Ok(()));
    assert_eq!(give(h, &there, "b1", 100).await, Ok(()));
    let full = Refusal::UserDayCount { cap: 1, used: 1 };
    for merchant in [here.merchant, there.merchant] {
        let next = a_send(merchant, "b2", normal_terms("alice", 100));
        assert_eq!(h.refusal(next).await, full);
    }
}

/// The cap in force at the commit judges (D-9).
pub async fn a_lowered_cap_holds_from_then_on(h: &Harness) {
    let town = Town::of(h, capped(1_000)).await;
    let send = |number, fen| a_send(town.merchant, number, normal_terms("alice", fen));
    h.send(&send("b1", 800)).await;
    h.set(town.merchant, |settings| {
        settings.caps.merchant_day_fen = fen(500);
    })
    .await;
    let over = Refusal::MerchantDayAmount { cap: fen(500), used: fen(800) };
    assert_eq!(h.refusal(send("b2", 100)).await, over);
    h.set(town.merchant, |settings| {
        settings.caps.merchant_day_fen = fen(900);
    })
    .await;
    h.send(&send("b2", 100)).await;
}
