//! What is damaged, on every store alike, and the busy day before.

#![expect(unreachable_pub, reason = "each test file has its own")]

pub mod cases;

use hongbao_domain::{
    Fen, UserId,
    merchant::{FundingAccount, Recharge, WithdrawFromMerchant},
    packet::RefundPacket,
    wallet::{PayMerchant, PayoutKey, SettleWithdrawal, TransferToUser, WithdrawFromWallet},
};
use hongbao_testkit::{
    Harness,
    builders::{
        a_claim, a_link_claim, a_merchant, a_send, a_user, group_terms, merchant_id, normal_terms,
        reference,
    },
    suite::follow_all,
};

/// What is done, in SQL, and the invariants it breaks. Alice is user 1, bob 2, carol 3; packets 1
/// and 2 are normal ones, claimed and refunded, 3 a group of which two of three shares were
/// claimed, 4 is open. Rows changed in their journal break the chain (18), too, and rows that the
/// schema forbids break 28 with the store's structure.
pub type Damage = (&'static str, &'static str, &'static [u8]);

pub const BALANCES: [Damage; 10] = [
    (
        "a wallet holds a fen too much",
        "UPDATE wallet SET wallet_fen = wallet_fen + 1 WHERE user_id = 1",
        &[2, 3, 7, 8],
    ),
    (
        "a merchant holds a fen too much",
        "UPDATE merchant_book SET basic_fen = basic_fen + 1",
        &[2, 3, 5, 8],
    ),
    ("a wallet is gone", "DELETE FROM wallet WHERE user_id = 2", &[2, 3, 8]),
    ("an entry was skipped", "UPDATE merchant_book SET escrow_seq = escrow_seq + 1", &[3]),
    (
        "a transfer moved nothing",
        "UPDATE merchant_journal SET amount = 0 WHERE kind = 2",
        &[1, 3, 5, 18, 28],
    ),
    (
        "an account was below zero in between",
        "UPDATE merchant_journal SET from_balance = -1 WHERE kind = 2",
        &[3, 4, 18, 28],
    ),
    (
        "a wallet was below zero in between",
        "UPDATE user_journal SET from_balance = -1 WHERE kind = 8",
        &[3, 4, 7, 18, 22, 28],
    ),
    (
        "a user's daily use is a packet too low",
        "UPDATE user_day SET packet_count = packet_count - 1 WHERE user_id = 1",
        &[29],
    ),
    ("a user's daily use is gone", "DELETE FROM user_day WHERE user_id = 1", &[29]),
    (
        "the merchant's daily use is a fen too low",
        "UPDATE merchant_book SET day_fen = day_fen - 1",
        &[29],
    ),
];

pub const JOURNALS: [Damage; 11] = [
    ("a hash was replaced", "UPDATE merchant_journal SET hash = zeroblob(32) WHERE seq = 3", &[18]),
    (
        "a hash of a user's journal was replaced",
        "UPDATE user_journal SET hash = zeroblob(32) WHERE seq = 1",
        &[18],
    ),
    (
        "the newest row is gone",
        "DELETE FROM user_journal WHERE kind = 9 AND reference = 'w3'",
        &[3, 7, 18, 22, 28],
    ),
    ("the head moved on", "UPDATE merchant_book SET journal_seq = journal_seq + 1", &[18]),
    (
        "a decision was made before the one above it",
        "UPDATE merchant_journal SET at = at - 1 WHERE kind = 4 AND packet_no = 3",
        &[17, 18],
    ),
    (
        "a limit counted a fen too much",
        "UPDATE merchant_journal SET limit_used_fen = limit_used_fen + 1 WHERE packet_no = 1",
        &[16, 18],
    ),
    (
        "a limit was above its cap",
        "UPDATE merchant_journal SET limit_cap_fen = 1 WHERE kind = 4 AND packet_no = 2",
        &[16, 18],
    ),
    (
        "a use counted on another day",
        "UPDATE merchant_journal SET limit_day = limit_day - 1 WHERE kind = 4 AND packet_no = 2",
        &[16, 17, 18],
    ),
    (
        "a share was claimed after the refund",
        "UPDATE merchant_journal SET packet_no = 3, kind = 5, share_no = 3, reference = NULL
         WHERE kind = 7",
        &[5, 6, 9, 14, 18, 22, 28],
    ),
    (
        "a packet was refunded twice",
        "UPDATE merchant_journal SET packet_no = 2 WHERE kind = 6 AND packet_no = 3",
        &[6, 14, 18],
    ),
    (
        "a packet was funded twice",
        "UPDATE merchant_journal SET packet_no = 1 WHERE kind = 4 AND packet_no = 2",
        &[13, 18],
    ),
];

pub const PACKETS: [Damage; 17] = [
    (
        "a user took two shares of a group",
        "UPDATE merchant_journal SET user_id = 1 WHERE kind = 5 AND packet_no = 3",
        &[3, 7, 9, 16, 18, 22, 29],
    ),
    (
        "a packet was not funded and its order refused",
        "INSERT INTO refused_order (merchant_id, packet_no, reason, since, attempts)
         VALUES (10000098, 4, '{\"refusal\":\"risk_stopped\",\"level\":1}', 0, 1);
         UPDATE packet SET funded_at = NULL WHERE packet_no = 4",
        &[5, 20, 22],
    ),
    ("a packet is gone", "DELETE FROM packet WHERE packet_no = 4", &[5, 20]),
    ("an order is gone", "DELETE FROM send_order WHERE packet_no = 4", &[12, 20, 31]),
    (
        "a packet was refunded early",
        "UPDATE packet SET expire_at = expire_at + 90000000 WHERE packet_no = 2",
        &[14],
    ),
    (
        "a refunded packet is open again",
        "UPDATE packet_progress SET settled_at = NULL WHERE packet_no = 2",
        &[5, 6, 14, 21],
    ),
    (
        "a packet forgot a claim",
        "UPDATE packet_progress SET claimed = 0, claimed_count = 0 WHERE packet_no = 3",
        &[5, 6, 9, 21],
    ),
    ("a packet forgot everything", "DELETE FROM packet_progress WHERE packet_no = 1", &[6, 9]),
    (
        "something was claimed of a packet that nobody sent",
        "INSERT INTO packet_progress (merchant_id, packet_no, claimed, claimed_count, version)
         VALUES (10000098, 9, 100, 1, 2)",
        &[20],
    ),
    (
        "a packet is worth a fen more",
        "UPDATE packet SET total = total + 1 WHERE packet_no = 4",
        &[5, 13],
    ),
    (
        "a packet changed once more",
        "UPDATE packet_progress SET version = 9 WHERE packet_no = 3",
        &[21],
    ),
    (
        "a normal packet is another user's",
        "UPDATE packet SET receiver_id = 3 WHERE packet_no = 1",
        &[9, 22],
    ),
    (
        "the shares follow from another seed",
        "UPDATE packet SET secret = zeroblob(16) WHERE packet_no = 3",
        &[10],
    ),
    (
        "a stored claim is a fen higher",
        "UPDATE group_claim SET amount = amount + 1 WHERE share_no = 1",
        &[9],
    ),
    ("a stored claim is gone", "DELETE FROM group_claim WHERE share_no = 2", &[9]),
    (
        "a stored claim is another user's",
        "UPDATE group_claim SET user_id = 3 WHERE share_no = 1",
        &[9],
    ),
    (
        "a stored claim was made at another time",
        "UPDATE group_claim SET at = at + 1 WHERE share_no = 1",
        &[9],
    ),
];

pub const HANDOVERS: [Damage; 8] = [
    (
        "a line of a history is gone",
        "DELETE FROM wallet_entry WHERE user_id = 1 AND seq = 1",
        &[22],
    ),
    (
        "a line of a history shows a fen more",
        "UPDATE wallet_entry SET delta = delta + 1 WHERE user_id = 2 AND seq = 1",
        &[22],
    ),
    (
        "a line of a history was invented",
        "INSERT INTO wallet_entry
             (user_id, seq, kind, delta, balance_after, merchant_id, reference, at)
         VALUES (3, 1, 5, 1, 1, 10000098, NULL, 0)",
        &[22],
    ),
    (
        "a cursor is ahead of its journal",
        "UPDATE follow_cursor SET followed_seq = followed_seq + 1",
        &[22],
    ),
    (
        "the cursor of a merchant without wallets is gone",
        "DELETE FROM follow_cursor WHERE merchant_id = 10000099",
        &[22],
    ),
    ("a message is gone", "DELETE FROM inbox_message WHERE packet_no = 4", &[22]),
    (
        "a message went to another user",
        "UPDATE inbox_message SET user_id = 2 WHERE packet_no = 4",
        &[22],
    ),
    (
        "a message has another form",
        "UPDATE inbox_message SET form = 3 - form WHERE packet_no = 4",
        &[22],
    ),
];

pub const REFERENCES: [Damage; 21] = [
    (
        "a merchant's reference stands for another kind",
        "UPDATE merchant_posted SET kind = 3 WHERE kind = 2",
        &[28],
    ),
    (
        "a merchant's reference stands for another account that gives",
        "UPDATE merchant_posted SET from_kind = 2 WHERE kind = 2",
        &[28],
    ),
    (
        "a merchant's reference stands for another account that takes",
        "UPDATE merchant_posted SET to_kind = 2 WHERE reference = 'first-money'",
        &[28],
    ),
    (
        "a merchant's reference stands for another time",
        "UPDATE merchant_posted SET at = at + 1 WHERE kind = 2",
        &[28],
    ),
    (
        "a payout was invented",
        "INSERT INTO payout (user_id, reference, amount, state, at) VALUES (2, 'w9', 100, 1, 0)",
        &[28],
    ),
    (
        "a merchant's reference is free again",
        "DELETE FROM merchant_posted WHERE reference = 'first-money'",
        &[28],
    ),
    ("a payment's reference is free again", "DELETE FROM user_posted WHERE kind = 7", &[28]),
    ("a transfer's reference is free again", "DELETE FROM user_posted WHERE kind = 8", &[28]),
    ("a withdrawal's reference is free again", "DELETE FROM user_posted WHERE kind = 9", &[28]),
    (
        "a merchant's reference stands for another amount",
        "UPDATE merchant_posted SET amount = amount + 1 WHERE kind = 2",
        &[28],
    ),
    (
        "a payment's reference stands for another merchant",
        "UPDATE user_posted SET to_merchant_id = 10000099 WHERE kind = 7",
        &[28],
    ),
    (
        "a transfer's reference stands for another user",
        "UPDATE user_posted SET to_user_id = 3 WHERE kind = 8",
        &[28],
    ),
    (
        "a merchant's reference is used up for nothing",
        "INSERT INTO merchant_posted
             (merchant_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
              to_merchant_id, to_user_id, amount, at)
         VALUES
             (10000098, 'r9', 1, 5, 10000098, NULL, 1, 10000098, NULL, 100, 0)",
        &[28],
    ),
    (
        "a user's reference is used up for nothing",
        "INSERT INTO user_posted
             (user_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
              to_merchant_id, to_user_id, amount, at)
         VALUES (1, 'w9', 9, 4, NULL, 1, 5, NULL, 1, 100, 0)",
        &[28],
    ),
    (
        "two recharges came under one reference",
        "UPDATE merchant_journal SET reference = 'first-money' WHERE reference = 'more-money'",
        &[18, 28],
    ),
    (
        "two withdrawals came under one reference",
        "UPDATE user_journal SET reference = 'w1' WHERE kind = 9 AND reference = 'w3'",
        &[18, 28],
    ),
    (
        "a returned payout is pending again",
        "UPDATE payout SET state = 1 WHERE reference = 'w2'",
        &[28],
    ),
    ("a paid payout is returned", "UPDATE payout SET state = 3 WHERE reference = 'w1'", &[28]),
    ("a payout is gone", "DELETE FROM payout WHERE reference = 'w1'", &[28]),
    (
        "a pending payout is a fen higher",
        "UPDATE payout SET amount = amount + 1 WHERE reference = 'w3'",
        &[28],
    ),
    ("an index is gone", "DROP INDEX payout_pending", &[28]),
];

/// Some of everything, followed to its end, and a second merchant that nothing happened to.
pub async fn a_busy_day(h: &Harness) {
    let merchant = a_merchant().with_money(100_000).in_store(h.store()).await;
    a_merchant().numbered(10_000_099).in_store(h.store()).await;
    let alice = a_user("alice").in_store(h.store()).await;
    let bob = a_user("bob").in_store(h.store()).await;
    let carol = a_user("carol").in_store(h.store()).await;
    assert_eq!([alice, bob, carol], [1, 2, 3].map(UserId::new));
    let first = a_send(merchant, "b1", normal_terms("alice", 500));
    let key = h.send(&first).await;
    h.ok(a_claim(&first, key, alice)).await;
    h.clock.pass_seconds(1);
    let second = h.send(&a_send(merchant, "b2", normal_terms("bob", 300))).await;
    let group = a_send(merchant, "b3", group_terms("alice", 900, 3));
    let third = h.send(&group).await;
    h.ok(a_claim(&group, third, alice)).await;
    h.ok(a_link_claim(&group, third, bob)).await;
    h.clock.pass_seconds(86_400);
    h.ok(RefundPacket { packet: second }).await;
    h.ok(RefundPacket { packet: third }).await;
    h.send(&a_send(merchant, "b4", normal_terms("carol", 200))).await;
    spend(h, alice, bob).await;
    follow_all(h.store()).await;
}

async fn spend(h: &Harness, alice: UserId, bob: UserId) {
    let merchant = merchant_id(10_000_098);
    h.ok(Recharge {
        merchant,
        account: FundingAccount::Basic,
        amount: Fen::new(100),
        reference: reference("more-money"),
    })
    .await;
    h.ok(WithdrawFromMerchant { merchant, amount: Fen::new(40), reference: reference("out") })
        .await;
    let (amount, reference_of_payment) = (Fen::new(100), reference("p1"));
    h.ok(PayMerchant { user: alice, merchant, amount, reference: reference_of_payment }).await;
    let (from, to) = (alice, bob);
    h.ok(TransferToUser { from, to, amount: Fen::new(50), reference: reference("t1") }).await;
    for (number, delivered) in [("w1", Some(true)), ("w2", Some(false)), ("w3", None)] {
        let (user, amount) = (alice, Fen::new(30));
        h.ok(WithdrawFromWallet { user, amount, reference: reference(number) }).await;
        if let Some(delivered) = delivered {
            let key = PayoutKey { user, reference: reference(number) };
            h.ok(SettleWithdrawal { key, delivered }).await;
        }
    }
}
