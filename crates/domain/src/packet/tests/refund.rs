//! Refusals of a refund, in order of precedence.

use super::*;

fn ended() -> Case<RefundPacket> {
    let facts = after(facts(), &send("b1", normal("alice", 800)));
    let facts = reloaded(facts, NOW.plus_seconds(86_400));
    Case { facts, command: RefundPacket { packet: packet_key(1) } }
}

#[test]
#[rustfmt::skip]
fn a_refund_is_refused_for_the_first_reason_that_holds() {
    let expires_at = NOW.plus_seconds(86_400);
    let rows: [Row<RefundPacket>; 3] = [
        (|c| c.facts.packets.clear(),                                Refusal::PacketUnknown),
        (|c| c.facts.merchants.clear(),                              Refusal::MerchantUnknown),
        (|c| c.facts.now = c.facts.now.plus_millis(-1),              Refusal::NotExpired { expires_at }),
    ];
    check(ended, &rows);
}

#[test]
fn a_refund_is_answered_again_and_moves_nothing_again() {
    let Case { facts, command } = ended();
    let facts = after(facts, &command);
    let again = command.decide(&facts).unwrap();
    assert_eq!((again.outcome.amount, again.outcome.replayed), (fen(800), true));
    assert!(again.effects.transfers.is_empty() && again.effects.packet.is_none());
}
