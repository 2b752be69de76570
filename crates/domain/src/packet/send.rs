//! Sending: from a request to money in escrow.
//!
//! The order of the checks is the order of [`Refusal`]: first what the number says, then the
//! merchant and its product, then the packet, and last the causes that can be cured, which leave
//! an order. After the last check nothing is refused any more.

use std::sync::Arc;

use super::{Order, OrderKey, OrderState, Packet, PacketKind, PacketState, RefusedOrder, Terms};
use crate::{
    facts::{Accepted, Command, Effects, Facts, Needs, Receiver, ReceiverKey, Refused, Verdict},
    ids::{AppId, ListId, MerchantId, PacketKey, PacketNo, PacketSecret},
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    merchant::{AppKind, Merchant, SendWay},
    money::Fen,
    refusal::Refusal,
    split::{self, SplitSeed, SplitTerms},
    time::Timestamp,
};

/// Fewest people of a group packet (an error text of the live interface, 2019).
pub const GROUP_COUNT_MIN: u32 = 3;
/// Most people of a group packet (the same).
pub const GROUP_COUNT_MAX: u32 = 20;

/// Sends one packet.
#[derive(Clone, Debug)]
pub struct SendPacket {
    /// Number and caller.
    pub order: OrderKey,
    /// Whose money it is: the caller's, or that of the merchant a provider sends for.
    pub payer: MerchantId,
    /// What to send.
    pub terms: Arc<Terms>,
    /// Sixteen random bytes.
    pub secret: PacketSecret,
}

/// A packet that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The platform's number.
    pub list_id: ListId,
    /// Where it is stored.
    pub packet: PacketKey,
    /// When its order was made.
    pub created_at: Timestamp,
    /// True when an earlier call with the same number sent it.
    pub replayed: bool,
}

impl Command for SendPacket {
    const NAME: &str = "send_packet";

    type Outcome = Sent;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.payer)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.merchants.insert(self.payer);
        needs.merchants.insert(self.order.caller);
        needs.orders.insert(self.order.clone());
        if let Some(sub_merchant) = self.terms.sub_merchant {
            needs.merchants.insert(sub_merchant);
            needs.authorizations.insert((self.order.caller, sub_merchant));
        }
        needs.receivers.extend(self.receiver_keys());
    }

    fn decide(&self, facts: &Facts) -> Verdict<Sent> {
        let earlier = facts.order(&self.order);
        if let Some(order) = earlier {
            order.check_replay(self.payer, &self.terms)?;
            match &order.state {
                OrderState::Funded { .. } => return Ok(Accepted::already(sent(order, true))),
                OrderState::Refused(refused) => {
                    if order.failed(facts.merchant(self.payer)?.time(facts.now)) {
                        return Err(Refusal::OrderExpired { since: refused.since }.into());
                    }
                }
            }
        }
        self.caller_may_send(facts)?;
        let payer = facts.merchant(self.payer)?;
        payer.unfrozen()?;
        let at = payer.time(facts.now);
        let split = check_amounts(payer, &self.terms)?;
        let receiver = self.receiver(facts).ok_or(Refusal::ReceiverUnknown)?;
        let key = match earlier {
            Some(order) => order.packet,
            None => next_packet(payer)?,
        };
        if let Err(reason) = check_curable(facts, payer, receiver, &self.terms, at) {
            let order = self.refused(earlier, key, reason.clone(), at);
            let kept = Some(Box::new((self.order.clone(), order)));
            return Err(Refused { refusal: reason, kept });
        }
        self.funded(payer, receiver, earlier, key, split, at)
    }
}

impl SendPacket {
    /// The names the receiver may go by: under `wxappid`, and for a provider under `msgappid`.
    fn receiver_keys(&self) -> impl Iterator<Item = ReceiverKey> {
        let message_app = self.terms.message_app.as_ref();
        let apps =
            [Some(&self.terms.app), message_app.filter(|_| self.terms.sub_merchant.is_some())];
        apps.into_iter().flatten().map(|app| ReceiverKey {
            payer: self.payer,
            app: app.clone(),
            openid: self.terms.openid.clone(),
        })
    }

