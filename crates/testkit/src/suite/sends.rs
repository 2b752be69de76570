//! Sending, and sending again.

use hongbao_domain::{
    Fen, ListId, PacketNo, Refusal,
    merchant::{AmountRange, Scene, SceneTerms},
    message::{Following, MessageForm},
    packet::{OrderState, PacketKind, PacketState, PacketStatus, Terms},
};

use super::{Harness, town::Town};
use crate::builders::{
    a_merchant, a_send, a_user, an_order, app, fen, group_terms, merchant_id, normal_terms, openid,
};

/// ¥8.00 leave the basic account and wait in escrow.
pub async fn a_normal_packet_moves_its_money_into_escrow(h: &Harness) {
    let town = Town::new(h).await;
    let key = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    assert_eq!((key.merchant, key.no), (town.merchant, PacketNo::new(1)));
    assert_eq!(h.accounts_fen(town.merchant).await, [999_200, 0, 800]);
    let packet = h.packet(key).await;
    let now = h.clock_now();
    assert_eq!((packet.receiver, packet.total), (town.alice, fen(800)));
    assert_eq!((packet.state, packet.version), (PacketState::Open, 1));
    assert_eq!(packet.funded_at, now);
    assert_eq!(packet.expire_at, now.plus_seconds(86_400));
    let status = h.status(&an_order(town.merchant, "b1")).await;
    assert_eq!(status, PacketStatus::Sent);
}

/// Shares are drawn at once, within their bounds, and add up.
pub async fn a_group_packet_is_split_when_it_is_sent(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "g1", group_terms("alice", 2_000, 7));
    let key = h.send(&send).await;
    let record = h.order_of(key).await;
    let OrderState::Funded { split: Some(split) } = record.order.state else {
        panic!("a group's order says how it was split: {record:?}");
    };
    assert_eq!((split.total, split.count), (fen(2_000), 7));
    let packet = h.packet(key).await;
    assert_eq!((packet.kind, packet.secret), (PacketKind::Group, send.secret));
    assert_eq!(packet.shares.len(), 7);
    assert_eq!(Fen::sum(packet.shares.iter().copied()), Ok(fen(2_000)));
    let bounds = split.min..=split.max;
    assert!(packet.shares.iter().all(|share| bounds.contains(share)));
}

/// The same answer, and not one fen more (E-1).
pub async fn the_same_number_again_answers_the_same_and_moves_nothing(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let first = h.ok(send.clone()).await;
    let before = h.merchant(town.merchant).await;
    h.clock.pass_seconds(3_600);
    let again = h.ok(send).await;
    assert!(!first.replayed && again.replayed);
    assert_eq!((again.list_id, again.packet), (first.list_id, first.packet));
    assert_eq!(again.created_at, first.created_at);
    assert_eq!(h.merchant(town.merchant).await, before);
}

/// What the number stands for is fixed (DEF6).
pub async fn a_number_with_other_terms_is_refused(h: &Harness) {
    let town = Town::new(h).await;
    let first = normal_terms("alice", 800);
    h.send(&a_send(town.merchant, "b1", first.clone())).await;
    let before = h.merchant(town.merchant).await;
    let term = |term| Refusal::TermChanged { term };
    for (terms, refusal) in [
        (normal_terms("bob", 800), Refusal::ReceiverChanged),
        (normal_terms("alice", 801), Refusal::AmountChanged),
        (group_terms("alice", 800, 3), term("share_count")),
        (group_terms("alice", 800, 1), term("kind")),
        (Terms { scene: Some(Scene::PrizeDraw), ..first }, term("scene")),
    ] {
        assert_eq!(h.refusal(a_send(town.merchant, "b1", terms)).await, refusal);
    }
    assert_eq!(h.merchant(town.merchant).await, before);
}

/// Free text may change between two calls; the first one stays.
pub async fn texts_may_differ_on_a_replay(h: &Harness) {
    let town = Town::new(h).await;
    let first = normal_terms("alice", 800);
    let key = h.send(&a_send(town.merchant, "b1", first.clone())).await;
    let mut other = first.clone();
    other.texts.wishing = "other words".into();
    other.client_ip = None;
    assert!(h.ok(a_send(town.merchant, "b1", other)).await.replayed);
    assert_eq!(*h.order_of(key).await.order.terms, first);
}

/// Numbers belong to who calls (E-4).
pub async fn the_same_number_at_two_merchants_is_two_orders(h: &Harness) {
    let town = Town::new(h).await;
    let other = a_merchant().numbered(10_000_099).with_money(500);
    let other = other.in_store(h.store()).await;
    let one = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    let two = h.send(&a_send(other, "b1", normal_terms("bob", 500))).await;
    assert_ne!(one, two);
    assert_eq!(h.packet(one).await.total, fen(800));
    assert_eq!(h.packet(two).await.total, fen(500));
}

/// Exact bytes, not letters alike (E-5).
pub async fn order_numbers_and_openids_are_told_apart_by_case(h: &Harness) {
    let town = Town::new(h).await;
    let upper = a_user("ALICE").in_store(h.store()).await;
    assert_ne!(upper, town.alice);
    let send = |bill_no, to| a_send(town.merchant, bill_no, normal_terms(to, 100));
    let lower = h.send(&send("abC1", "alice")).await;
    let other = h.send(&send("ABC1", "ALICE")).await;
    assert_ne!(lower, other);
    assert_eq!(h.packet(lower).await.receiver, town.alice);
    assert_eq!(h.packet(other).await.receiver, upper);
}

