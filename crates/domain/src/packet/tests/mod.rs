//! Tables of decisions, and random lives of packets.
//!
//! A row of a table is one change to facts and command that otherwise go well, and the refusal it
//! must lead to. Each row is run alone and together with all rows below it: the row that stands
//! first is the answer, so the table is the order of precedence.

mod books;
mod claim;
mod refund;
mod send;
mod sequences;

use std::{collections::BTreeMap, sync::Arc};

use super::*;
use crate::{
    Batch, BillNo, Facts, MerchantId, OpenId, PacketCode, PacketNo, Refusal, Slot,
    facts::{BatchError, Command, Receiver, ReceiverKey},
    ids::{Access, AppId},
    ledger::Balance,
    merchant::{AppKind, Book, BoundApp, Merchant, SendWay, Settings},
    message::Following,
    risk::Standing,
    wallet::Wallet,
};

const NOW: Timestamp = Timestamp::from_millis(1_772_416_800_000);
const ALICE: UserId = UserId::new(1);
const BOB: UserId = UserId::new(2);
const CAROL: UserId = UserId::new(3);
const USERS: [(UserId, &str); 3] = [(ALICE, "alice"), (BOB, "bob"), (CAROL, "carol")];

fn shop() -> MerchantId {
    MerchantId::try_new(10_000_098).unwrap()
}

fn provider() -> MerchantId {
    MerchantId::try_new(20_000_001).unwrap()
}

fn stranger() -> MerchantId {
    MerchantId::try_new(30_000_001).unwrap()
}

fn app(name: &str) -> AppId {
    name.parse().unwrap()
}

fn openid(name: &str) -> OpenId {
    name.parse().unwrap()
}

fn bill_no(text: &str) -> BillNo {
    text.parse().unwrap()
}

fn fen(fen: i64) -> Fen {
    Fen::new(fen)
}

fn merchant(id: MerchantId, money: i64) -> Merchant {
    let mut settings = Settings::new("Lantern Tea".to_owned());
    settings.product.opened = true;
    settings.provider = id == provider();
    settings.apps.push(BoundApp { app: app("wx"), kind: AppKind::OfficialAccount });
    let basic = Balance { amount: fen(money), seq: 1 };
    Merchant { id, settings: Arc::new(settings), book: Book { basic, ..Book::default() } }
}

/// Three merchants with ¥10,000 each, three users known to each of them, one authorization.
fn facts() -> Facts {
    let mut facts = Facts { now: NOW, ..Facts::default() };
    facts.authorizations.insert((provider(), shop()));
    for id in [shop(), provider(), stranger()] {
        facts.merchants.insert(id, Slot::loaded(merchant(id, 1_000_000)));
        for (user, name) in USERS {
            let key = ReceiverKey { payer: id, app: app("wx"), openid: openid(name) };
            let (standing, following) = (Standing::Normal, Following::default());
            facts.receivers.insert(key, Receiver { user, standing, following });
        }
    }
    for (user, _) in USERS {
        facts.wallets.insert(user, Slot::loaded(Wallet::new(user)));
    }
    facts
}

fn normal(receiver: &str, total: i64) -> Terms {
    Terms {
        kind: PacketKind::Normal,
        way: SendWay::Api,
        app: app("wx"),
        openid: openid(receiver),
        total: fen(total),
        share_count: 1,
        scene: None,
        sub_merchant: None,
        message_app: None,
        texts: Texts::default(),
        client_ip: None,
        risk_info: None,
    }
}

fn group(receiver: &str, total: i64, share_count: u32) -> Terms {
    Terms { kind: PacketKind::Group, share_count, ..normal(receiver, total) }
}

fn send(number: &str, terms: Terms) -> SendPacket {
    SendPacket {
        order: OrderKey { caller: shop(), bill_no: bill_no(number) },
        payer: shop(),
        terms: Arc::new(terms),
        secret: PacketSecret::new([7; 16]),
    }
}

fn packet_key(no: u64) -> PacketKey {
    PacketKey { merchant: shop(), no: PacketNo::new(no) }
}

fn claim(no: u64, user: UserId, access: Access) -> ClaimShare {
    let code = PacketCode::new(packet_key(no), &PacketSecret::new([7; 16]), access);
    ClaimShare { code, user }
}

/// The facts after a command that must be accepted.
fn after<C: Command>(facts: Facts, command: &C) -> Facts {
    let mut batch = Batch::new(facts);
    assert_eq!(batch.run(command).map(|_| ()), Ok(()));
    batch.finish().0
}

/// What a change works on.
struct Case<C> {
    facts: Facts,
    command: C,
}

impl<C> Case<C> {
    fn merchant(&mut self, id: MerchantId) -> &mut Merchant {
        &mut self.facts.merchants.get_mut(&id).unwrap().row
    }

    fn settings(&mut self, id: MerchantId) -> &mut Settings {
        Arc::make_mut(&mut self.merchant(id).settings)
    }
}

type Row<C> = (fn(&mut Case<C>), Refusal);

/// Runs each row alone, then with every row below it.
fn check<C: Command + Clone>(happy: impl Fn() -> Case<C>, rows: &[Row<C>]) {
    let refused = |rows: &[Row<C>]| {
        let Case { facts, command } = rows.iter().rev().fold(happy(), |mut case, (change, _)| {
            change(&mut case);
            case
        });
        let mut batch = Batch::new(facts);
        let result = batch.run(&command).map(|_| ());
        let (_, changes) = batch.finish();
        assert!(changes.journal.is_empty(), "a refusal moves no money");
        result
    };
    let Case { facts, command } = happy();
    assert_eq!(Batch::new(facts).run(&command).map(|_| ()), Ok(()), "the happy case");
    for (place, (_, refusal)) in rows.iter().enumerate() {
        let expected = Err(BatchError::Refused(refusal.clone()));
        assert_eq!(refused(&rows[place..=place]), expected, "row {place} alone");
        assert_eq!(refused(&rows[place..]), expected, "row {place} before those below");
    }
}

/// Facts as the next batch would load them.
fn reloaded(facts: Facts, now: Timestamp) -> Facts {
    fn reload<K: Ord, V: Versioned>(slots: BTreeMap<K, Slot<V>>) -> BTreeMap<K, Slot<V>> {
        slots.into_iter().map(|(key, slot)| (key, Slot::loaded(slot.row))).collect()
    }
    Facts {
        now,
        merchants: reload(facts.merchants),
        packets: reload(facts.packets),
        user_days: reload(facts.user_days),
        wallets: reload(facts.wallets),
        ..facts
    }
}