    /// Product state, authorization and apps. Of other merchants nothing is looked at before they
    /// are known to have authorized the caller, so that a stranger learns nothing of them.
    fn caller_may_send(&self, facts: &Facts) -> Result<(), Refusal> {
        let caller = facts.merchant(self.order.caller)?;
        let terms = &self.terms;
        caller.unfrozen()?;
        let product = &caller.settings.product;
        if !product.opened {
            return Err(Refusal::ProductNotOpened);
        }
        if !product.ways.has(terms.way) {
            return Err(Refusal::WayClosed { way: terms.way });
        }
        if let Some(sub_merchant) = terms.sub_merchant {
            provider_may_send(caller, sub_merchant, terms, facts)?;
        }
        if self.payer != caller.id && Some(self.payer) != terms.sub_merchant {
            return Err(Refusal::PayerNotAllowed);
        }
        let app = &terms.app;
        match caller.settings.app_kind(app) {
            Some(AppKind::OfficialAccount | AppKind::MiniProgram) => {}
            Some(AppKind::MobileApp) => {
                return Err(Refusal::AppKindNotAllowed { app: app.clone() });
            }
            None => return Err(Refusal::AppNotBound { app: app.clone() }),
        }
        match terms.sub_merchant {
            Some(sub_merchant) => message_app_bound(caller, facts.merchant(sub_merchant)?, terms),
            None => Ok(()),
        }
    }

    fn receiver<'f>(&self, facts: &'f Facts) -> Option<&'f Receiver> {
        self.receiver_keys().find_map(|key| facts.receiver(&key))
    }

    fn refused(
        &self,
        earlier: Option<&Order>,
        packet: PacketKey,
        reason: Refusal,
        at: Timestamp,
    ) -> Order {
        let (since, attempts) = match earlier.map(|order| &order.state) {
            Some(OrderState::Refused(before)) => (before.since, before.attempts),
            Some(OrderState::Funded { .. }) | None => (at, 0),
        };
        let attempts = attempts.saturating_add(1);
        let state = OrderState::Refused(RefusedOrder { reason, since, attempts });
        self.order_in(earlier, packet, state, at)
    }

    fn order_in(
        &self,
        earlier: Option<&Order>,
        packet: PacketKey,
        state: OrderState,
        at: Timestamp,
    ) -> Order {
        match earlier {
            Some(order) => Order { state, ..order.clone() },
            None => Order { packet, created_at: at, terms: Arc::clone(&self.terms), state },
        }
    }

    fn funded(
        &self,
        payer: &Merchant,
        receiver: &Receiver,
        earlier: Option<&Order>,
        key: PacketKey,
        split: Option<SplitTerms>,
        at: Timestamp,
    ) -> Verdict<Sent> {
        let terms = &self.terms;
        let shares = match &split {
            Some(split) => split::draw(&SplitSeed::of(&self.secret), split)?,
            None => Vec::new(),
        };
        let paid_from = payer.funding_account();
        let day = payer.book.day.on(at.day()).with(terms.total)?;
        let packet = Packet {
            key,
            kind: terms.kind,
            receiver: receiver.user,
            total: terms.total,
            share_count: terms.share_count,
            paid_from,
            funded_at: at,
            expire_at: at.plus_seconds(i64::from(payer.settings.expiry_seconds)),
            secret: self.secret,
            form: receiver.following.form(at),
            shares,
            claimed: Fen::ZERO,
            claimed_count: 0,
            state: PacketState::Open,
            version: Packet::FUNDED,
        };
        let transfer = Transfer {
            kind: TransferKind::Send,
            journal: Owner::Merchant(self.payer),
            from: Account::merchant(self.payer, paid_from),
            to: Account::merchant(self.payer, AccountKind::Escrow),
            amount: terms.total,
            subject: Subject::Packet(key.no),
            limit: Some(day.recorded(payer.settings.caps.merchant_day_fen, None)),
            at,
        };
        let order = self.order_in(earlier, key, OrderState::Funded { split }, at);
        let outcome = sent(&order, false);
        let effects = Effects {
            transfers: vec![transfer],
            order: Some((self.order.clone(), order)),
            packet: Some(packet),
            merchant_day: Some((self.payer, day)),
            ..Effects::default()
        };
        Ok(Accepted { outcome, effects })
    }
}

