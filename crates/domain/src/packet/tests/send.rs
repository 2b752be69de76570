//! Refusals of a send, in order of precedence.

use super::*;
use crate::{
    facts::{Accepted, Refused},
    ledger::AccountKind,
    limit::DayUse,
    merchant::Scene,
    risk::RiskLevel,
};

type Change = fn(&mut Case<SendPacket>);

fn by_merchant() -> Case<SendPacket> {
    Case { facts: facts(), command: send("b1", normal("alice", 800)) }
}

fn by_provider() -> Case<SendPacket> {
    let Case { facts, mut command } = by_merchant();
    command.order.caller = provider();
    let mut case = Case { facts, command };
    case.terms().sub_merchant = Some(shop());
    case
}

impl Case<SendPacket> {
    fn terms(&mut self) -> &mut Terms {
        Arc::make_mut(&mut self.command.terms)
    }

    fn caller(&mut self) -> &mut Settings {
        self.settings(self.command.order.caller)
    }

    /// The order that used the number before, refused a day ago unless a row says otherwise.
    fn earlier(&mut self) -> &mut Order {
        let since = NOW.plus_seconds(-REFUSED_ORDER_SECONDS);
        let refused = RefusedOrder { reason: Refusal::MoneyOverflow, since, attempts: 1 };
        let order = Order {
            packet: PacketKey { merchant: self.command.payer, no: PacketNo::new(1) },
            created_at: since,
            terms: Arc::clone(&self.command.terms),
            state: OrderState::Refused(refused),
        };
        self.facts.orders.entry(self.command.order.clone()).or_insert(order)
    }

    fn first_terms(&mut self) -> &mut Terms {
        Arc::make_mut(&mut self.earlier().terms)
    }

    fn used_today(&mut self, used: DayUse) {
        let slot = Slot::new(used);
        self.facts.user_days.entry((shop(), ALICE)).or_insert(slot).row = used;
    }
}

fn day_use(fen: i64, count: u32) -> DayUse {
    DayUse { version: 3, day: NOW.day(), fen: Fen::new(fen), count }
}

fn no_message_app(case: &mut Case<SendPacket>) {
    case.terms().message_app = Some(app("wx-message"));
}

fn no_message_app_at_first(case: &mut Case<SendPacket>) {
    case.first_terms().message_app = Some(app("wx-message"));
}

fn only_mobile(case: &mut Case<SendPacket>) {
    case.caller().apps = vec![BoundApp { app: app("wx"), kind: AppKind::MobileApp }];
}

fn bots_are_stopped(case: &mut Case<SendPacket>) {
    case.settings(shop()).risk_level = RiskLevel::try_new(2).unwrap();
    case.facts.receivers.values_mut().for_each(|receiver| receiver.standing = Standing::Zombie);
}

/// What both a merchant and a provider can be refused for, in three stretches: what only a
/// provider can be refused for stands between the second and the third of [`provider_rows`].
#[rustfmt::skip]
fn number_and_product() -> Vec<Row<SendPacket>> {
    let way = SendWay::Api;
    vec![
        ((|c| c.first_terms().openid = openid("bob")) as Change,     Refusal::ReceiverChanged),
        (|c| c.first_terms().total = fen(801),                       Refusal::AmountChanged),
        (|c| c.first_terms().scene = Some(Scene::TaxReceiptPrizes),        Refusal::TermChanged { term: "scene" }),
        (|c| c.earlier().created_at = NOW,                           Refusal::OrderExpired { since: NOW.plus_seconds(-86_400) }),
        (|c| c.caller().frozen = true,                               Refusal::MerchantFrozen),
        (|c| c.caller().product.opened = false,                      Refusal::ProductNotOpened),
        (|c| c.caller().product.ways.api = false,                    Refusal::WayClosed { way }),
    ]
}

