//! What a lane's queue promises to busy journals and to quiet ones.

use std::{pin::pin, time::Duration};

use hongbao_domain::{MerchantId, UserId, ledger::Owner};
use tokio::time::{Instant, timeout};

use super::{COMPANY_BATCHES, LaneQueue, NoPlace};

/// What a lane takes of which nothing is known yet.
const BATCH_MAX: usize = super::super::BATCH_MAX / 8;
const SHARE_MAX: usize = BATCH_MAX / 4;
/// What a journal may have in one batch, and wait for another, while it is alone.
const ALONE_MAX: usize = 2 * BATCH_MAX;

type Command = (u64, usize);

fn owner(number: u64) -> Owner {
    Owner::Merchant(MerchantId::try_new(1_900_000_000 + number).unwrap())
}

fn push(queue: &LaneQueue<Command>, number: u64, commands: std::ops::Range<usize>) -> usize {
    let pushed = commands.map(|command| queue.push(owner(number), (number, command)));
    pushed.flatten().count()
}

async fn take(queue: &LaneQueue<Command>) -> Vec<Command> {
    queue.take(1).await.unwrap().commands
}

fn of(batch: &[Command], number: u64) -> Vec<usize> {
    batch.iter().filter(|(owner, _)| *owner == number).map(|(_, command)| *command).collect()
}

