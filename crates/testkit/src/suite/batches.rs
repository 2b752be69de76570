//! Several commands in one transaction.

use hongbao_app::ports::OrderRecord;
use hongbao_domain::{
    Accepted, Command, Effects, Facts, MerchantId, Needs, PacketKey, PacketNo, Refusal, Verdict,
    facts::BatchError,
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    merchant::{FundingAccount, Recharge},
    packet::{Order, Packet, RefundPacket, Terms, Texts},
};

use super::{Harness, Step, run, run_all, run_steps, town::Town};
use crate::builders::{
    a_claim, a_merchant, a_send, an_order, fen, group_terms, normal_terms, reference, secret,
};

fn first_packet(town: &Town) -> PacketKey {
    PacketKey { merchant: town.merchant, no: PacketNo::new(1) }
}

/// A packet is sent and claimed before anybody has written anything.
pub async fn commands_of_one_batch_see_each_other(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let key = first_packet(&town);
    let steps: Vec<Box<dyn Step>> = vec![
        Box::new(send.clone()),
        Box::new(a_claim(&send, key, town.alice)),
        Box::new(a_claim(&send, key, town.alice)),
        Box::new(RefundPacket { packet: key }),
    ];
    assert_eq!(run_steps(h.store(), steps).await, vec![Ok(()); 4]);
    assert_eq!(h.wallet_fen(town.alice).await, 800);
    assert_eq!(h.accounts_fen(town.merchant).await, [999_200, 0, 0]);
    assert_eq!(h.packet(key).await.version, 2);
    assert_eq!(h.merchant(town.merchant).await.book.journal.seq, 3);
}

/// The second use of a number is a replay, whether or not the first is written yet.
pub async fn one_number_twice_in_a_batch_is_one_packet(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let results = run_all(h.store(), vec![send.clone(), send]).await;
    let replayed: Vec<bool> =
        results.into_iter().map(|sent| sent.expect("both are answered").replayed).collect();
    assert_eq!(replayed, [false, true]);
    assert_eq!(h.accounts_fen(town.merchant).await, [999_200, 0, 800]);
}

/// An order refused and cured inside one batch is written once, as it ended.
pub async fn an_order_refused_and_cured_in_one_batch_is_funded(h: &Harness) {
    let town = Town::of(h, a_merchant()).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let steps: Vec<Box<dyn Step>> =
        vec![Box::new(send.clone()), Box::new(recharge(&town, 800, "r1")), Box::new(send)];
    let results = run_steps(h.store(), steps).await;
    let (account, balance) = (AccountKind::Basic, fen(0));
    let too_low = Refusal::BalanceTooLow { account, balance };
    assert_eq!(results, [Err(BatchError::Refused(too_low)), Ok(()), Ok(())]);
    assert_eq!(h.packet(first_packet(&town)).await.total, fen(800));
}

fn recharge(town: &Town, amount: i64, number: &str) -> Recharge {
    Recharge {
        merchant: town.merchant,
        account: FundingAccount::Basic,
        amount: fen(amount),
        reference: reference(number),
    }
}

