//! What the jobs ask for: due packets and journals to follow.

use hongbao_app::ports::{DuePacket, JournalCursor, StoreError};
use hongbao_domain::{
    MerchantId, PacketKey,
    change::Actor,
    ledger::{Owner, TransferKind},
    merchant::AdvanceClock,
    packet::RefundPacket,
};

use super::{Harness, books::deliver, town::Town};
use crate::{
    builders::{a_claim, a_merchant, a_send, merchant_id, normal_terms},
    clock::DAY_SECONDS,
    model::wallet_entries_of,
};

async fn due(h: &Harness, limit: u32) -> Vec<DuePacket> {
    let scan = h.store.due_packets(h.clock_now(), limit).await;
    scan.expect("due packets are read").packets
}

async fn due_keys(h: &Harness) -> Vec<PacketKey> {
    let due = due(h, 100).await;
    due.into_iter().map(|due| due.packet).collect()
}

async fn send(h: &Harness, merchant: MerchantId, number: &str) -> PacketKey {
    h.send(&a_send(merchant, number, normal_terms("alice", 100))).await
}

/// Over all merchants, from the millisecond they end, and never a settled one.
pub async fn due_packets_come_oldest_first_over_all_merchants(h: &Harness) {
    let town = Town::new(h).await;
    let other = a_merchant().numbered(10_000_001).with_money(1_000);
    let other = other.in_store(h.store()).await;
    let mut sent = Vec::new();
    for (merchant, number) in [(town.merchant, "b1"), (other, "b1"), (town.merchant, "b2")] {
        h.clock.pass_seconds(1);
        sent.push(send(h, merchant, number).await);
    }
    h.clock.pass_seconds(86_400 - 3);
    assert_eq!(due(h, 100).await, []);
    let first_end = h.clock.pass_seconds(1);
    let first = DuePacket { packet: sent[0], expire_at: first_end };
    assert_eq!(due(h, 100).await, [first]);
    h.clock.pass_seconds(60);
    assert_eq!(due_keys(h).await, sent);
    let oldest: Vec<_> = due(h, 2).await.iter().map(|due| due.packet).collect();
    assert_eq!(oldest, sent[..2]);
    h.ok(RefundPacket { packet: sent[1] }).await;
    assert_eq!(due_keys(h).await, [sent[0], sent[2]]);
}

/// Nothing to claim, nothing due.
pub async fn a_claimed_packet_is_never_due(h: &Harness) {
    let town = Town::new(h).await;
    let give = a_send(town.merchant, "b1", normal_terms("alice", 100));
    let key = h.send(&give).await;
    h.ok(a_claim(&give, key, town.alice)).await;
    h.clock.pass_seconds(86_400);
    assert_eq!(due_keys(h).await, []);
}

/// By each merchant's own clock; what is due, claimed or further away is not soon.
pub async fn packets_that_end_within_the_hour_are_counted(h: &Harness) {
    let soon = async |look_at_max| {
        let counted = h.store.expiring(h.clock_now(), 3_600, look_at_max).await;
        counted.expect("they are counted")
    };
    let town = Town::new(h).await;
    let give = a_send(town.merchant, "b1", normal_terms("alice", 100));
    let claimed = h.send(&give).await;
    for number in ["b2", "b3", "b4"] {
        send(h, town.merchant, number).await;
    }
    assert_eq!(soon(100).await, 0);
    h.clock.pass_seconds(DAY_SECONDS - 3_600);
    assert_eq!(soon(100).await, 4);
    h.ok(a_claim(&give, claimed, town.alice)).await;
    assert_eq!(soon(100).await, 3);
    assert!(soon(1).await <= 1, "no more is told than was looked at");
    h.clock.pass_seconds(3_600);
    assert_eq!(soon(100).await, 0);
}

