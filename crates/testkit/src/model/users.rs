//! People, wallets and inboxes.

use std::collections::{BTreeMap, BTreeSet};

use hongbao_app::ports::{Message, NewUser, Person, StoreError, UserRecord, WalletEntry};
use hongbao_domain::{PacketKey, Timestamp, UserId, change::ChangeRecord, wallet::Wallet};

use super::state::{State, conflict, page};

impl State {
    pub(super) fn register_user(&mut self, new: NewUser) -> Result<UserRecord, StoreError> {
        let user = match (self.people.get(&new.person), self.subjects.get(&new.subject).copied()) {
            (Some(known), Some(user)) if known.user == user => user,
            (Some(_), _) => return Err(conflict("subject")),
            (None, Some(user)) => user,
            (None, None) => self.new_user(new.subject),
        };
        let record = UserRecord {
            user,
            person: new.person.clone(),
            display_name: new.display_name,
            following: new.following,
            standing: new.standing,
        };
        self.people.insert(new.person, record.clone());
        Ok(record)
    }

    fn new_user(&mut self, subject: String) -> UserId {
        let newest = self.wallets.last_key_value();
        let number = newest.map_or(0, |(user, _)| user.get());
        let user = UserId::new(number.saturating_add(1));
        self.wallets.insert(user, Wallet::new(user));
        self.subjects.insert(subject, user);
        user
    }

    pub(super) fn users(&self, people: BTreeSet<Person>) -> BTreeMap<Person, UserRecord> {
        let found = people.into_iter().filter_map(|person| {
            let record = self.people.get(&person).cloned()?;
            Some((person, record))
        });
        found.collect()
    }

    pub(super) fn set_wallet_frozen(
        &mut self,
        user: UserId,
        frozen: bool,
        record: ChangeRecord,
    ) -> bool {
        let Some(wallet) = self.wallets.get_mut(&user) else {
            return false;
        };
        wallet.frozen = frozen;
        self.records.push(record);
        true
    }

    pub(super) fn wallet_entries(&self, user: UserId, before: u64, limit: u32) -> Vec<WalletEntry> {
        self.wallet_lines
            .range((user, 0)..(user, before))
            .rev()
            .take(page(limit))
            .map(|(_, line)| line.clone())
            .collect()
    }

    pub(super) fn messages_of(
        &self,
        user: UserId,
        before: Option<(Timestamp, PacketKey)>,
        limit: u32,
    ) -> Vec<Message> {
        self.messages
            .values()
            .rev()
            .filter(|message| message.user == user)
            .filter(|message| before.is_none_or(|end| (message.sent_at, message.packet) < end))
            .take(page(limit))
            .cloned()
            .collect()
    }

    pub(super) fn put_messages(&mut self, messages: &[Message]) {
        for message in messages {
            let key = (message.user, message.sent_at, message.packet);
            self.messages.entry(key).or_insert_with(|| message.clone());
        }
    }
}
