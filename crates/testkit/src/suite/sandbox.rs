//! Clocks: time travel, and time that never goes back.

use hongbao_domain::{
    MerchantId, Refusal,
    change::Actor,
    merchant::{AdvanceClock, CLOCK_STEP_SECONDS_MAX},
    packet::RefundPacket,
};

use super::{Harness, town::Town};
use crate::builders::{a_merchant, a_send, normal_terms};

fn advance(merchant: MerchantId, seconds: i64) -> AdvanceClock {
    AdvanceClock { merchant, seconds, actor: Actor::command_line() }
}

/// A day passes for one merchant and nobody else.
pub async fn a_sandbox_clock_runs_ahead(h: &Harness) {
    let town = Town::of(h, a_merchant().sandbox().with_money(1_000)).await;
    let packet = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    let early = h.refusal(RefundPacket { packet }).await;
    assert!(matches!(early, Refusal::NotExpired { .. }));
    let moved = h.ok(advance(town.merchant, 86_399)).await;
    assert_eq!(moved.before, h.clock_now());
    assert_eq!(moved.after, h.clock_now().plus_seconds(86_399));
    let moved = h.ok(advance(town.merchant, 1)).await;
    let refunded = h.ok(RefundPacket { packet }).await;
    assert_eq!(refunded.at, moved.after);
    let next = a_send(town.merchant, "b2", normal_terms("alice", 100));
    let key = h.send(&next).await;
    assert_eq!(h.packet(key).await.funded_at, moved.after);
    assert_eq!(h.store.now().await.expect("it is read"), h.clock_now());
}

/// Real money knows real time only.
pub async fn a_live_merchants_clock_is_not_advanced(h: &Harness) {
    let id = a_merchant().in_store(h.store()).await;
    assert_eq!(h.refusal(advance(id, 60)).await, Refusal::NotASandbox);
    assert_eq!(h.merchant(id).await.book.clock_offset_millis, 0);
}

/// Forward only, and not for ever.
pub async fn a_clock_step_has_bounds(h: &Harness) {
    let id = a_merchant().sandbox().in_store(h.store()).await;
    let max_seconds = CLOCK_STEP_SECONDS_MAX;
    for seconds in [0, -1, max_seconds + 1] {
        let refusal = h.refusal(advance(id, seconds)).await;
        assert_eq!(refusal, Refusal::ClockStepNotAllowed { max_seconds });
    }
    h.ok(advance(id, max_seconds)).await;
}

/// The deciding clock goes back; decision times do not (I-17), and no limit comes again (D-3).
pub async fn decision_times_never_go_back(h: &Harness) {
    let builder = a_merchant().with_money(10_000).with(|settings| {
        settings.caps.merchant_day_fen = hongbao_domain::Fen::new(1_000);
    });
    let town = Town::of(h, builder).await;
    let key = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    h.clock.pass_seconds(-86_400);
    let full = a_send(town.merchant, "b2", normal_terms("alice", 800));
    let refusal = h.refusal(full).await;
    assert!(matches!(refusal, Refusal::MerchantDayAmount { .. }));
    let next = h.send(&a_send(town.merchant, "b3", normal_terms("alice", 100))).await;
    let (first, second) = (h.packet(key).await, h.packet(next).await);
    assert_eq!(second.funded_at, first.funded_at);
}
