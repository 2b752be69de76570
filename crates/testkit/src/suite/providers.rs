//! Providers, who send for others.

use hongbao_app::ports::{Authorization, AuthorizationState, StoreError};
use hongbao_domain::{
    MerchantId, Refusal, UserId,
    merchant::{AppKind, SendWay},
    packet::{SendPacket, Terms},
};

use AuthorizationState::{Active, Declined, Invited, Revoked};

use super::Harness;
use crate::builders::{
    APP, OTHER_APP, a_claim, a_merchant, a_record, a_send, a_user, app, group_terms, merchant_id,
    normal_terms, openid,
};

/// A provider bound to [`APP`] and its sub-merchant bound to [`OTHER_APP`], ¥10 each.
struct Pair {
    provider: MerchantId,
    sub: MerchantId,
    alice: UserId,
}

impl Pair {
    async fn new(h: &Harness) -> Self {
        let provider = a_merchant().numbered(20_000_001).provider();
        let sub = a_merchant()
            .numbered(20_000_002)
            .with(|settings| settings.apps.clear())
            .bound_to(OTHER_APP, AppKind::MiniProgram);
        Self {
            provider: provider.with_money(1_000).in_store(h.store()).await,
            sub: sub.with_money(1_000).in_store(h.store()).await,
            alice: a_user("alice").in_store(h.store()).await,
        }
    }

    async fn authorized(h: &Harness) -> Self {
        let pair = Self::new(h).await;
        let states = [AuthorizationState::Invited, AuthorizationState::Active];
        for state in states {
            pair.set(h, state).await;
        }
        pair
    }

    fn in_state(&self, state: AuthorizationState) -> Authorization {
        Authorization { provider: self.provider, sub_merchant: self.sub, state }
    }

    async fn set(&self, h: &Harness, state: AuthorizationState) {
        let before = h.store.authorization(self.provider, self.sub).await;
        let before = before.expect("authorizations are read");
        let after = self.in_state(state);
        h.store
            .set_authorization(before, after, a_record(Some(self.sub)))
            .await
            .expect("an authorization is set");
    }

    fn send(&self, payer: MerchantId, bill_no: &str, terms: Terms) -> SendPacket {
        let terms = Terms { sub_merchant: Some(self.sub), ..terms };
        SendPacket { payer, ..a_send(self.provider, bill_no, terms) }
    }
}

/// Only the state Active lets it (I-27).
pub async fn only_an_active_authorization_lets_a_provider_send(h: &Harness) {
    let pair = Pair::new(h).await;
    let send = |number| pair.send(pair.sub, number, normal_terms("alice", 100));
    let sub_merchant = pair.sub;
    let refused = Refusal::NotAuthorized { sub_merchant };
    assert_eq!(h.refusal(send("b0")).await, refused);
    for (number, state, may) in [
        ("b1", Invited, false),
        ("b2", Declined, false),
        ("b3", Invited, false),
        ("b4", Active, true),
        ("b5", Revoked, false),
    ] {
        pair.set(h, state).await;
        let found = h.store.authorization(pair.provider, pair.sub).await;
        let found = found.expect("authorizations are read");
        assert_eq!(found, Some(pair.in_state(state)));
        if may {
            h.send(&send(number)).await;
        } else {
            assert_eq!(h.refusal(send(number)).await, refused);
        }
    }
    assert!(h.ok(send("b4")).await.replayed);
    let backwards = h.store.authorization(pair.sub, pair.provider).await;
    assert_eq!(backwards.expect("authorizations are read"), None);
}

/// A state that is not there any more is not left twice.
pub async fn an_authorization_is_changed_from_the_state_that_was_read(h: &Harness) {
    let pair = Pair::new(h).await;
    pair.set(h, AuthorizationState::Invited).await;
    let invited = Some(pair.in_state(AuthorizationState::Invited));
    let active = Some(pair.in_state(AuthorizationState::Active));
    for stale in [None, active] {
        let after = pair.in_state(AuthorizationState::Revoked);
        let result = h.store.set_authorization(stale, after, a_record(Some(pair.sub))).await;
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
        let found = h.store.authorization(pair.provider, pair.sub).await;
        assert_eq!(found.expect("authorizations are read"), invited);
    }
}

/// The order is the provider's, the money the payer's.
pub async fn a_provider_sends_its_sub_merchants_money_or_its_own(h: &Harness) {
    let pair = Pair::authorized(h).await;
    let theirs = pair.send(pair.sub, "b1", normal_terms("alice", 300));
    let key = h.send(&theirs).await;
    assert_eq!(key.merchant, pair.sub);
    let record = h.order_of(key).await;
    assert_eq!(record.key.caller, pair.provider);
    assert_eq!(record.merchant.id, pair.sub);
    assert_eq!(h.accounts_fen(pair.sub).await, [700, 0, 300]);
    assert_eq!(h.accounts_fen(pair.provider).await, [1_000, 0, 0]);
    let own = pair.send(pair.provider, "b2", normal_terms("alice", 200));
    h.send(&own).await;
    assert_eq!(h.accounts_fen(pair.provider).await, [800, 0, 200]);
    let switched = pair.send(pair.provider, "b1", normal_terms("alice", 300));
    let term = "payer";
    assert_eq!(h.refusal(switched).await, Refusal::TermChanged { term });
    let third = a_merchant().numbered(20_000_003).with_money(500);
    let third = third.in_store(h.store()).await;
    let stranger = pair.send(third, "b3", normal_terms("alice", 100));
    assert_eq!(h.refusal(stranger).await, Refusal::PayerNotAllowed);
}