fn sent(order: &Order, replayed: bool) -> Sent {
    Sent { list_id: order.list_id(), packet: order.packet, created_at: order.created_at, replayed }
}

fn next_packet(payer: &Merchant) -> Result<PacketKey, Refusal> {
    let next = payer.book.last_packet.checked_add(1).filter(|&no| no <= PacketNo::MAX);
    let no = next.map(PacketNo::new).ok_or(Refusal::MoneyOverflow)?;
    Ok(PacketKey { merchant: payer.id, no })
}

fn provider_may_send(
    caller: &Merchant,
    sub_merchant: MerchantId,
    terms: &Terms,
    facts: &Facts,
) -> Result<(), Refusal> {
    if !caller.settings.provider || !facts.authorized(caller.id, sub_merchant) {
        return Err(Refusal::NotAuthorized { sub_merchant });
    }
    facts.merchant(sub_merchant)?.unfrozen()?;
    if terms.kind != PacketKind::Normal || terms.way != SendWay::Api {
        return Err(Refusal::ProviderSendsNormalOnly);
    }
    Ok(())
}

fn message_app_bound(caller: &Merchant, sub: &Merchant, terms: &Terms) -> Result<(), Refusal> {
    let bound = |app: &AppId| {
        caller.settings.app_kind(app).is_some() || sub.settings.app_kind(app).is_some()
    };
    match &terms.message_app {
        Some(app) if !bound(app) => Err(Refusal::MessageAppNotBound { app: app.clone() }),
        Some(_) | None => Ok(()),
    }
}

/// Amount, scene and share count; for a group, the bounds its shares are drawn between.
fn check_amounts(payer: &Merchant, terms: &Terms) -> Result<Option<SplitTerms>, Refusal> {
    let range = payer.settings.amount_range(terms.scene)?;
    match terms.kind {
        PacketKind::Normal => {
            if terms.share_count != 1 {
                return Err(Refusal::ShareCountOutOfRange { min: 1, max: 1 });
            }
            range.check(terms.total)?;
            Ok(None)
        }
        PacketKind::Group => {
            let (min, max) = (GROUP_COUNT_MIN, GROUP_COUNT_MAX);
            if !(min..=max).contains(&terms.share_count) {
                return Err(Refusal::ShareCountOutOfRange { min, max });
            }
            let group = payer.settings.group;
            let lowest = range.min.max(group.share_min).times(terms.share_count)?;
            let highest = range.max.times(terms.share_count)?.min(group.total_max);
            let (total, count) = (terms.total, terms.share_count);
            let split = SplitTerms { total, count, min: group.share_min, max: range.max };
            if total < lowest || total > highest || !split.possible() {
                return Err(Refusal::AmountOutOfRange { min: lowest, max: highest });
            }
            Ok(Some(split))
        }
    }
}

/// Risk, limits and balance: what can be cured, and so leaves an order.
fn check_curable(
    facts: &Facts,
    payer: &Merchant,
    receiver: &Receiver,
    terms: &Terms,
    at: Timestamp,
) -> Result<(), Refusal> {
    let settings = &payer.settings;
    if settings.risk_level.stops(receiver.standing) {
        return Err(Refusal::RiskStopped { level: settings.risk_level.into() });
    }
    let day = payer.book.day.on(at.day());
    let cap = settings.caps.merchant_day_fen;
    if day.fen.plus(terms.total)? > cap {
        return Err(Refusal::MerchantDayAmount { cap, used: day.fen });
    }
    let (cap, used) = (settings.caps.user_day_count, facts.user_day(payer.id, receiver.user));
    let used = used.on(at.day());
    if used.count >= cap {
        return Err(Refusal::UserDayCount { cap, used: used.count });
    }
    let cap = settings.caps.user_day_fen;
    let least = match terms.kind {
        PacketKind::Normal => terms.total,
        PacketKind::Group => settings.group.share_min,
    };
    if used.fen.plus(least)? > cap {
        return Err(Refusal::UserDayAmount { cap, used: used.fen });
    }
    let account = payer.funding_account();
    let balance = payer.book.account(account).copied().unwrap_or_default().amount;
    if balance < terms.total {
        return Err(Refusal::BalanceTooLow { account, balance });
    }
    Ok(())
}
