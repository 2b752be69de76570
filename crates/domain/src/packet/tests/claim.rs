//! Refusals of a claim, in order of precedence.

use super::*;
use crate::limit::DayUse;

type Change = fn(&mut Case<ClaimShare>);

/// A group of three shares that alice has opened; bob comes by the link.
fn by_link() -> Case<ClaimShare> {
    let facts = after(facts(), &send("g1", group("alice", 900, 3)));
    let facts = after(facts, &claim(1, ALICE, Access::Message));
    Case { facts, command: claim(1, BOB, Access::SharedLink) }
}

/// A packet for alice, and alice.
fn by_message() -> Case<ClaimShare> {
    let facts = after(facts(), &send("b1", normal("alice", 800)));
    Case { facts, command: claim(1, ALICE, Access::Message) }
}

impl Case<ClaimShare> {
    fn packet(&mut self) -> &mut Packet {
        &mut self.facts.packets.get_mut(&packet_key(1)).unwrap().row
    }

    fn used_today(&mut self, fen: i64, count: u32) {
        let used = DayUse { version: 3, day: NOW.day(), fen: Fen::new(fen), count };
        for user in [ALICE, BOB] {
            self.facts.user_days.insert((shop(), user), Slot::new(used));
        }
    }
}

fn frozen(case: &mut Case<ClaimShare>) {
    case.facts.wallets.values_mut().for_each(|slot| slot.row.frozen = true);
}

fn nothing_claimed_yet(case: &mut Case<ClaimShare>) {
    let packet = case.packet();
    (packet.claimed, packet.claimed_count) = (Fen::ZERO, 0);
}

fn made_up(case: &mut Case<ClaimShare>) {
    case.packet().secret = PacketSecret::new([8; 16]);
}

#[test]
#[rustfmt::skip]
fn a_claim_by_link_is_refused_for_the_first_reason_that_holds() {
    let expired_at = NOW;
    let rows: [Row<ClaimShare>; 10] = [
        (made_up as Change,                                          Refusal::PacketUnknown),
        (|c| c.settings(shop()).frozen = true,                       Refusal::MerchantFrozen),
        (|c| c.command = claim(1, BOB, Access::Message),             Refusal::NotTheReceiver),
        (|c| c.packet().expire_at = NOW,                             Refusal::PacketExpired { expired_at }),
        (nothing_claimed_yet,                                        Refusal::SeedFirst),
        (|c| c.packet().claimed_count = 3,                           Refusal::AllTaken),
        (|c| c.facts.wallets.clear(),                                Refusal::UserUnknown),
        (frozen,                                                     Refusal::WalletFrozen),
        (|c| c.used_today(100_000, 10),                              Refusal::UserDayCount { cap: 10, used: 10 }),
        (|c| c.used_today(100_000, 9),                               Refusal::UserDayAmount { cap: fen(100_000), used: fen(100_000) }),
    ];
    check(by_link, &rows);
}

#[test]
#[rustfmt::skip]
fn a_claim_of_a_normal_packet_is_refused_for_the_first_reason_that_holds() {
    let expired_at = NOW;
    let rows: [Row<ClaimShare>; 8] = [
        ((|c| c.facts.packets.clear()) as Change,                    Refusal::PacketUnknown),
        (|c| c.settings(shop()).frozen = true,                       Refusal::MerchantFrozen),
        (|c| c.command = claim(1, BOB, Access::SharedLink),          Refusal::NotTheReceiver),
        (|c| c.packet().expire_at = NOW,                             Refusal::PacketExpired { expired_at }),
        (|c| c.facts.wallets.clear(),                                Refusal::UserUnknown),
        (frozen,                                                     Refusal::WalletFrozen),
        (|c| c.used_today(99_201, 10),                               Refusal::UserDayCount { cap: 10, used: 10 }),
        (|c| c.used_today(99_201, 9),                                Refusal::UserDayAmount { cap: fen(100_000), used: fen(99_201) }),
    ];
    check(by_message, &rows);
}

#[test]
fn yesterdays_use_does_not_count() {
    let mut case = by_message();
    case.used_today(100_000, 10);
    let yesterday = NOW.plus_seconds(-86_400).day();
    for slot in case.facts.user_days.values_mut() {
        slot.row.day = yesterday;
    }
    let accepted = case.command.decide(&case.facts).unwrap();
    let (_, day) = accepted.effects.user_day.unwrap();
    assert_eq!((day.fen, day.count, day.version, day.day), (fen(800), 1, 4, NOW.day()));
}

#[test]
fn a_claim_that_was_made_is_answered_whatever_holds_now() {
    for happy in [by_link, by_message] {
        let mut case = happy();
        case.facts = after(case.facts, &case.command);
        case.settings(shop()).frozen = true;
        case.packet().expire_at = NOW;
        case.used_today(100_000, 10);
        frozen(&mut case);
        let again = case.command.decide(&case.facts).unwrap();
        assert!(again.outcome.replayed && again.effects.transfers.is_empty());
    }
}
