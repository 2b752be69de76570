//! Writing what a batch changed: everything is checked first, then everything is written.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Debug,
};

use hongbao_app::ports::StoreError;
use hongbao_domain::{
    facts::{Changes, Facts, Slot, Versioned},
    ledger::{JournalRow, Owner, chain::expected},
};

use super::{entries::wallet_entries_of, state::State};

impl State {
    /// Checks that every write finds the row as it was loaded. A batch that fails here has
    /// written nothing.
    pub(super) fn check(&self, facts: &Facts, changes: &Changes) -> Result<(), StoreError> {
        unchanged("merchant", &facts.merchants, |id| {
            self.merchants.get(id).map(|record| &record.merchant)
        })?;
        unchanged("wallet", &facts.wallets, |user| self.wallets.get(user))?;
        unchanged("packet", &facts.packets, |key| self.packets.get(key))?;
        unchanged("user day", &facts.user_days, |key| self.user_days.get(key))?;
        for (key, made) in &changes.orders {
            known("order", key, *made, self.orders.contains_key(key))?;
        }
        for (key, made) in &changes.payouts {
            known("payout", key, *made, self.payouts.contains_key(key))?;
        }
        for key in &changes.group_claims {
            known("group claim", key, true, self.group_claims.contains_key(key))?;
        }
        for key in &changes.posted {
            known("reference", key, true, self.posted.contains_key(key))?;
        }
        self.continues(&changes.journal)
    }

    /// Journals have no gap and their chain holds.
    fn continues(&self, rows: &[JournalRow]) -> Result<(), StoreError> {
        let mut heads = BTreeMap::new();
        for row in rows {
            let owner = row.transfer.journal;
            let (seq, hash) = match heads.entry(owner) {
                Entry::Occupied(held) => *held.get(),
                Entry::Vacant(_) => self.head(owner),
            };
            if seq.checked_add(1) != Some(row.seq) || row.hash != expected(hash, row) {
                return Err(corrupt(format!("row {} does not follow in {owner}", row.seq)));
            }
            heads.insert(owner, (row.seq, row.hash));
        }
        Ok(())
    }

    fn head(&self, owner: Owner) -> (u64, hongbao_domain::ledger::JournalHash) {
        let newest = self.journals.get(&owner).and_then(|rows| rows.last());
        newest.map(|row| (row.seq, row.hash)).unwrap_or_default()
    }

    /// Writes what [`State::check`] let through.
    pub(super) fn write(&mut self, facts: &Facts, changes: Changes) {
        for (id, slot) in changed(&facts.merchants) {
            if let Some(record) = self.merchants.get_mut(id) {
                record.merchant.book = slot.row.book.clone();
            }
        }
        for (user, slot) in changed(&facts.wallets) {
            if let Some(wallet) = self.wallets.get_mut(user) {
                wallet.wallet = slot.row.wallet;
                wallet.external = slot.row.external;
                wallet.journal = slot.row.journal;
            }
        }
        for (key, slot) in changed(&facts.packets) {
            self.packets.insert(*key, slot.row.clone());
        }
        for (key, slot) in changed(&facts.user_days) {
            self.user_days.insert(*key, slot.row);
        }
        for key in changes.orders.into_keys() {
            if let Some(order) = facts.orders.get(&key) {
                self.order_of_packet.insert(order.packet, key.clone());
                self.orders.insert(key, order.clone());
            }
        }
        copy(&mut self.group_claims, &facts.group_claims, changes.group_claims);
        copy(&mut self.posted, &facts.posted, changes.posted);
        copy(&mut self.payouts, &facts.payouts, changes.payouts.into_keys());
        self.records.extend(changes.records);
        changes.journal.into_iter().for_each(|row| self.append(row));
    }

    /// Rows of a user's journal make history lines at once; a merchant's are followed later.
    fn append(&mut self, row: JournalRow) {
        if let Owner::User(_) = row.transfer.journal {
            let lines = wallet_entries_of(&row);
            self.wallet_lines.extend(lines.into_iter().map(|line| ((line.user, line.seq), line)));
        }
        self.journals.entry(row.transfer.journal).or_default().push(row);
    }
}

