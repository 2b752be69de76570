//! Many at once: whoever wins, the sums are exact.

use std::sync::Arc;

use hongbao_domain::{Command, Refusal, UserId, facts::BatchError, packet::RefundPacket};
use tokio::task::JoinSet;

use super::{Harness, run, town::Town};
use crate::builders::{
    a_claim, a_link_claim, a_merchant, a_send, a_user, fen, group_terms, normal_terms,
};

/// Runs all commands at the same time; answers in no order.
async fn race<C: Command>(
    h: &Harness,
    commands: impl IntoIterator<Item = C>,
) -> Vec<Result<C::Outcome, BatchError>> {
    let mut tasks = JoinSet::new();
    for command in commands {
        let store = Arc::clone(&h.store);
        tasks.spawn(async move { run(&*store, command).await });
    }
    tasks.join_all().await
}

fn won<T>(results: &[Result<T, BatchError>]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}

/// Money for exactly eight packets, twenty-four sent (F-1).
pub async fn racing_sends_spend_the_balance_exactly(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(800)).await;
    let sends =
        (0..24).map(|n| a_send(town.merchant, &format!("b{n}"), normal_terms("alice", 100)));
    let results = race(h, sends).await;
    assert_eq!(won(&results), 8);
    assert_eq!(h.accounts_fen(town.merchant).await, [0, 0, 800]);
}

/// The same request twenty times is one packet (E-1).
pub async fn racing_sends_of_one_number_are_one_packet(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 100));
    let results = race(h, vec![send; 20]).await;
    let first = results.iter().flatten().filter(|sent| !sent.replayed).count();
    assert_eq!((won(&results), first), (20, 1));
    assert_eq!(h.accounts_fen(town.merchant).await, [999_900, 0, 100]);
}

/// Two shares left, sixteen users (F-2).
pub async fn racing_claims_take_every_share_once(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "g1", group_terms("alice", 900, 3));
    let key = h.send(&send).await;
    h.ok(a_claim(&send, key, town.alice)).await;
    let mut users: Vec<UserId> = Vec::new();
    for n in 0..16 {
        users.push(a_user(&format!("guest{n}")).in_store(h.store()).await);
    }
    let claims = users.iter().map(|user| a_link_claim(&send, key, *user));
    let results = race(h, claims.collect::<Vec<_>>()).await;
    assert_eq!(won(&results), 2);
    let lost = results.iter().filter_map(|result| result.as_ref().err());
    for refusal in lost {
        assert_eq!(*refusal, BatchError::Refused(Refusal::AllTaken));
    }
    assert_eq!(h.packet(key).await.claimed, fen(900));
}

/// One user, one group, many taps (F-3).
pub async fn racing_claims_of_one_user_are_one_claim(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "g1", group_terms("alice", 900, 3));
    let key = h.send(&send).await;
    let results = race(h, vec![a_claim(&send, key, town.alice); 16]).await;
    let mut amounts: Vec<_> = results.iter().flatten().map(|claimed| claimed.amount).collect();
    assert_eq!(amounts.len(), 16);
    amounts.dedup();
    assert_eq!(amounts, [h.wallet(town.alice).await.wallet.amount]);
}

/// Two jobs on two nodes refund once (E-10).
pub async fn racing_refunds_are_one_refund(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 100));
    let packet = h.send(&send).await;
    h.clock.pass_seconds(86_400);
    let results = race(h, vec![RefundPacket { packet }; 8]).await;
    let first = results.iter().flatten().filter(|refund| !refund.replayed);
    assert_eq!((won(&results), first.count()), (8, 1));
    assert_eq!(h.accounts_fen(town.merchant).await, [1_000_000, 0, 0]);
}