/// Every term comes back, by the number and by the packet.
pub async fn an_order_reads_back_as_it_was_sent(h: &Harness) {
    let scene = SceneTerms {
        scene: Scene::StaffBenefits,
        amount: AmountRange { min: fen(30), max: fen(499_900) },
    };
    let builder =
        a_merchant().with_money(1_000_000).with(|settings| settings.product.scenes.push(scene));
    let town = Town::of(h, builder).await;
    let terms = Terms {
        scene: Some(Scene::StaffBenefits),
        client_ip: Some("2001:db8::1".to_owned()),
        risk_info: Some("posttime%3d123".to_owned()),
        ..normal_terms("alice", 90_000)
    };
    let send = a_send(town.merchant, "b1", terms.clone());
    let answer = h.ok(send.clone()).await;
    let record = h.find_order(&send.order).await.expect("it was sent");
    assert_eq!(*record.order.terms, terms);
    assert_eq!(record.key, send.order);
    assert_eq!(record.order.packet, answer.packet);
    assert_eq!(record.order.created_at, answer.created_at);
    assert_eq!(record.order.list_id(), answer.list_id);
    assert_eq!(answer.list_id, ListId::new(answer.packet, h.clock_now()));
    assert_eq!(record.merchant.id, town.merchant);
    assert!(record.claims.is_empty());
    let by_packet = h.order_of(answer.packet).await;
    assert_eq!((by_packet.key, by_packet.order), (record.key, record.order));
    assert_eq!(by_packet.packet, record.packet);
}

/// A number nobody used, a packet nobody sent.
pub async fn an_order_that_was_never_sent_is_nothing(h: &Harness) {
    let town = Town::new(h).await;
    let mut key = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    assert!(h.find_order(&an_order(town.merchant, "b2")).await.is_none());
    key.no = PacketNo::new(2);
    let found = h.store.order_of_packet(key).await;
    assert!(found.expect("orders are read").is_none());
}

/// Refusals before the order exists leave nothing: the number is free.
pub async fn a_refusal_before_the_order_leaves_no_order(h: &Harness) {
    let town = Town::new(h).await;
    let before = h.merchant(town.merchant).await;
    let stranger = normal_terms("nobody", 800);
    let foreign = Terms { app: app("wx-foreign"), ..normal_terms("alice", 800) };
    let range = AmountRange::DEFAULT;
    let (min, max) = (range.min, range.max);
    for (terms, refusal) in [
        (stranger, Refusal::ReceiverUnknown),
        (foreign, Refusal::AppNotBound { app: app("wx-foreign") }),
        (normal_terms("alice", 99), Refusal::AmountOutOfRange { min, max }),
        (normal_terms("alice", 20_001), Refusal::AmountOutOfRange { min, max }),
        (group_terms("alice", 2_000, 2), Refusal::ShareCountOutOfRange { min: 3, max: 20 }),
    ] {
        let send = a_send(town.merchant, "b1", terms);
        assert_eq!(h.refusal(send.clone()).await, refusal);
        assert!(h.find_order(&send.order).await.is_none());
    }
    assert_eq!(h.merchant(town.merchant).await, before);
    let key = h.send(&a_send(town.merchant, "b1", normal_terms("alice", 800))).await;
    assert_eq!(key.no, PacketNo::new(1));
    assert_eq!(h.order_of(key).await.order.terms.openid, openid("alice"));
}

/// Whom to tell how is decided when the packet is sent, and stays.
pub async fn the_form_of_the_message_is_decided_at_the_send(h: &Harness) {
    let town = Town::new(h).await;
    let since = Some(h.clock_now().plus_seconds(-51 * 3_600));
    let following = Following { since, accepts_messages: true };
    let fan = a_user("fan").following(following);
    fan.in_store(h.store()).await;
    let send = |number, to| a_send(town.merchant, number, normal_terms(to, 100));
    let to_fan = h.send(&send("b1", "fan")).await;
    let to_alice = h.send(&send("b2", "alice")).await;
    a_user("fan").in_store(h.store()).await;
    assert_eq!(h.packet(to_fan).await.form, MessageForm::AntiFake);
    assert_eq!(h.packet(to_alice).await.form, MessageForm::Template);
}

/// Those that exist, by key, each once.
pub async fn packets_are_read_many_at_a_time(h: &Harness) {
    let town = Town::new(h).await;
    let mut keys = Vec::new();
    for number in ["b1", "b2", "b3"] {
        let send = a_send(town.merchant, number, normal_terms("alice", 100));
        keys.push(h.send(&send).await);
    }
    let mut nowhere = keys[0];
    nowhere.no = PacketNo::new(9);
    let asked = [keys[2], nowhere, keys[0], keys[2]];
    let found = h.store.packets(&asked).await.expect("packets are read");
    let found: Vec<_> = found.into_iter().map(|packet| packet.key).collect();
    assert_eq!(found, [keys[0], keys[2]]);
    let none = h.store.packets(&[]).await.expect("packets are read");
    assert_eq!(none, []);
}

/// The merchant of an order is whom the packet's money comes from, and must exist.
pub async fn a_merchant_that_does_not_exist_sends_nothing(h: &Harness) {
    let send = a_send(merchant_id(77_777_777), "b1", normal_terms("alice", 100));
    assert_eq!(h.refusal(send).await, Refusal::MerchantUnknown);
}