#[rustfmt::skip]
fn provider_rows() -> Vec<Row<SendPacket>> {
    vec![
        ((|c| c.facts.authorizations.clear()) as Change,             Refusal::NotAuthorized { sub_merchant: shop() }),
        (|c| c.terms().kind = PacketKind::Group,                     Refusal::ProviderSendsNormalOnly),
    ]
}

#[rustfmt::skip]
fn apps() -> Vec<Row<SendPacket>> {
    vec![
        ((|c| c.command.payer = stranger()) as Change,               Refusal::PayerNotAllowed),
        (only_mobile,                                                Refusal::AppKindNotAllowed { app: app("wx") }),
        (|c| c.caller().apps.clear(),                                Refusal::AppNotBound { app: app("wx") }),
    ]
}

#[rustfmt::skip]
fn packet_and_limits() -> Vec<Row<SendPacket>> {
    let scene = Scene::PrizeDraw;
    let account = AccountKind::Basic;
    vec![
        ((|c| c.terms().scene = Some(Scene::PrizeDraw)) as Change,   Refusal::SceneNotOpened { scene }),
        (|c| c.terms().share_count = 2,                              Refusal::ShareCountOutOfRange { min: 1, max: 1 }),
        (|c| c.terms().total = fen(99),                              Refusal::AmountOutOfRange { min: fen(100), max: fen(20_000) }),
        (|c| c.facts.receivers.clear(),                              Refusal::ReceiverUnknown),
        (bots_are_stopped,                                           Refusal::RiskStopped { level: 2 }),
        (|c| c.merchant(shop()).book.day = day_use(99_999_201, 9),   Refusal::MerchantDayAmount { cap: fen(100_000_000), used: fen(99_999_201) }),
        (|c| c.used_today(day_use(99_201, 10)),                      Refusal::UserDayCount { cap: 10, used: 10 }),
        (|c| c.used_today(day_use(99_201, 9)),                       Refusal::UserDayAmount { cap: fen(100_000), used: fen(99_201) }),
        (|c| c.merchant(shop()).book.basic.amount = fen(799),        Refusal::BalanceTooLow { account, balance: fen(799) }),
    ]
}

fn in_order_of_the_variants(rows: &[Row<SendPacket>]) {
    let refusals: Vec<&Refusal> = rows.iter().map(|(_, refusal)| refusal).collect();
    assert!(refusals.is_sorted(), "{refusals:?}");
}

#[test]
fn a_merchants_send_is_refused_for_the_first_reason_that_holds() {
    let rows = [number_and_product(), apps(), packet_and_limits()].concat();
    in_order_of_the_variants(&rows);
    check(by_merchant, &rows);
}

#[test]
fn a_providers_send_is_refused_for_the_first_reason_that_holds() {
    let message_app = app("wx-message");
    let message: Row<SendPacket> =
        (no_message_app, Refusal::MessageAppNotBound { app: message_app });
    let product = number_and_product();
    let rows = [product, provider_rows(), apps(), vec![message], packet_and_limits()].concat();
    in_order_of_the_variants(&rows);
    check(by_provider, &rows);
}

#[test]
fn amounts_and_counts_end_where_the_original_says() {
    let range = |min, max| Some(Refusal::AmountOutOfRange { min: fen(min), max: fen(max) });
    let count = Some(Refusal::ShareCountOutOfRange { min: 3, max: 20 });
    #[rustfmt::skip]
    let rows = [
        (normal("alice", 99),         range(100, 20_000)),
        (normal("alice", 100),        None),
        (normal("alice", 20_000),     None),
        (normal("alice", 20_001),     range(100, 20_000)),
        (normal("alice", 0),          range(100, 20_000)),
        (normal("alice", -100),       range(100, 20_000)),
        (normal("alice", i64::MIN),   range(100, 20_000)),
        (normal("alice", i64::MAX),   range(100, 20_000)),
        (group("alice", 900, 0),      count.clone()),
        (group("alice", 900, 2),      count.clone()),
        (group("alice", 299, 3),      range(300, 60_000)),
        (group("alice", 300, 3),      None),
        (group("alice", 60_000, 3),   None),
        (group("alice", 60_001, 3),   range(300, 60_000)),
        (group("alice", 100_000, 20), None),
        (group("alice", 100_001, 20), range(2_000, 100_000)),
        (group("alice", 9_000, 21),   count.clone()),
        (group("alice", 900, u32::MAX), count),
    ];
    for (terms, refusal) in rows {
        let verdict = send("b1", terms.clone()).decide(&facts());
        assert_eq!(verdict.err().map(|refused| refused.refusal), refusal, "{terms:?}");
    }
}