fn changed<K, V>(slots: &BTreeMap<K, Slot<V>>) -> impl Iterator<Item = (&K, &Slot<V>)> {
    slots.iter().filter(|(_, slot)| slot.changed)
}

fn copy<K: Ord, V: Clone>(
    to: &mut BTreeMap<K, V>,
    from: &BTreeMap<K, V>,
    keys: impl IntoIterator<Item = K>,
) {
    for key in keys {
        if let Some(value) = from.get(&key) {
            to.insert(key, value.clone());
        }
    }
}

fn unchanged<'s, K: Debug, V: Versioned + 's>(
    what: &str,
    slots: &BTreeMap<K, Slot<V>>,
    stored: impl Fn(&K) -> Option<&'s V>,
) -> Result<(), StoreError> {
    for (key, slot) in changed(slots) {
        let found = stored(key).map(Versioned::version);
        if found != slot.loaded {
            let loaded = slot.loaded;
            let text = format!("{what} {key:?} is of version {found:?}, not {loaded:?}");
            return Err(corrupt(text));
        }
        if slot.loaded >= Some(slot.row.version()) {
            return Err(corrupt(format!("{what} {key:?} changed and kept its version")));
        }
    }
    Ok(())
}

fn known<K: Debug>(what: &str, key: &K, made: bool, exists: bool) -> Result<(), StoreError> {
    if made == exists {
        return Err(corrupt(format!("{what} {key:?}: made {made}, there {exists}")));
    }
    Ok(())
}

const fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt(what)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hongbao_app::ports::Store;
    use hongbao_domain::{Batch, Command as _, Needs, facts::Versioned as _};

    use super::*;
    use crate::{
        ManualClock, ModelStore,
        builders::{a_merchant, a_send, a_user, normal_terms},
    };

    /// Facts and changes of a send, spoilt, as a store is told to write them.
    async fn written(spoil: fn(&mut Facts, &mut Changes)) -> Result<(), StoreError> {
        let store: Arc<dyn Store> = Arc::new(ModelStore::new(ManualClock::morning()));
        let merchant = a_merchant().with_money(1_000).in_store(&*store).await;
        a_user("alice").in_store(&*store).await;
        let before = store.merchant(merchant).await?.unwrap().merchant;
        let send = a_send(merchant, "b1", normal_terms("alice", 100));
        let mut needs = Needs::default();
        send.needs(&mut needs);
        let (_work, written) = store.transact(needs, Box::new(Spoiling { send, spoil })).await;
        let after = store.merchant(merchant).await?.unwrap().merchant;
        assert_eq!(written.is_err(), before.version() == after.version());
        written
    }

    struct Spoiling {
        send: hongbao_domain::packet::SendPacket,
        spoil: fn(&mut Facts, &mut Changes),
    }

    impl hongbao_app::ports::Work for Spoiling {
        fn decide(&mut self, facts: Facts) -> (Facts, Changes) {
            let mut batch = Batch::new(facts);
            batch.run(&self.send).unwrap();
            let (mut facts, mut changes) = batch.finish();
            (self.spoil)(&mut facts, &mut changes);
            (facts, changes)
        }

        fn answer(self: Box<Self>, _failure: Option<hongbao_app::executor::Failure>) {}
    }

    #[tokio::test]
    async fn a_batch_that_names_another_version_is_not_written() {
        let spoils: [fn(&mut Facts, &mut Changes); 6] = [
            |facts, _| facts.merchants.values_mut().for_each(|slot| slot.loaded = Some(0)),
            |facts, _| facts.packets.values_mut().for_each(|slot| slot.loaded = Some(1)),
            |_, changes| changes.orders.values_mut().for_each(|made| *made = false),
            |_, changes| changes.journal[0].seq += 1,
            |_, changes| changes.journal[0].hash.0[0] ^= 1,
            |facts, _| facts.merchants.values_mut().for_each(|slot| slot.row.book.version = 1),
        ];
        for spoil in spoils {
            let result = written(spoil).await;
            assert!(matches!(result, Err(StoreError::Corrupt(_))), "{result:?}");
        }
        assert!(written(|_, _| {}).await.is_ok());
    }
}