/// Each merchant's own clock says when its packets end.
pub async fn due_packets_go_by_their_merchants_clock(h: &Harness) {
    let town = Town::new(h).await;
    let box_of_sand = a_merchant().numbered(10_000_001).sandbox();
    let sandbox = box_of_sand.with_money(1_000).in_store(h.store()).await;
    send(h, town.merchant, "b1").await;
    let ahead = send(h, sandbox, "b1").await;
    h.ok(AdvanceClock { merchant: sandbox, seconds: 86_400, actor: Actor::command_line() }).await;
    assert_eq!(due_keys(h).await, [ahead]);
    let now = h.clock_now();
    let scan = h.store.due_packets(now, 100).await.expect("it is read");
    let mut times = scan.times;
    times.sort_unstable();
    let expected = [(sandbox, now.plus_seconds(86_400)), (town.merchant, now)];
    assert_eq!(times, expected);
}

/// The next scan starts where the last one found nothing; the newest told time counts. (A store
/// need not write a step of less than a minute.)
pub async fn a_scan_starts_where_everything_before_is_settled(h: &Harness) {
    let town = Town::new(h).await;
    let settled = async |through| {
        let told = h.store.settled_through(&[(town.merchant, through)]).await;
        told.expect("it is remembered");
    };
    let old = send(h, town.merchant, "b1").await;
    let old_end = h.packet(old).await.expire_at;
    h.clock.pass_seconds(10);
    let new = send(h, town.merchant, "b2").await;
    h.clock.pass_seconds(86_400);
    assert_eq!(due_keys(h).await, [old, new]);
    settled(old_end.plus_seconds(-3_600)).await;
    assert_eq!(due_keys(h).await, [old, new]);
    settled(old_end).await;
    assert_eq!(due_keys(h).await, [new]);
    settled(old_end.plus_millis(-1)).await;
    assert_eq!(due_keys(h).await, [old, new]);
}

/// A server that ran with its clock years ahead told a time that is not true any more.
pub async fn the_clock_went_back_over_a_restart_and_packets_are_still_refunded(h: &Harness) {
    const FOUR_YEARS: i64 = 4 * 365 * DAY_SECONDS;
    let town = Town::new(h).await;
    let scan_that_finds_nothing = async || {
        let scan = h.store.due_packets(h.clock_now(), 100).await;
        let scan = scan.expect("due packets are read");
        assert_eq!(scan.packets, []);
        let told = h.store.settled_through(&scan.times).await;
        told.expect("it is remembered");
    };
    h.clock.pass_seconds(FOUR_YEARS);
    scan_that_finds_nothing().await;
    h.clock.pass_seconds(-FOUR_YEARS);
    let first = send(h, town.merchant, "b1").await;
    h.clock.pass_seconds(10);
    let second = send(h, town.merchant, "b2").await;
    h.clock.pass_seconds(DAY_SECONDS - 10);
    assert_eq!(due_keys(h).await, [first]);
    h.ok(RefundPacket { packet: first }).await;
    scan_that_finds_nothing().await;
    // From here on the cursor is true again.
    h.clock.pass_seconds(10);
    assert_eq!(due_keys(h).await, [second]);
    h.ok(RefundPacket { packet: second }).await;
    h.clock.pass_seconds(FOUR_YEARS);
    assert_eq!(due_keys(h).await, []);
}

/// A merchant stands in the list until its cursor is at the head.
pub async fn a_journal_is_unfollowed_until_its_cursor_is_at_the_head(h: &Harness) {
    let town = Town::new(h).await;
    a_merchant().numbered(10_000_001).in_store(h.store()).await;
    send(h, town.merchant, "b1").await;
    let unfollowed = async || h.store.unfollowed(None, 10).await.expect("cursors are read");
    let cursor = |followed| JournalCursor { merchant: town.merchant, followed, head: 2 };
    assert_eq!(unfollowed().await, [cursor(0)]);
    let moved = h.store.follow(town.merchant, 0, 1, &[]).await;
    moved.expect("a journal is followed");
    assert_eq!(unfollowed().await, [cursor(1)]);
    for from in [0, 2] {
        let result = h.store.follow(town.merchant, from, 2, &[]).await;
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    }
    assert_eq!(unfollowed().await, [cursor(1)]);
    let rows = h.store.journal_after(Owner::Merchant(town.merchant), 1, 1).await;
    deliver(h.store(), &rows.expect("a journal is read")).await;
    let moved = h.store.follow(town.merchant, 1, 2, &[]).await;
    moved.expect("a journal is followed");
    assert_eq!(unfollowed().await, []);
}