/// Orders made together are told apart by every term, and read back alone as they were asked for:
/// also the first, whose terms the others may share, and one that was refused.
pub async fn orders_of_one_batch_keep_their_own_terms(h: &Harness) {
    let town = Town::new(h).await;
    let other = a_merchant().numbered(10_000_099).with_money(1_600).in_store(h.store()).await;
    let base = || normal_terms("alice", 800);
    let texts = |change: fn(&mut Texts)| {
        let mut terms = base();
        change(&mut terms.texts);
        terms
    };
    let orders = [
        (town.merchant, base()),
        (town.merchant, normal_terms("bob", 700)),
        (town.merchant, texts(|texts| texts.send_name.push('!'))),
        (town.merchant, texts(|texts| texts.wishing.clear())),
        (town.merchant, texts(|texts| texts.act_name.push('!'))),
        (town.merchant, texts(|texts| texts.remark.push('!'))),
        (town.merchant, Terms { client_ip: None, ..base() }),
        (town.merchant, Terms { risk_info: Some("posttime=1".to_owned()), ..base() }),
        (town.merchant, base()),
        (other, base()),
        (other, normal_terms("bob", 700)),
        (other, base()),
    ];
    let sends = orders
        .iter()
        .enumerate()
        .map(|(number, (merchant, terms))| a_send(*merchant, &format!("b{number}"), terms.clone()));
    let sends: Vec<_> = sends.collect();
    let results = run_all(h.store(), sends.clone()).await;
    let (last, funded) = results.split_last().expect("there are orders");
    assert!(funded.iter().all(Result::is_ok), "{funded:?}");
    assert!(last.is_err(), "the other merchant had money for two");
    for send in sends {
        let order = h.store().order(&send.order).await.expect("orders are read");
        let order = order.expect("each left an order");
        assert_eq!(order.order.terms, send.terms, "{:?}", send.order);
    }
}

/// The balance left by the commands before decides (F-1).
pub async fn a_refusal_in_a_batch_leaves_the_others_alone(h: &Harness) {
    let town = Town::of(h, a_merchant().with_money(1_000)).await;
    let send = |number, fen| a_send(town.merchant, number, normal_terms("alice", fen));
    let commands = vec![send("b1", 600), send("b2", 600), send("b3", 400)];
    let results = run_all(h.store(), commands).await;
    let accepted: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [true, false, true]);
    assert_eq!(h.accounts_fen(town.merchant).await, [0, 0, 1_000]);
    assert!(h.find_order(&an_order(town.merchant, "b2")).await.is_some());
}

/// Replays and refusals write nothing at all.
pub async fn nothing_is_written_when_nothing_changed(h: &Harness) {
    let town = Town::new(h).await;
    let send = a_send(town.merchant, "b1", normal_terms("alice", 800));
    let key = h.send(&send).await;
    let before = h.merchant(town.merchant).await;
    let stranger = a_send(town.merchant, "b2", normal_terms("nobody", 800));
    let steps: Vec<Box<dyn Step>> =
        vec![Box::new(send), Box::new(stranger), Box::new(RefundPacket { packet: key })];
    let results = run_steps(h.store(), steps).await;
    assert!(results[0].is_ok() && results[1].is_err() && results[2].is_err());
    assert_eq!(h.merchant(town.merchant).await, before);
}

/// Several merchants, one transaction; each row is changed once.
pub async fn a_batch_over_two_merchants_is_written_whole(h: &Harness) {
    let here = Town::new(h).await;
    let there = a_merchant().numbered(10_000_099).with_money(500);
    let there = there.in_store(h.store()).await;
    let before = h.merchant(here.merchant).await.book.version;
    let results = run_all(
        h.store(),
        vec![
            a_send(here.merchant, "b1", normal_terms("alice", 100)),
            a_send(there, "b1", normal_terms("bob", 500)),
            a_send(here.merchant, "b2", normal_terms("bob", 100)),
        ],
    )
    .await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(h.accounts_fen(there).await, [0, 0, 500]);
    assert_eq!(h.accounts_fen(here.merchant).await, [999_800, 0, 200]);
    let after = h.merchant(here.merchant).await.book.version;
    assert_eq!(after, before + 1);
}

/// A command with a defect.
struct Defective {
    town: Town,
    panics: bool,
}

impl Command for Defective {
    const NAME: &str = "defective";

    type Outcome = ();

