//! Claiming.

use hongbao_domain::{
    Fen, PacketKey, PacketSecret, Refusal, UserId,
    packet::{PacketState, PacketStatus, SendPacket},
};

use super::{Harness, town::Town};
use crate::builders::{
    OTHER_APP, a_claim, a_link_claim, a_send, a_user, fen, group_terms, normal_terms, openid,
};

async fn normal(h: &Harness, town: &Town) -> (SendPacket, PacketKey) {
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let key = h.send(&send).await;
    (send, key)
}

async fn group(h: &Harness, town: &Town) -> (SendPacket, PacketKey) {
    let send = a_send(town.merchant, "g1", group_terms("alice", 900, 3));
    let key = h.send(&send).await;
    (send, key)
}

/// Escrow to wallet, at once.
pub async fn a_claim_moves_the_packet_into_the_wallet(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = normal(h, &town).await;
    h.clock.pass_seconds(60);
    let claimed = h.ok(a_claim(&send, key, town.alice)).await;
    assert_eq!((claimed.amount, claimed.share_no), (fen(800), 1));
    assert_eq!((claimed.at, claimed.replayed), (h.clock_now(), false));
    assert_eq!(h.accounts_fen(town.merchant).await, [999_200, 0, 0]);
    assert_eq!(h.wallet_fen(town.alice).await, 800);
    let record = h.order_of(key).await;
    assert_eq!(h.status(&send.order).await, PacketStatus::Received);
    let [line] = record.claims.as_slice() else {
        panic!("a normal packet is claimed once: {record:?}");
    };
    assert_eq!((line.user, line.amount), (town.alice, fen(800)));
    assert_eq!((line.share_no, line.at), (1, h.clock_now()));
    assert_eq!(line.openid, Some(openid("alice")));
    assert_eq!(line.display_name, "ALICE");
}

/// A double tap gets the first answer (E-9).
pub async fn a_second_claim_answers_as_the_first(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = normal(h, &town).await;
    let (to_many, shared) = group(h, &town).await;
    for claim in [a_claim(&send, key, town.alice), a_claim(&to_many, shared, town.alice)] {
        let first = h.ok(claim.clone()).await;
        let wallet = h.wallet(town.alice).await;
        h.clock.pass_seconds(86_400);
        let again = h.ok(claim).await;
        assert!(!first.replayed && again.replayed);
        assert_eq!((again.amount, again.at), (first.amount, first.at));
        assert_eq!(again.share_no, first.share_no);
        assert_eq!(h.wallet(town.alice).await, wallet);
        h.clock.pass_seconds(-86_400);
    }
}

/// Not by the message's code, and a normal packet has no shared link.
pub async fn only_its_receiver_opens_a_normal_packet(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = normal(h, &town).await;
    for claim in [a_claim(&send, key, town.bob), a_link_claim(&send, key, town.bob)] {
        assert_eq!(h.refusal(claim).await, Refusal::NotTheReceiver);
    }
    assert_eq!(h.wallet_fen(town.bob).await, 0);
    assert_eq!(h.packet(key).await.version, 1);
}

/// A guessed code and a packet that is not there look alike.
pub async fn a_made_up_code_finds_no_packet(h: &Harness) {
    let town = Town::new(h).await;
    let (send, mut key) = normal(h, &town).await;
    let guessed = SendPacket { secret: PacketSecret::new([9; 16]), ..send.clone() };
    let claim = a_claim(&guessed, key, town.alice);
    assert_eq!(h.refusal(claim).await, Refusal::PacketUnknown);
    key.no = hongbao_domain::PacketNo::new(2);
    let claim = a_claim(&send, key, town.alice);
    assert_eq!(h.refusal(claim).await, Refusal::PacketUnknown);
}