/// Somebody else's money is nobody's to name.
pub async fn a_merchant_that_is_no_provider_pays_for_itself_only(h: &Harness) {
    let pair = Pair::authorized(h).await;
    let plain =
        SendPacket { payer: pair.sub, ..a_send(pair.provider, "b1", normal_terms("alice", 100)) };
    assert_eq!(h.refusal(plain).await, Refusal::PayerNotAllowed);
    h.set(pair.provider, |settings| settings.provider = false).await;
    let sub_merchant = pair.sub;
    let send = pair.send(pair.sub, "b1", normal_terms("alice", 100));
    let refused = Refusal::NotAuthorized { sub_merchant };
    assert_eq!(h.refusal(send).await, refused);
}

/// Normal packets through the API, nothing else.
pub async fn a_provider_sends_normal_packets_only(h: &Harness) {
    let pair = Pair::authorized(h).await;
    let upload = Terms { way: SendWay::Upload, ..normal_terms("alice", 300) };
    for terms in [group_terms("alice", 300, 3), upload] {
        let send = pair.send(pair.sub, "b1", terms);
        assert_eq!(h.refusal(send).await, Refusal::ProviderSendsNormalOnly);
    }
}

/// Its own or the sub-merchant's, and known there is known enough.
pub async fn the_message_app_is_bound_to_one_of_the_two(h: &Harness) {
    let pair = Pair::authorized(h).await;
    let through =
        |name: &str, to: &str| Terms { message_app: Some(app(name)), ..normal_terms(to, 100) };
    let foreign = pair.send(pair.sub, "b1", through("wx-foreign", "alice"));
    let refused = Refusal::MessageAppNotBound { app: app("wx-foreign") };
    assert_eq!(h.refusal(foreign).await, refused);
    h.send(&pair.send(pair.sub, "b2", through(APP, "alice"))).await;
    let elsewhere = a_user("alice-there").in_app(OTHER_APP).with_subject("alice");
    assert_eq!(elsewhere.in_store(h.store()).await, pair.alice);
    let by_message = pair.send(pair.sub, "b3", through(OTHER_APP, "alice-there"));
    let key = h.send(&by_message).await;
    assert_eq!(h.packet(key).await.receiver, pair.alice);
    let record = h.order_of(key).await;
    assert_eq!(record.order.terms, by_message.terms);
    let nobody = pair.send(pair.sub, "b4", through(OTHER_APP, "nobody"));
    assert_eq!(h.refusal(nobody).await, Refusal::ReceiverUnknown);
}

/// Somebody known through the message app only; in the packet's app nobody has this openid.
pub async fn a_claim_names_its_receiver_as_the_provider_did(h: &Harness) {
    let pair = Pair::authorized(h).await;
    let there = a_user("dora-there").in_app(OTHER_APP).shown_as("Dora");
    let dora = there.in_store(h.store()).await;
    let terms = Terms { message_app: Some(app(OTHER_APP)), ..normal_terms("dora-there", 100) };
    let send = pair.send(pair.sub, "b1", terms);
    let key = h.send(&send).await;
    h.ok(a_claim(&send, key, dora)).await;
    let claims = h.order_of(key).await.claims;
    let names: Vec<_> = claims.into_iter().map(|line| (line.openid, line.display_name)).collect();
    assert_eq!(names, [(Some(openid("dora-there")), "Dora".to_owned())]);
}

/// Freezing any of the two stops it.
pub async fn a_frozen_sub_merchant_is_not_sent_for(h: &Harness) {
    let pair = Pair::authorized(h).await;
    h.set(pair.sub, |settings| settings.frozen = true).await;
    for payer in [pair.sub, pair.provider] {
        let send = pair.send(payer, "b1", normal_terms("alice", 100));
        assert_eq!(h.refusal(send).await, Refusal::MerchantFrozen);
    }
}

/// A number of the provider's and the same of its sub-merchant are two (E-4).
pub async fn numbers_of_provider_and_sub_merchant_do_not_meet(h: &Harness) {
    let pair = Pair::authorized(h).await;
    a_user("alice-there").in_app(OTHER_APP).with_subject("alice").in_store(h.store()).await;
    let theirs = Terms { app: app(OTHER_APP), ..normal_terms("alice-there", 200) };
    let one = h.send(&pair.send(pair.sub, "b1", normal_terms("alice", 100))).await;
    let two = h.send(&a_send(pair.sub, "b1", theirs)).await;
    assert_eq!((one.merchant, two.merchant), (pair.sub, pair.sub));
    assert_ne!(one, two);
    assert_eq!(merchant_id(20_000_002), pair.sub);
}