/// No more cursors than asked for, and the next ones after the last: a merchant that is always
/// behind does not hide another.
pub async fn unfollowed_journals_come_in_pages(h: &Harness) {
    for number in [10_000_001, 10_000_002, 10_000_003] {
        let merchant = a_merchant().numbered(number).with_money(100);
        merchant.in_store(h.store()).await;
    }
    let mut pages = Vec::new();
    let mut last = None;
    for length in [2, 1, 0] {
        let page = h.store.unfollowed(last, 2).await.expect("cursors are read");
        assert_eq!(page.len(), length);
        last = page.last().map(|cursor| cursor.merchant).or(last);
        pages.extend(page.iter().map(|cursor| cursor.merchant));
    }
    assert_eq!(pages, [10_000_001, 10_000_002, 10_000_003].map(merchant_id));
}

/// A claim shows in the history once its journal was followed, once; a lost race writes nothing.
pub async fn following_a_journal_writes_each_line_once(h: &Harness) {
    let town = Town::new(h).await;
    let give = a_send(town.merchant, "b1", normal_terms("alice", 100));
    let key = h.send(&give).await;
    h.ok(a_claim(&give, key, town.alice)).await;
    let history = async || {
        let lines = h.store.wallet_entries(town.alice, 100, 10).await;
        lines.expect("a history is read")
    };
    assert_eq!(history().await, []);
    let owner = Owner::Merchant(town.merchant);
    let rows = h.store.journal_after(owner, 0, 10).await;
    let rows = rows.expect("a journal is read");
    let lines: Vec<_> = rows.iter().flat_map(wallet_entries_of).collect();
    let lost = h.store.follow(town.merchant, 2, 3, &lines).await;
    assert!(matches!(lost, Err(StoreError::Conflict { .. })), "{lost:?}");
    assert_eq!(history().await, []);
    deliver(h.store(), &rows).await;
    for (from, to) in [(0, 2), (2, 3)] {
        let moved = h.store.follow(town.merchant, from, to, &lines).await;
        moved.expect("a journal is followed");
        assert_eq!(history().await, lines);
    }
}

/// In order, after a number, at most so many.
pub async fn a_journal_is_read_in_pages(h: &Harness) {
    let town = Town::new(h).await;
    for number in ["b1", "b2", "b3"] {
        send(h, town.merchant, number).await;
    }
    let owner = Owner::Merchant(town.merchant);
    let page = async |seq| {
        let rows = h.store.journal_after(owner, seq, 2).await;
        let rows = rows.expect("a journal is read");
        rows.into_iter().map(|row| (row.seq, row.transfer.kind)).collect::<Vec<_>>()
    };
    assert_eq!(page(0).await, [(1, TransferKind::Recharge), (2, TransferKind::Send)]);
    assert_eq!(page(2).await, [(3, TransferKind::Send), (4, TransferKind::Send)]);
    assert_eq!(page(4).await, []);
    let nobody = h.store.journal_after(Owner::User(town.bob), 0, 2).await;
    assert_eq!(nobody.expect("a journal is read"), []);
}

/// What is written later does not show in a view taken before.
pub async fn one_view_of_the_books_stays_as_it_was(h: &Harness) {
    let town = Town::new(h).await;
    send(h, town.merchant, "b1").await;
    let mut view = h.store.audit_source().await.expect("books are opened");
    send(h, town.merchant, "b2").await;
    let merchants = view.merchants().await.expect("merchants are read");
    let seqs: Vec<u64> = merchants.iter().map(|m| m.book.journal.seq).collect();
    assert_eq!(seqs, [2]);
    let packets = view.packets(town.merchant, 0, 10).await;
    assert_eq!(packets.expect("packets are read").len(), 1);
    let owner = Owner::Merchant(town.merchant);
    let rows = view.journal(owner, 0, 10).await;
    assert_eq!(rows.expect("a journal is read").len(), 2);
    let orders = view.orders(town.merchant, "", 10).await;
    assert_eq!(orders.expect("orders are read").len(), 1);
}