/// Who was sent the group packet goes first.
pub async fn the_seed_user_opens_a_group_before_others(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = group(h, &town).await;
    let bob = a_link_claim(&send, key, town.bob);
    assert_eq!(h.refusal(bob.clone()).await, Refusal::SeedFirst);
    h.ok(a_claim(&send, key, town.alice)).await;
    assert_eq!(h.ok(bob).await.share_no, 2);
    let stolen = a_claim(&send, key, town.carol);
    assert_eq!(h.refusal(stolen).await, Refusal::NotTheReceiver);
}

/// All shares in claim order, then none.
pub async fn a_group_is_claimed_to_the_last_fen(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = group(h, &town).await;
    let shares = h.packet(key).await.shares;
    let users = [town.alice, town.bob, town.carol];
    for (user, share) in users.into_iter().zip(&shares) {
        h.clock.pass_seconds(1);
        let claimed = h.ok(a_link_claim(&send, key, user)).await;
        assert_eq!(claimed.amount, *share);
        assert_eq!(h.wallet(user).await.wallet.amount, *share);
    }
    let packet = h.packet(key).await;
    let at = h.clock_now();
    assert_eq!(packet.state, PacketState::Claimed { at });
    assert_eq!((packet.claimed, packet.version), (fen(900), 4));
    let dave = a_user("dave").in_store(h.store()).await;
    let late = a_link_claim(&send, key, dave);
    assert_eq!(h.refusal(late).await, Refusal::AllTaken);
    let lines = h.order_of(key).await.claims;
    let taken: Vec<(UserId, u32, Fen)> =
        lines.iter().map(|line| (line.user, line.share_no, line.amount)).collect();
    let expected: Vec<(UserId, u32, Fen)> = (1..)
        .zip(users)
        .zip(shares)
        .map(|((share_no, user), share)| (user, share_no, share))
        .collect();
    assert_eq!(taken, expected);
}

/// The end is half open (D-5).
pub async fn a_claim_counts_until_the_last_millisecond(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = normal(h, &town).await;
    let (late, late_key) = {
        let send = a_send(town.merchant, "b2", normal_terms("bob", 100));
        let key = h.send(&send).await;
        (send, key)
    };
    let expired_at = h.packet(key).await.expire_at;
    h.clock.set(expired_at.plus_millis(-1));
    h.ok(a_claim(&send, key, town.alice)).await;
    h.clock.set(expired_at);
    let refusal = h.refusal(a_claim(&late, late_key, town.bob)).await;
    assert_eq!(refusal, Refusal::PacketExpired { expired_at });
    assert_eq!(h.status(&late.order).await, PacketStatus::Refunding);
}

/// Somebody known in another app only is listed without an openid.
pub async fn claims_name_people_as_the_packets_app_does(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = group(h, &town).await;
    let elsewhere = a_user("erin").in_app(OTHER_APP).shown_as("Erin");
    let erin = elsewhere.in_store(h.store()).await;
    let both = a_user("bob-elsewhere").in_app(OTHER_APP).with_subject("bob");
    assert_eq!(both.in_store(h.store()).await, town.bob);
    for user in [town.alice, town.bob, erin] {
        h.ok(a_link_claim(&send, key, user)).await;
    }
    let lines = h.order_of(key).await.claims;
    let names: Vec<_> = lines.into_iter().map(|line| (line.openid, line.display_name)).collect();
    let expected = [
        (Some(openid("alice")), "ALICE".to_owned()),
        (Some(openid("bob")), "BOB".to_owned()),
        (None, "Erin".to_owned()),
    ];
    assert_eq!(names, expected);
}

/// A wallet that is not there cannot take money.
pub async fn a_user_that_does_not_exist_claims_nothing(h: &Harness) {
    let town = Town::new(h).await;
    let (send, key) = group(h, &town).await;
    h.ok(a_claim(&send, key, town.alice)).await;
    let ghost = a_link_claim(&send, key, UserId::new(999_999));
    assert_eq!(h.refusal(ghost).await, Refusal::UserUnknown);
}
