//! Facts of a batch that is decided before the one before it is written.

use hongbao_domain::{
    Batch, Changes, Facts, Needs, PacketKey, PacketNo,
    change::Actor,
    merchant::{AdvanceClock, FundingAccount, Recharge},
    packet::RefundPacket,
    wallet::{PayMerchant, PayoutKey, SettleWithdrawal, TransferToUser, WithdrawFromWallet},
};

use super::{Harness, Step, town::Town, transact};
use crate::builders::{
    a_claim, a_link_claim, a_merchant, a_send, fen, group_terms, normal_terms, reference,
};

type Steps = Vec<Box<dyn Step>>;

/// What a batch changed, laid over what was loaded before it, is what is loaded after it; and so is
/// what it changed, laid over that.
pub async fn facts_that_follow_a_batch_are_those_that_are_loaded_after_it(h: &Harness) {
    let merchant = a_merchant().sandbox().with_operation_account().with_money(5_000);
    let town = Town::of(h, merchant).await;
    let story = story(&town);
    let mut needs = Needs::default();
    for step in story.iter().flatten() {
        step.needs(&mut needs);
    }
    for (number, batch) in story.into_iter().enumerate() {
        let mut followed = loaded(h, &needs).await;
        let (facts, changes) = written(h, &needs, batch).await;
        let after = loaded(h, &needs).await;
        assert!(!changes.journal.is_empty(), "batch {number} does something");
        for _ in ["as it was before", "as it is already"] {
            followed.follow(&needs, &facts, &changes);
            assert_eq!(format!("{followed:#?}"), format!("{after:#?}"), "batch {number}");
        }
    }
}

/// A send names a receiver, and the receiver's day comes with it: nobody named the day.
pub async fn the_day_of_a_receiver_follows_the_claim_before(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let claim = a_claim(&send, h.send(&send).await, town.alice);
    let (mut claims, mut sends) = (Needs::default(), Needs::default());
    claim.needs(&mut claims);
    a_send(town.merchant, "b2", normal_terms("alice", 900)).needs(&mut sends);
    let mut followed = loaded(h, &sends).await;
    let (facts, changes) = written(h, &claims, vec![Box::new(claim)]).await;
    followed.follow(&sends, &facts, &changes);
    assert_eq!(followed.user_day(town.merchant, town.alice).fen, fen(800));
    assert_eq!(format!("{followed:#?}"), format!("{:#?}", loaded(h, &sends).await));
}

/// Every kind of row made, and each kind that changes changed.
fn story(town: &Town) -> [Steps; 4] {
    let &Town { merchant, alice, bob, carol: _ } = town;
    let packet = |no| PacketKey { merchant, no: PacketNo::new(no) };
    let normal = a_send(merchant, "b1", normal_terms("alice", 800));
    let group = a_send(merchant, "b2", group_terms("alice", 900, 3));
    let too_much = a_send(merchant, "b3", normal_terms("bob", 6_000));
    let recharge = |amount, number| Recharge {
        merchant,
        account: FundingAccount::Operation,
        amount: fen(amount),
        reference: reference(number),
    };
    let (amount, payout) = (fen(100), PayoutKey { user: alice, reference: reference("w1") });
    [
        vec![
            Box::new(recharge(4_000, "r1")),
            Box::new(normal.clone()),
            Box::new(group.clone()),
            Box::new(too_much.clone()),
        ],
        vec![
            Box::new(a_claim(&normal, packet(1), alice)),
            Box::new(a_claim(&group, packet(2), alice)),
            Box::new(too_much.clone()),
            Box::new(a_link_claim(&group, packet(2), bob)),
        ],
        vec![
            Box::new(PayMerchant { user: alice, merchant, amount, reference: reference("p1") }),
            Box::new(TransferToUser { from: alice, to: bob, amount, reference: reference("t1") }),
            Box::new(WithdrawFromWallet { user: alice, amount, reference: reference("w1") }),
            Box::new(recharge(9_000, "r2")),
            Box::new(too_much),
        ],
        vec![
            Box::new(SettleWithdrawal { key: payout, delivered: false }),
            Box::new(AdvanceClock { merchant, seconds: 86_400, actor: Actor::command_line() }),
            Box::new(RefundPacket { packet: packet(2) }),
        ],
    ]
}

async fn loaded(h: &Harness, needs: &Needs) -> Facts {
    let facts =
        transact(h.store(), needs.clone(), |batch: &mut Batch| vec![batch.clone().finish().0]);
    facts.await.expect("the store loads").remove(0)
}

async fn written(h: &Harness, needs: &Needs, batch: Steps) -> (Facts, Changes) {
    let decide = move |decided: &mut Batch| {
        for step in &batch {
            drop(step.run(decided));
        }
        vec![decided.clone().finish()]
    };
    let written = transact(h.store(), needs.clone(), decide);
    written.await.expect("the store takes it").remove(0)
}
