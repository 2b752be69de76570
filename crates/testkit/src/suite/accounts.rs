//! Money into, inside and out of a merchant's accounts.

use hongbao_domain::{
    Fen, MerchantId, Refusal,
    ledger::{Account, AccountKind, TransferKind},
    merchant::{FundingAccount, MoveToOperation, Recharge, WithdrawFromMerchant},
    wallet::AMOUNT_MAX,
};

use super::{Harness, town::Town};
use crate::builders::{a_merchant, a_send, fen, normal_terms, reference};

fn recharge(merchant: MerchantId, fen: i64, number: &str) -> Recharge {
    Recharge {
        merchant,
        account: FundingAccount::Basic,
        amount: Fen::new(fen),
        reference: reference(number),
    }
}

fn to_operation(merchant: MerchantId, fen: i64, number: &str) -> MoveToOperation {
    MoveToOperation { merchant, amount: Fen::new(fen), reference: reference(number) }
}

fn withdraw(merchant: MerchantId, fen: i64, number: &str) -> WithdrawFromMerchant {
    WithdrawFromMerchant { merchant, amount: Fen::new(fen), reference: reference(number) }
}

/// A reference is used up by its first use (I-28).
pub async fn a_recharge_arrives_once(h: &Harness) {
    let merchant = a_merchant().in_store(h.store()).await;
    let first = h.ok(recharge(merchant, 500, "r1")).await;
    h.clock.pass_seconds(60);
    let again = h.ok(recharge(merchant, 500, "r1")).await;
    assert!(!first.replayed && again.replayed);
    assert_eq!(again.posted, first.posted);
    assert_eq!(first.posted.kind, TransferKind::Recharge);
    assert_eq!(h.accounts_fen(merchant).await, [500, 0, 0]);
}

/// Another amount under a used reference is refused (E-11).
pub async fn a_reference_stands_for_one_movement(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(500)).await;
    let id = town.merchant;
    h.ok(recharge(id, 500, "r1")).await;
    let other = h.refusal(recharge(id, 501, "r1")).await;
    assert_eq!(other, Refusal::ReferenceReused);
    let other = h.refusal(withdraw(id, 500, "r1")).await;
    assert_eq!(other, Refusal::ReferenceReused);
    h.ok(recharge(id, 500, "R1")).await;
    assert_eq!(h.accounts_fen(id).await, [1_500, 0, 0]);
}

/// Two merchants may use the same reference.
pub async fn references_belong_to_their_owner(h: &Harness) {
    let here = a_merchant().in_store(h.store()).await;
    let there = a_merchant().numbered(10_000_099).in_store(h.store()).await;
    for merchant in [here, there] {
        assert!(!h.ok(recharge(merchant, 500, "r1")).await.replayed);
        assert_eq!(h.accounts_fen(merchant).await, [500, 0, 0]);
    }
}

/// Basic to operation account, and back out of the basic one.
pub async fn money_moves_between_the_accounts_of_a_merchant(h: &Harness) {
    let builder = a_merchant().with_operation_account();
    let id = builder.in_store(h.store()).await;
    h.ok(recharge(id, 1_000, "r1")).await;
    let moved = h.ok(to_operation(id, 300, "m1")).await;
    assert_eq!(moved.posted.to, Account::merchant(id, AccountKind::Operation));
    assert!(h.ok(to_operation(id, 300, "m1")).await.replayed);
    h.ok(withdraw(id, 600, "w1")).await;
    assert!(h.ok(withdraw(id, 600, "w1")).await.replayed);
    assert_eq!(h.accounts_fen(id).await, [100, 300, 0]);
    let (account, balance) = (AccountKind::Basic, fen(100));
    let too_low = Refusal::BalanceTooLow { account, balance };
    assert_eq!(h.refusal(withdraw(id, 101, "w2")).await, too_low);
    assert_eq!(h.refusal(to_operation(id, 101, "m2")).await, too_low);
    let book = h.merchant(id).await.book;
    assert_eq!(book.external.amount, fen(-400));
}

/// It has to be opened first.
pub async fn an_operation_account_that_is_not_opened_takes_nothing(h: &Harness) {
    let id = a_merchant().with_money(500).in_store(h.store()).await;
    let closed = Refusal::OperationAccountNotOpened;
    assert_eq!(h.refusal(to_operation(id, 100, "m1")).await, closed);
    let direct = Recharge { account: FundingAccount::Operation, ..recharge(id, 100, "r1") };
    assert_eq!(h.refusal(direct).await, closed);
}

/// Once it is opened, the basic account is for receipts only.
pub async fn an_opened_operation_account_pays_for_sends(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(5_000)).await;
    let id = town.merchant;
    h.set(id, |settings| settings.operation_account_opened = true).await;
    let send = a_send(id, "b1", normal_terms("alice", 800));
    let (account, balance) = (AccountKind::Operation, fen(0));
    let empty = Refusal::BalanceTooLow { account, balance };
    assert_eq!(h.refusal(send.clone()).await, empty);
    h.ok(to_operation(id, 800, "m1")).await;
    let key = h.send(&send).await;
    assert_eq!(h.packet(key).await.paid_from, AccountKind::Operation);
    assert_eq!(h.accounts_fen(id).await, [4_200, 0, 800]);
}

/// Nothing, less than nothing, or more than any movement may be.
pub async fn amounts_that_no_movement_may_have_are_refused(h: &Harness) {
    let id = a_merchant().in_store(h.store()).await;
    let max = AMOUNT_MAX;
    for amount in [0, -1, i64::MIN, max.get() + 1] {
        let refusal = h.refusal(recharge(id, amount, "r1")).await;
        assert_eq!(refusal, Refusal::AmountNotAllowed { max });
    }
    h.ok(recharge(id, max.get(), "r1")).await;
    assert_eq!(h.accounts_fen(id).await, [max.get(), 0, 0]);
}

/// What a frozen merchant may not do, and that a thawed one may again.
pub async fn a_frozen_merchant_neither_sends_nor_withdraws(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let key = h.send(&send).await;
    h.set(town.merchant, |settings| settings.frozen = true).await;
    let frozen = Refusal::MerchantFrozen;
    let next = a_send(town.merchant, "b2", normal_terms("alice", 800));
    assert_eq!(h.refusal(next.clone()).await, frozen);
    assert!(h.find_order(&next.order).await.is_none());
    assert!(h.ok(send.clone()).await.replayed);
    let claim = crate::builders::a_claim(&send, key, town.alice);
    assert_eq!(h.refusal(claim.clone()).await, frozen);
    let out = withdraw(town.merchant, 100, "w1");
    assert_eq!(h.refusal(out.clone()).await, frozen);
    h.ok(recharge(town.merchant, 100, "r1")).await;
    h.set(town.merchant, |settings| settings.frozen = false).await;
    h.ok(claim).await;
    h.ok(out).await;
    h.send(&next).await;
}
