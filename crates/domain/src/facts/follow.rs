//! Facts of a batch that is decided while the one before it is being written.

use std::collections::BTreeSet;

use super::{Changes, Facts, Needs, Slot, Versioned};

impl Facts {
    /// Brings what was loaded for `needs` to what it is once the batch before is written, which
    /// ended with these facts and changes. Whether any of that was loaded already makes no
    /// difference: rows are laid over whole.
    pub fn follow(&mut self, needs: &Needs, before: &Facts, changes: &Changes) {
        lay_over(&mut self.merchants, &needs.merchants, &before.merchants);
        lay_over(&mut self.packets, &needs.packets, &before.packets);
        lay_over(&mut self.wallets, &needs.wallets, &before.wallets);
        lay_over(&mut self.user_days, &needs.user_days, &before.user_days);
        // A send names its receiver, and with the receiver comes a day.
        let days = self.receivers.iter().map(|(key, receiver)| (key.payer, receiver.user));
        let days: BTreeSet<_> = days.collect();
        lay_over(&mut self.user_days, &days, &before.user_days);
        for key in changes.orders.keys().filter(|key| needs.orders.contains(key)) {
            copy(&mut self.orders, key, &before.orders);
        }
        for key in changes.group_claims.intersection(&needs.group_claims) {
            copy(&mut self.group_claims, key, &before.group_claims);
        }
        for key in changes.posted.intersection(&needs.posted) {
            copy(&mut self.posted, key, &before.posted);
        }
        for key in changes.payouts.keys().filter(|key| needs.payouts.contains(key)) {
            copy(&mut self.payouts, key, &before.payouts);
        }
    }
}

type Map<K, V> = std::collections::BTreeMap<K, V>;

/// The rows of `needs` that `before` changed, as they will be loaded.
fn lay_over<K: Ord + Clone, T: Versioned + Clone>(
    rows: &mut Map<K, Slot<T>>,
    needs: &BTreeSet<K>,
    before: &Map<K, Slot<T>>,
) {
    for key in needs {
        if let Some(slot) = before.get(key).filter(|slot| slot.changed) {
            rows.insert(key.clone(), Slot::loaded(slot.row.clone()));
        }
    }
}

fn copy<K: Ord + Clone, V: Clone>(rows: &mut Map<K, V>, key: &K, before: &Map<K, V>) {
    if let Some(row) = before.get(key) {
        rows.insert(key.clone(), row.clone());
    }
}
