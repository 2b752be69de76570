//! Loading what a batch needs.

use std::collections::BTreeMap;

use hongbao_app::ports::{AuthorizationState, Person};
use hongbao_domain::{
    Timestamp,
    facts::{Facts, Needs, Receiver, ReceiverKey, Slot},
};

use super::state::State;

impl State {
    /// The rows that exist among those `needs` names.
    pub(super) fn load(&self, needs: &Needs, now: Timestamp) -> Facts {
        let receivers = self.receivers(needs);
        let receiver_days = receivers.iter().map(|(key, receiver)| (key.payer, receiver.user));
        let user_days = needs
            .user_days
            .iter()
            .copied()
            .chain(receiver_days)
            .filter_map(|key| Some((key, Slot::loaded(*self.user_days.get(&key)?))))
            .collect();
        Facts {
            now,
            merchants: found(&needs.merchants, |id| {
                let record = self.merchants.get(id)?;
                Some(Slot::loaded(record.merchant.clone()))
            }),
            orders: found(&needs.orders, |key| self.orders.get(key).cloned()),
            packets: found(&needs.packets, |key| {
                Some(Slot::loaded(self.packets.get(key)?.clone()))
            }),
            group_claims: found(&needs.group_claims, |key| self.group_claims.get(key).copied()),
            wallets: found(&needs.wallets, |user| {
                Some(Slot::loaded(self.wallets.get(user)?.clone()))
            }),
            authorizations: needs
                .authorizations
                .iter()
                .copied()
                .filter(|pair| self.authorizations.get(pair) == Some(&AuthorizationState::Active))
                .collect(),
            posted: found(&needs.posted, |key| self.posted.get(key).cloned()),
            payouts: found(&needs.payouts, |key| self.payouts.get(key).cloned()),
            receivers,
            user_days,
        }
    }

    fn receivers(&self, needs: &Needs) -> BTreeMap<ReceiverKey, Receiver> {
        found(&needs.receivers, |key| {
            let person = Person { app: key.app.clone(), openid: key.openid.clone() };
            let record = self.people.get(&person)?;
            Some(Receiver {
                user: record.user,
                standing: record.standing,
                following: record.following,
            })
        })
    }
}

fn found<'k, K: Clone + Ord + 'k, V>(
    keys: impl IntoIterator<Item = &'k K>,
    find: impl Fn(&K) -> Option<V>,
) -> BTreeMap<K, V> {
    keys.into_iter().filter_map(|key| Some((key.clone(), find(key)?))).collect()
}
