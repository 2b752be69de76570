//! Refunding.

use hongbao_domain::{
    PacketKey, PacketNo, Refusal,
    packet::{PacketState, PacketStatus, RefundPacket},
};

use super::{Harness, town::Town};
use crate::builders::{a_claim, a_link_claim, a_send, fen, group_terms, normal_terms};

/// Everything back, at the end and not a millisecond before (DEF5).
pub async fn an_unclaimed_packet_goes_back_at_its_end(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let packet = h.send(&send).await;
    let expires_at = h.packet(packet).await.expire_at;
    h.clock.set(expires_at.plus_millis(-1));
    let early = h.refusal(RefundPacket { packet }).await;
    assert_eq!(early, Refusal::NotExpired { expires_at });
    h.clock.set(expires_at);
    let refunded = h.ok(RefundPacket { packet }).await;
    assert_eq!((refunded.amount, refunded.at), (fen(800), expires_at));
    assert_eq!(h.accounts_fen(town.merchant).await, [1_000_000, 0, 0]);
    let state = h.packet(packet).await.state;
    assert_eq!(state, PacketState::Refunded { at: expires_at });
    assert_eq!(h.status(&send.order).await, PacketStatus::Refunded);
}

/// The second answer says so and changes nothing (E-10).
pub async fn a_packet_is_refunded_once(h: &Harness) {
    let town = Town::new(h).await;
    let packet = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    h.clock.pass_seconds(86_400);
    let first = h.ok(RefundPacket { packet }).await;
    let before = h.merchant(town.merchant).await;
    h.clock.pass_seconds(60);
    let again = h.ok(RefundPacket { packet }).await;
    assert!(!first.replayed && again.replayed);
    assert_eq!((again.amount, again.at), (first.amount, first.at));
    assert_eq!(h.merchant(town.merchant).await, before);
}

/// Claimed shares stay with who claimed them.
pub async fn what_is_left_of_a_group_goes_back(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "g1", group_terms("alice", 900, 3));
    let packet = h.send(&send).await;
    let taken = h.ok(a_claim(&send, packet, town.alice)).await.amount;
    h.clock.pass_seconds(86_400);
    let refunded = h.ok(RefundPacket { packet }).await;
    assert_eq!(refunded.amount, fen(900 - taken.get()));
    assert_eq!(h.wallet(town.alice).await.wallet.amount, taken);
    let basic = 1_000_000 - taken.get();
    assert_eq!(h.accounts_fen(town.merchant).await, [basic, 0, 0]);
    let row = h.packet(packet).await;
    assert_eq!((row.refunded(), row.version), (Ok(refunded.amount), 3));
    let late = a_link_claim(&send, packet, town.bob);
    let expired_at = row.expire_at;
    let refusal = h.refusal(late).await;
    assert_eq!(refusal, Refusal::PacketExpired { expired_at });
    let again = h.ok(a_claim(&send, packet, town.alice)).await;
    assert_eq!((again.amount, again.replayed), (taken, true));
}

/// Nothing is left of a packet that was claimed.
pub async fn a_claimed_packet_has_nothing_to_refund(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let packet = h.send(&send).await;
    h.ok(a_claim(&send, packet, town.alice)).await;
    h.clock.pass_seconds(86_400);
    let refunded = h.ok(RefundPacket { packet }).await;
    assert_eq!((refunded.amount, refunded.replayed), (fen(0), true));
    assert_eq!(h.wallet_fen(town.alice).await, 800);
}

/// The operation account was opened in between; the money came from the basic one.
pub async fn a_refund_goes_to_the_account_that_paid(h: &Harness) {
    let town = Town::new(h).await;
    let packet = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    h.set(town.merchant, |settings| {
        settings.operation_account_opened = true;
    })
    .await;
    h.clock.pass_seconds(86_400);
    h.ok(RefundPacket { packet }).await;
    assert_eq!(h.accounts_fen(town.merchant).await, [1_000_000, 0, 0]);
}

/// There is nothing to refund where nothing was sent.
pub async fn an_unknown_packet_is_not_refunded(h: &Harness) {
    let town = Town::new(h).await;
    let packet = PacketKey { merchant: town.merchant, no: PacketNo::new(1) };
    let refusal = h.refusal(RefundPacket { packet }).await;
    assert_eq!(refusal, Refusal::PacketUnknown);
}

/// A frozen merchant's packets still end: the money is its own.
pub async fn a_frozen_merchant_gets_its_money_back(h: &Harness) {
    let town = Town::new(h).await;
    let packet = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    h.set(town.merchant, |settings| settings.frozen = true).await;
    h.clock.pass_seconds(86_400);
    h.ok(RefundPacket { packet }).await;
    assert_eq!(h.accounts_fen(town.merchant).await, [1_000_000, 0, 0]);
}