#[test]
fn only_refusals_that_can_be_cured_leave_an_order() {
    let rows = [number_and_product(), apps(), packet_and_limits()].concat();
    for (change, refusal) in rows {
        let mut case = by_merchant();
        change(&mut case);
        let verdict = case.command.decide(&case.facts);
        let Err(Refused { refusal: found, kept }) = verdict else {
            panic!("{refusal:?} was accepted");
        };
        assert_eq!(found, refusal);
        assert_eq!(kept.is_some(), refusal.keeps_order(), "{refusal:?}");
        if let Some(order) = kept {
            assert!(matches!(order.1.state, OrderState::Refused(_)), "{order:?}");
        }
    }
}

/// Each change is run alone and together with all below it, as in the tables. The sub-merchant
/// stands above receiver and amount, unlike the variant that names it.
#[test]
fn another_term_under_the_same_number_is_refused_by_its_name() {
    let term = |term| Refusal::TermChanged { term };
    #[rustfmt::skip]
    let rows: Vec<Row<SendPacket>> = vec![
        ((|c| c.first_terms().sub_merchant = None) as Change, term("sub_merchant")),
        (|c| c.first_terms().app = app("wx2"),                Refusal::ReceiverChanged),
        (|c| c.first_terms().openid = openid("bob"),          Refusal::ReceiverChanged),
        (|c| c.first_terms().total = fen(801),                Refusal::AmountChanged),
        (|c| c.first_terms().share_count = 2,                 term("share_count")),
        (|c| c.first_terms().kind = PacketKind::Group,        term("kind")),
        (|c| c.first_terms().scene = Some(Scene::PrizeDraw),  term("scene")),
        (no_message_app_at_first,                             term("message_app")),
        (|c| c.earlier().packet.merchant = stranger(),        term("payer")),
    ];
    check(by_provider, &rows);
}

#[test]
fn limits_and_balance_are_used_to_the_last_fen() {
    let mut case = by_merchant();
    case.merchant(shop()).book.day = day_use(99_999_200, 9);
    case.used_today(day_use(99_200, 9));
    case.merchant(shop()).book.basic.amount = fen(800);
    let Accepted { effects, .. } = case.command.decide(&case.facts).unwrap();
    let (_, day) = effects.merchant_day.unwrap();
    assert_eq!((day.fen, day.count, day.version), (fen(100_000_000), 10, 4));
}

#[test]
fn a_send_of_a_merchant_that_is_not_there_is_refused() {
    let mut case = by_merchant();
    case.facts.merchants.clear();
    let verdict = case.command.decide(&case.facts);
    assert_eq!(verdict.unwrap_err().refusal, Refusal::MerchantUnknown);
}

#[test]
fn a_replay_is_answered_before_anything_about_the_merchant_is_looked_at() {
    let mut case = by_merchant();
    case.facts = after(case.facts, &case.command);
    for (change, refusal) in packet_and_limits().into_iter().skip(3) {
        change(&mut case);
        let replay = case.command.decide(&case.facts).unwrap();
        assert!(replay.outcome.replayed, "{refusal:?}");
        assert!(replay.effects.transfers.is_empty());
    }
    case.settings(shop()).frozen = true;
    assert!(case.command.decide(&case.facts).unwrap().outcome.replayed);
}