    fn journal(&self) -> Owner {
        Owner::Merchant(self.town.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.merchants.insert(self.town.merchant);
    }

    /// Its second transfer takes what is not there, if it gets so far.
    fn decide(&self, facts: &Facts) -> Verdict<()> {
        assert!(!self.panics, "a planted defect");
        let id = self.town.merchant;
        let out = |amount| Transfer {
            kind: TransferKind::MerchantWithdrawal,
            journal: Owner::Merchant(id),
            from: Account::merchant(id, AccountKind::Basic),
            to: Account::merchant(id, AccountKind::External),
            amount: fen(amount),
            subject: Subject::Reference(reference("defect")),
            limit: None,
            at: facts.now,
        };
        let effects = Effects { transfers: vec![out(1), out(i64::MAX)], ..Effects::default() };
        Ok(Accepted { outcome: (), effects })
    }
}

/// Nothing of it is booked, and what stands before and after it is.
pub async fn a_defect_leaves_the_batch_as_it_was(h: &Harness) {
    a_defect_stays_alone(h, false).await;
}

/// A decision that panics is a defect of its command, not of those it shares a batch with.
pub async fn a_decision_that_panics_leaves_the_batch_as_it_was(h: &Harness) {
    a_defect_stays_alone(h, true).await;
}

async fn a_defect_stays_alone(h: &Harness, panics: bool) {
    let town = Town::of(h, a_merchant()).await;
    let (first, second) = (recharge(&town, 100, "r1"), recharge(&town, 20, "r2"));
    let merchant = town.merchant;
    let steps: Vec<Box<dyn Step>> =
        vec![Box::new(first), Box::new(Defective { town, panics }), Box::new(second)];
    let results = run_steps(h.store(), steps).await;
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(results[1], Err(BatchError::Defect(_))));
    assert_eq!(h.accounts_fen(merchant).await, [120, 0, 0]);
    assert_eq!(h.merchant(merchant).await.book.journal.seq, 2);
}

/// A store may write a large batch in another way than a small one: what it holds then is the same.
pub async fn a_large_batch_is_kept_as_small_ones_are(h: &Harness) {
    let together = Town::of(h, a_merchant().with_money(100_000)).await.merchant;
    let alone = a_merchant().numbered(1_900_000_002).with_money(100_000).in_store(h.store()).await;
    let numbers: Vec<String> = (1..=600).map(|number| format!("b{number}")).collect();
    // The last ones are refused, because the money is gone.
    let terms = |at: usize| match at % 3 {
        0 => Terms { client_ip: None, ..normal_terms("alice", 200) },
        1 => Terms { risk_info: Some("posttime=1".to_owned()), ..normal_terms("bob", 100) },
        _ => group_terms("carol", 300, 3),
    };
    let sends = |merchant| -> Vec<_> {
        let numbered = numbers.iter().enumerate();
        numbered.map(|(at, number)| a_send(merchant, number, terms(at))).collect()
    };
    let mut results = run_all(h.store(), sends(together)).await.into_iter();
    for send in sends(alone) {
        let sent = results.next().expect("every command is answered").is_ok();
        assert_eq!(sent, run(h.store(), send.clone()).await.is_ok());
        let kept = h.find_order(&an_order(together, send.order.bill_no.as_str())).await;
        let single = h.find_order(&send.order).await.expect("the order is there");
        let kept = kept.expect("the order is there");
        assert_eq!(as_the_merchant_s(&kept, alone), as_the_merchant_s(&single, alone));
    }
    let (together, alone) = (h.merchant(together).await, h.merchant(alone).await);
    assert_eq!(together.book.basic, alone.book.basic);
    assert_eq!(together.book.escrow, alone.book.escrow);
    assert_eq!(together.book.journal.seq, alone.book.journal.seq);
    assert!(together.book.last_packet == 600 && together.book.journal.seq < 600);
}

/// An order and its packet as if they were `merchant`'s, without what is drawn for each.
fn as_the_merchant_s(record: &OrderRecord, merchant: MerchantId) -> (Order, Option<Packet>) {
    let own = |key: PacketKey| PacketKey { merchant, ..key };
    let order = Order { packet: own(record.order.packet), ..record.order.clone() };
    let packet = record.packet.clone().map(|packet| Packet {
        key: own(packet.key),
        secret: secret(&an_order(merchant, record.key.bill_no.as_str())),
        shares: vec![fen(1); packet.shares.len()],
        ..packet
    });
    (order, packet)
}
