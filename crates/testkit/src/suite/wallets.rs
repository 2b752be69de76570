//! Wallets: paying, passing on, withdrawing.

use hongbao_app::ports::PendingPayout;
use hongbao_domain::{
    Fen, Refusal, UserId,
    ledger::{AccountKind, TransferKind},
    wallet::{
        PayMerchant, PayoutKey, PayoutState, SettleWithdrawal, TransferToUser, WithdrawFromWallet,
    },
};

use super::{Harness, town::Town};
use crate::builders::{a_claim, a_record, a_send, fen, normal_terms, reference};

/// A town in which alice has ¥8.00.
async fn rich_alice(h: &Harness) -> Town {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let key = h.send(&send).await;
    h.ok(a_claim(&send, key, town.alice)).await;
    town
}

fn pay(town: &Town, fen: i64, number: &str) -> PayMerchant {
    PayMerchant {
        user: town.alice,
        merchant: town.merchant,
        amount: Fen::new(fen),
        reference: reference(number),
    }
}

fn pass_on(from: UserId, to: UserId, fen: i64, number: &str) -> TransferToUser {
    TransferToUser { from, to, amount: Fen::new(fen), reference: reference(number) }
}

fn withdraw(user: UserId, fen: i64, number: &str) -> WithdrawFromWallet {
    WithdrawFromWallet { user, amount: Fen::new(fen), reference: reference(number) }
}

fn settle(user: UserId, number: &str, delivered: bool) -> SettleWithdrawal {
    let key = PayoutKey { user, reference: reference(number) };
    SettleWithdrawal { key, delivered }
}

fn wallet_too_low(balance: i64) -> Refusal {
    Refusal::BalanceTooLow { account: AccountKind::Wallet, balance: fen(balance) }
}

async fn pending(h: &Harness) -> Vec<PendingPayout> {
    h.store.pending_payouts(None, 10).await.expect("payouts are read")
}

/// Wallet to basic account, once.
pub async fn a_user_pays_a_merchant_once(h: &Harness) {
    let town = rich_alice(h).await;
    let first = h.ok(pay(&town, 300, "p1")).await;
    let again = h.ok(pay(&town, 300, "p1")).await;
    assert!(!first.replayed && again.replayed);
    assert_eq!(again.posted, first.posted);
    assert_eq!(h.wallet_fen(town.alice).await, 500);
    assert_eq!(h.accounts_fen(town.merchant).await, [999_500, 0, 0]);
    let changed = h.refusal(pay(&town, 301, "p1")).await;
    assert_eq!(changed, Refusal::ReferenceReused);
    let refusal = h.refusal(pay(&town, 501, "p2")).await;
    assert_eq!(refusal, wallet_too_low(500));
}

/// Both histories show it at once: a user's journal needs no follower.
pub async fn a_transfer_shows_in_both_histories_at_once(h: &Harness) {
    let town = rich_alice(h).await;
    let transfer = pass_on(town.alice, town.bob, 300, "t1");
    h.ok(transfer.clone()).await;
    assert!(h.ok(transfer).await.replayed);
    assert_eq!(h.wallet_fen(town.alice).await, 500);
    assert_eq!(h.wallet_fen(town.bob).await, 300);
    for (user, seq, delta, after) in [(town.alice, 2, -300, 500), (town.bob, 1, 300, 300)] {
        let lines = h.store.wallet_entries(user, u64::MAX >> 1, 1).await;
        let lines = lines.expect("a history is read");
        let [line] = lines.as_slice() else {
            panic!("the newest line is missing: {lines:?}");
        };
        assert_eq!((line.user, line.seq), (user, seq));
        assert_eq!((line.delta, line.balance_after), (fen(delta), fen(after)));
        assert_eq!(line.kind, TransferKind::WalletTransfer);
        assert_eq!((line.merchant, line.at), (None, h.clock_now()));
    }
}

