//! Random lives: whatever is asked in whatever order, the books hold after each step.

use proptest::{collection::vec, prelude::*, strategy::ValueTree as _};

use super::{books, *};
use crate::{
    ledger::JournalRow,
    merchant::{FundingAccount, Recharge},
};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Normal { number: u8, to: usize, total: i64 },
    Group { number: u8, to: usize, total: i64, count: u32 },
    Claim { packet: u64, user: usize, access: Access },
    Refund { packet: u64 },
    Recharge { number: u8, amount: i64 },
}

/// Few numbers, few users, caps within reach: things meet.
fn a_step() -> impl Strategy<Value = Step> {
    let access = prop_oneof![Just(Access::Message), Just(Access::SharedLink)];
    prop_oneof![
        2 => (0_u8..20, 0_usize..3, 50_i64..2_500)
            .prop_map(|(number, to, total)| Step::Normal { number, to, total }),
        2 => (0_u8..20, 0_usize..3, 250_i64..4_000, 2_u32..6)
            .prop_map(|(number, to, total, count)| Step::Group { number, to, total, count }),
        12 => (1_u64..12, 0_usize..3, access)
            .prop_map(|(packet, user, access)| Step::Claim { packet, user, access }),
        2 => (1_u64..12).prop_map(|packet| Step::Refund { packet }),
        1 => (0_u8..9, -10_i64..5_000).prop_map(|(number, amount)| Step::Recharge { number, amount }),
    ]
}

/// Steps of one batch, and how long the clock runs before it.
fn a_batch() -> impl Strategy<Value = (i64, Vec<Step>)> {
    let pause = prop_oneof![8 => 0_i64..3_000, 1 => Just(86_400_i64), 1 => Just(-600_i64)];
    (pause, vec(a_step(), 1..4))
}

fn user(index: usize) -> (UserId, &'static str) {
    USERS[index]
}

/// What a step is answered: accepted or not. A defect is a failed test.
fn run(batch: &mut Batch, step: &Step) -> bool {
    fn told<T>(result: Result<T, BatchError>) -> bool {
        result.map_or_else(
            |error| match error {
                BatchError::Refused(_) => false,
                BatchError::Defect(defect) => panic!("{defect}"),
            },
            |_| true,
        )
    }
    let send = |number: &u8, terms| send(&format!("b{number}"), terms);
    match step {
        Step::Normal { number, to, total } => {
            told(batch.run(&send(number, normal(user(*to).1, *total))))
        }
        Step::Group { number, to, total, count } => {
            told(batch.run(&send(number, group(user(*to).1, *total, *count))))
        }
        Step::Claim { packet, user: index, access } => {
            told(batch.run(&claim(*packet, user(*index).0, *access)))
        }
        Step::Refund { packet } => told(batch.run(&RefundPacket { packet: packet_key(*packet) })),
        Step::Recharge { number, amount } => told(batch.run(&Recharge {
            merchant: shop(),
            account: FundingAccount::Basic,
            amount: fen(*amount),
            reference: format!("r{number}").parse().unwrap(),
        })),
    }
}

/// A shop with nothing, no journal behind it, and caps within reach.
fn an_empty_shop() -> Facts {
    let mut facts = facts();
    for slot in facts.merchants.values_mut() {
        slot.row.book = Book::default();
        let caps = &mut Arc::make_mut(&mut slot.row.settings).caps;
        caps.merchant_day_fen = fen(9_000);
        caps.user_day_fen = fen(3_000);
        caps.user_day_count = 3;
    }
    facts
}

/// Runs batches and checks the books after each step; how many steps were accepted.
fn live(batches: &[(i64, Vec<Step>)]) -> (usize, Facts) {
    let mut facts = an_empty_shop();
    let mut journal: Vec<JournalRow> = Vec::new();
    let mut accepted = 0;
    let first = Step::Recharge { number: 99, amount: 12_000 };
    let opening = (0, vec![first]);
    for (pause, steps) in std::iter::once(&opening).chain(batches) {
        let now = facts.now.plus_seconds(*pause);
        let mut batch = Batch::new(reloaded(facts, now));
        for step in steps {
            accepted += usize::from(run(&mut batch, step));
            let (facts, changes) = batch.clone().finish();
            let rows: Vec<JournalRow> = journal.iter().cloned().chain(changes.journal).collect();
            books::check(&facts, &rows);
        }
        let (ended, changes) = batch.finish();
        journal.extend(changes.journal);
        facts = ended;
    }
    (accepted, facts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_books_hold_after_every_step_of_every_life(batches in vec(a_batch(), 1..30)) {
        live(&batches);
    }
}

/// A generator whose steps are all refused would prove nothing.
#[test]
fn random_lives_reach_every_end_of_a_packet() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = [0_u32; 3];
    let mut accepted = 0;
    for _ in 0..100 {
        let batches = vec(a_batch(), 30).new_tree(&mut runner).unwrap().current();
        let (steps, facts) = live(&batches);
        accepted += steps;
        for slot in facts.packets.values() {
            let end = match slot.row.state {
                PacketState::Open => 0,
                PacketState::Claimed { .. } => 1,
                PacketState::Refunded { .. } => 2,
            };
            seen[end] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "open, claimed, refunded: {seen:?}");
    assert!(accepted > 1_500, "only {accepted} steps were accepted");
}