#[tokio::test]
async fn a_journal_alone_fills_whole_batches_in_its_order() {
    let queue = LaneQueue::new();
    assert_eq!(push(&queue, 1, 0..ALONE_MAX + 1), ALONE_MAX);
    let first = take(&queue).await;
    assert_eq!(of(&first, 1), (0..ALONE_MAX).collect::<Vec<_>>());
    assert_eq!(push(&queue, 1, ALONE_MAX..ALONE_MAX + 5), 5);
    assert_eq!(of(&take(&queue).await, 1), (ALONE_MAX..ALONE_MAX + 5).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_quiet_journal_is_in_the_next_batch_however_many_wait_before_it() {
    let queue = LaneQueue::new();
    push(&queue, 1, 0..ALONE_MAX);
    push(&queue, 2, 0..3);
    let batch = take(&queue).await;
    assert_eq!(of(&batch, 2), [0, 1, 2]);
    assert_eq!(of(&batch, 1), (0..SHARE_MAX).collect::<Vec<_>>());
}

#[tokio::test]
async fn batches_of_a_busy_journal_stay_short_until_it_was_alone_for_a_while() {
    let queue = LaneQueue::new();
    let mut pushed = push(&queue, 1, 0..ALONE_MAX);
    push(&queue, 2, 0..1);
    let mut next = 0;
    for _ in 0..COMPANY_BATCHES {
        let batch = of(&take(&queue).await, 1);
        assert_eq!(batch, (next..next + SHARE_MAX).collect::<Vec<_>>());
        next += SHARE_MAX;
        pushed += push(&queue, 1, pushed..pushed + SHARE_MAX);
    }
    assert_eq!(pushed - next, BATCH_MAX, "in company it holds half of the places");
    take(&queue).await;
    assert_eq!(push(&queue, 1, 0..ALONE_MAX + 1), ALONE_MAX);
    assert_eq!(take(&queue).await.len(), ALONE_MAX);
}

#[tokio::test]
async fn many_busy_journals_share_a_full_batch_equally_and_quiet_ones_leave_their_part() {
    let queue = LaneQueue::new();
    for number in 0..16 {
        push(&queue, number, 0..BATCH_MAX / 16 + 100);
    }
    let batch = take(&queue).await;
    assert_eq!(batch.len(), BATCH_MAX);
    for number in 0..16 {
        assert_eq!(of(&batch, number).len(), BATCH_MAX / 16, "journal {number}");
    }
    let rest = take(&queue).await;
    assert_eq!(rest.len(), 1_600, "what was left");
    for number in 0..15 {
        push(&queue, number, 0..1);
    }
    push(&queue, 15, 0..BATCH_MAX);
    assert_eq!(
        take(&queue).await.len(),
        15 + SHARE_MAX,
        "the rest of 15 journals goes to the 16th"
    );
}

#[tokio::test]
async fn who_found_no_room_in_a_batch_is_first_in_the_next() {
    let queue = LaneQueue::new();
    let journals = BATCH_MAX as u64 * 2 / 3;
    for number in 0..journals {
        push(&queue, number, 0..3);
    }
    let (first, second) = (take(&queue).await, take(&queue).await);
    let mut seen: Vec<u64> = first.iter().chain(&second).map(|(number, _)| *number).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len() as u64, journals);
}

#[tokio::test]
async fn a_busy_journal_holds_no_more_places_than_are_free() {
    let queue = LaneQueue::new();
    assert_eq!(push(&queue, 1, 0..3 * BATCH_MAX), ALONE_MAX);
    assert_eq!(push(&queue, 2, 0..3 * BATCH_MAX), BATCH_MAX / 2, "half of what was left");
    assert_eq!(push(&queue, 1, 0..1), 0);
    let quiet = (3..1_000).map(|number| push(&queue, number, 0..1)).sum::<usize>();
    assert_eq!(quiet, 997, "there is room for whoever has little");
}

#[tokio::test]
async fn a_full_batch_of_a_journal_alone_is_taken_early_and_keeps_its_places() {
    let queue = LaneQueue::new();
    assert_eq!(push(&queue, 1, 0..ALONE_MAX - 1), ALONE_MAX - 1);
    let mut early = pin!(queue.take_early());
    let too_early = timeout(Duration::ZERO, &mut early).await;
    assert!(too_early.is_err(), "it would become larger by waiting");
    assert_eq!(push(&queue, 1, ALONE_MAX - 1..ALONE_MAX), 1);
    assert_eq!(early.await.commands.len(), ALONE_MAX);
    assert_eq!(push(&queue, 1, 0..ALONE_MAX), 1, "as one that has nothing waiting");
    assert_eq!(push(&queue, 2, 0..3 * BATCH_MAX), BATCH_MAX / 2, "as if all waited");
    assert_eq!(push(&queue, 1, 0..1), 0);
    queue.turn_came();
    let left = 2 * BATCH_MAX - (1 + BATCH_MAX / 2);
    assert_eq!(push(&queue, 1, 0..3 * BATCH_MAX), left / 2, "half of what is left");
}

#[tokio::test]
async fn nothing_is_taken_early_while_others_are_there() {
    let queue = LaneQueue::new();
    push(&queue, 1, 0..ALONE_MAX);
    push(&queue, 2, 0..1);
    assert!(timeout(Duration::ZERO, queue.take_early()).await.is_err());
    assert_eq!(of(&take(&queue).await, 2), [0]);
}

#[tokio::test]
async fn batches_that_overlap_took_the_lane_only_the_time_between_their_ends() {
    let second = Duration::from_secs(1);
    let start = Instant::now();
    let (one, overlapping) = (LaneQueue::<Command>::new(), LaneQueue::<Command>::new());
    for turn in 0..8 {
        let (begun, done) = (start + turn * second, start + (turn + 1) * second);
        let expected = one.paced(false, BATCH_MAX, begun, done);
        let early = if turn == 0 { begun } else { begun - second };
        assert_eq!(overlapping.paced(false, BATCH_MAX, early, done), expected);
    }
}

#[tokio::test]
async fn a_lane_that_turns_out_slow_has_smaller_batches_and_fewer_places() {
    let queue = LaneQueue::new();
    push(&queue, 1, 0..ALONE_MAX);
    let mut now = Instant::now();
    for _ in 0..50 {
        let begun = now;
        now += Duration::from_secs(1);
        queue.paced(false, BATCH_MAX, begun, now);
    }
    let alone_max = take(&queue).await.len();
    assert_eq!(alone_max, 2 * 512, "what the slowest one may take");
    assert_eq!(push(&queue, 1, 0..1), 0, "more wait than there are places");
    assert_eq!(push(&queue, 2, 0..9), 9, "which keeps nobody else out");
    while queue.lock().waiting > 0 {
        take(&queue).await;
    }
    assert_eq!(push(&queue, 2, 0..BATCH_MAX), alone_max / 2, "in company");
}

#[tokio::test]
async fn thousands_of_people_leave_a_merchant_its_part() {
    let queue = LaneQueue::new();
    for user in 0..BATCH_MAX * 3 / 2 {
        let journal = Owner::User(UserId::new(user.try_into().unwrap()));
        assert!(queue.push(journal, (0, user)).is_ok());
    }
    push(&queue, 1, 0..BATCH_MAX / 4);
    let merchants = of(&take(&queue).await, 1).len() + of(&take(&queue).await, 1).len();
    assert!(merchants >= BATCH_MAX / 65, "{merchants}: a turn beside 64, not beside thousands");
}

#[tokio::test]
async fn a_closed_queue_gives_what_it_holds_and_takes_no_more() {
    let queue = LaneQueue::new();
    push(&queue, 1, 0..2);
    queue.close();
    assert_eq!(queue.push(owner(1), (1, 2)), Err(NoPlace::Closed));
    assert_eq!(take(&queue).await.len(), 2);
    assert!(queue.take(1).await.is_none());
}

#[tokio::test]
async fn an_abandoned_queue_gives_back_what_waits_so_that_callers_hear_of_it() {
    let queue = LaneQueue::new();
    push(&queue, 1, 0..2);
    push(&queue, 2, 0..1);
    assert_eq!(queue.abandon().len(), 3);
    assert_eq!(queue.push(owner(1), (1, 2)), Err(NoPlace::Closed));
    assert!(queue.take(1).await.is_none());
}