/// To oneself, to nobody, more than there is, nothing.
pub async fn a_transfer_that_makes_no_sense_is_refused(h: &Harness) {
    let town = rich_alice(h).await;
    let (alice, bob) = (town.alice, town.bob);
    let ghost = UserId::new(999_999);
    let max = hongbao_domain::wallet::AMOUNT_MAX;
    for (transfer, refusal) in [
        (pass_on(alice, alice, 100, "t1"), Refusal::SelfTransfer),
        (pass_on(alice, ghost, 100, "t1"), Refusal::UserUnknown),
        (pass_on(ghost, bob, 100, "t1"), Refusal::UserUnknown),
        (pass_on(alice, bob, 801, "t1"), wallet_too_low(800)),
        (pass_on(alice, bob, 0, "t1"), Refusal::AmountNotAllowed { max }),
        (pass_on(alice, bob, -5, "t1"), Refusal::AmountNotAllowed { max }),
    ] {
        assert_eq!(h.refusal(transfer).await, refusal);
    }
    assert_eq!(h.wallet_fen(alice).await, 800);
}

/// A user's references and a merchant's do not meet, even under the same number.
pub async fn references_of_users_are_their_own(h: &Harness) {
    let town = rich_alice(h).await;
    h.ok(pass_on(town.alice, town.bob, 300, "same")).await;
    let back = h.ok(pass_on(town.bob, town.alice, 100, "same")).await;
    assert!(!back.replayed);
    let other = h.refusal(pay(&town, 300, "same")).await;
    assert_eq!(other, Refusal::ReferenceReused);
}

/// It leaves at once and waits for the rail.
pub async fn a_withdrawal_is_pending_until_the_rail_says_paid(h: &Harness) {
    let town = rich_alice(h).await;
    h.ok(withdraw(town.alice, 300, "w1")).await;
    assert!(h.ok(withdraw(town.alice, 300, "w1")).await.replayed);
    assert_eq!(h.wallet_fen(town.alice).await, 500);
    let waiting = PendingPayout {
        user: town.alice,
        reference: reference("w1"),
        amount: fen(300),
        at: h.clock_now(),
    };
    assert_eq!(pending(h).await, [waiting]);
    for delivered in [true, true, false] {
        let settled = h.ok(settle(town.alice, "w1", delivered)).await;
        assert_eq!(settled.state, PayoutState::Paid);
    }
    assert_eq!(pending(h).await, []);
    assert_eq!(h.wallet_fen(town.alice).await, 500);
    let wallet = h.wallet(town.alice).await;
    assert_eq!(wallet.external.amount, fen(300));
}

/// What cannot be paid out comes back, once.
pub async fn a_withdrawal_that_fails_comes_back_once(h: &Harness) {
    let town = rich_alice(h).await;
    h.ok(withdraw(town.alice, 800, "w1")).await;
    for delivered in [false, false, true] {
        let settled = h.ok(settle(town.alice, "w1", delivered)).await;
        assert_eq!(settled.state, PayoutState::Returned);
        assert_eq!(h.wallet_fen(town.alice).await, 800);
    }
    assert_eq!(pending(h).await, []);
    let unknown = h.refusal(settle(town.alice, "w2", true)).await;
    assert_eq!(unknown, Refusal::WithdrawalUnknown);
    let unknown = h.refusal(settle(town.bob, "w1", true)).await;
    assert_eq!(unknown, Refusal::WithdrawalUnknown);
}

/// Oldest first, as many as asked for.
pub async fn pending_payouts_are_listed_oldest_first(h: &Harness) {
    let town = rich_alice(h).await;
    h.ok(pass_on(town.alice, town.bob, 400, "t1")).await;
    for (user, number) in [(town.bob, "w3"), (town.alice, "w1"), (town.bob, "w2")] {
        h.clock.pass_seconds(1);
        h.ok(withdraw(user, 100, number)).await;
    }
    let page = async |after: Option<&PendingPayout>| {
        h.store.pending_payouts(after, 2).await.expect("payouts are read")
    };
    let numbers = |page: &[PendingPayout]| -> Vec<String> {
        page.iter().map(|payout| payout.reference.as_str().to_owned()).collect()
    };
    let first = page(None).await;
    assert_eq!(numbers(&first), ["w3", "w1"]);
    assert_eq!(numbers(&page(first.last()).await), ["w2"]);
}

/// Nothing in, nothing out; earlier answers are given again.
pub async fn a_frozen_wallet_neither_gives_nor_takes(h: &Harness) {
    let town = rich_alice(h).await;
    h.ok(pass_on(town.alice, town.bob, 200, "t0")).await;
    let send = a_send(town.merchant, "b2", normal_terms("alice", 100));
    let key = h.send(&send).await;
    let freeze = async |frozen| {
        let done = h.store.set_wallet_frozen(town.alice, frozen, a_record(None)).await;
        assert!(done.expect("a wallet is frozen"));
        assert_eq!(h.wallet(town.alice).await.frozen, frozen);
    };
    freeze(true).await;
    let frozen = Refusal::WalletFrozen;
    assert_eq!(h.refusal(pay(&town, 100, "p1")).await, frozen);
    let out = pass_on(town.alice, town.bob, 100, "t1");
    assert_eq!(h.refusal(out.clone()).await, frozen);
    let back = pass_on(town.bob, town.alice, 100, "t1");
    assert_eq!(h.refusal(back).await, frozen);
    let cash = withdraw(town.alice, 100, "w1");
    assert_eq!(h.refusal(cash).await, frozen);
    let claim = a_claim(&send, key, town.alice);
    assert_eq!(h.refusal(claim.clone()).await, frozen);
    assert!(h.ok(pass_on(town.alice, town.bob, 200, "t0")).await.replayed);
    freeze(false).await;
    h.ok(claim).await;
    h.ok(out).await;
    let nobody = UserId::new(999_999);
    let done = h.store.set_wallet_frozen(nobody, true, a_record(None)).await;
    assert!(!done.expect("nobody is frozen"));
}

/// A freeze and a batch do not undo each other.
pub async fn moving_money_leaves_the_freeze_as_it_is(h: &Harness) {
    let town = rich_alice(h).await;
    h.ok(withdraw(town.alice, 100, "w1")).await;
    let done = h.store.set_wallet_frozen(town.alice, true, a_record(None)).await;
    assert!(done.expect("a wallet is frozen"));
    h.ok(settle(town.alice, "w1", false)).await;
    let wallet = h.wallet(town.alice).await;
    assert_eq!((wallet.frozen, wallet.wallet.amount), (true, fen(800)));
}

/// Pages newest first, without gap or repetition.
pub async fn a_history_is_read_in_pages(h: &Harness) {
    let town = rich_alice(h).await;
    for number in ["p1", "p2", "p3", "p4"] {
        h.ok(pay(&town, 100, number)).await;
    }
    super::follow_all(h.store()).await;
    let page = async |before| {
        let page = h.store.wallet_entries(town.alice, before, 2).await;
        let page = page.expect("a history is read");
        page.into_iter()
            .map(|line| (line.seq, line.delta.get(), line.reference))
            .collect::<Vec<_>>()
    };
    let line = |seq, number| (seq, -100, Some(reference(number)));
    assert_eq!(page(6).await, [line(5, "p4"), line(4, "p3")]);
    assert_eq!(page(4).await, [line(3, "p2"), line(2, "p1")]);
    assert_eq!(page(2).await, [(1, 800, None)]);
    assert_eq!(page(1).await, []);
    let newest = h.store.wallet_entries(town.alice, 6, 1).await;
    let newest = newest.expect("a history is read");
    let merchants: Vec<_> = newest.iter().map(|line| line.merchant).collect();
    assert_eq!(merchants, [Some(town.merchant)]);
}
