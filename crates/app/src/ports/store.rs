//! The store.
//!
//! Money is written in one way only, [`Transact::transact`]: load under locks, decide, commit. All
//! else is reading, and the few writes that people make one at a time. Every store keeps this
//! contract and passes the same suite: SQLite, PostgreSQL and the in-memory model.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use hongbao_domain::{
    MerchantId, PacketKey, Timestamp, UserId,
    change::ChangeRecord,
    facts::{Changes, Facts, Needs},
    ledger::{JournalRow, Owner},
    limit::DayUse,
    merchant::{Merchant, Settings},
    packet::{GroupClaim, Order, OrderKey, Packet},
    wallet::Wallet,
};
use tokio::sync::oneshot;

use super::{
    AuditFinding, Authorization, Certificate, DuePacket, DueScan, JournalCursor, MerchantRecord,
    Message, NewCertificate, NewMerchant, NewUser, OrderRecord, PendingPayout, Person, Prepared,
    Spread, UserRecord, WalletEntry,
};

use crate::executor::Failure;

/// What a store can fail with. A failure is never a business answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Whether a commit took place is not known: read back under the same number.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(String),
    /// Nothing was written; the same call may be made again.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A row changed since it was read, or exists already.
    #[error("{what} was changed by somebody else or exists already")]
    Conflict {
        /// Which kind of row.
        what: &'static str,
    },
    /// What was read or asked cannot be: a defect or a damaged store.
    #[error("the store holds what it cannot hold: {0}")]
    Corrupt(String),
}

/// The deciding part of a transaction.
pub trait Work: Send {
    /// Decides over loaded facts. Called again with fresh facts when a commit lost against
    /// another node; only the last call counts.
    fn decide(&mut self, facts: Facts) -> (Facts, Changes);

    /// Tells those who wait: `failure` when the transaction was lost, else what was decided last.
    fn answer(self: Box<Self>, failure: Option<Failure>);
}

/// Takes batches: what the executor needs of a store.
#[async_trait]
pub trait Transact: Send + Sync + 'static {
    /// Loads what `needs` names, under locks and in its order; reads the deciding clock; lets
    /// `work` decide; writes all changes in one durable transaction, each row conditional on the
    /// version that was loaded; then returns the work. Without changes nothing is written.
    async fn transact(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
    ) -> (Box<dyn Work>, Result<(), StoreError>);

    /// The same for a lane, which brings its next batch once `turn` is over. A store that can
    /// decide a batch while the one before is being written ends it as early as that, with
    /// [`Turn::beside`]. Batches still take effect in the order in which they came, and none is
    /// returned as written or decided before the one before it is durable.
    async fn transact_in_turn(
        &self,
        needs: Needs,
        work: Box<dyn Work>,
        turn: Turn,
    ) -> (Box<dyn Work>, Result<(), StoreError>) {
        let transacted = self.transact(needs, work).await;
        drop(turn);
        transacted
    }

    /// How many batches at once it gains from.
    fn lanes(&self) -> usize {
        1
    }
}

/// A lane's turn: while it is held, the lane brings nothing else. Dropping it ends it.
#[derive(Debug)]
pub struct Turn(oneshot::Sender<usize>);

impl Turn {
    /// A turn, and what waits until it is over; that answers how many commands the next batch must
    /// have to be brought while one is under way.
    pub fn begin() -> (Self, impl Future<Output = usize> + Send) {
        let (turn, over) = oneshot::channel();
        (Self(turn), async move { over.await.unwrap_or(1) })
    }

    /// Ends the turn while its batch is still to be written. A batch of fewer than `least` commands
    /// would only wait for that, and is better brought when more have come.
    pub fn beside(self, least: usize) {
        // If nobody waits for it, the lane has ended.
        let _ended = self.0.send(least);
    }
}

/// Everything that is kept.
#[async_trait]
pub trait Store: Transact {
    /// The deciding clock.
    async fn now(&self) -> Result<Timestamp, StoreError>;

    /// Opens, reads and writes nothing: fails when the store could not take a commit.
    async fn check(&self) -> Result<(), StoreError>;

    // ---- merchants ----

    /// Makes a merchant with an empty book. [`StoreError::Conflict`] when the number is taken.
    async fn create_merchant(
        &self,
        new: NewMerchant,
        record: ChangeRecord,
    ) -> Result<(), StoreError>;

    /// The merchant.
    async fn merchant(&self, id: MerchantId) -> Result<Option<MerchantRecord>, StoreError>;

    /// Every merchant, by number.
    async fn merchants(&self) -> Result<Vec<MerchantRecord>, StoreError>;

    /// Replaces settings of version `expected`, and writes the record in the same transaction.
    async fn update_settings(
        &self,
        id: MerchantId,
        expected: u64,
        settings: Settings,
        record: ChangeRecord,
    ) -> Result<(), StoreError>;

    /// Replaces the sealed V2 key.
    async fn set_key(
        &self,
        id: MerchantId,
        sealed: Vec<u8>,
        record: ChangeRecord,
    ) -> Result<(), StoreError>;

    /// Records an issued certificate.
    async fn add_certificate(
        &self,
        new: NewCertificate,
        record: ChangeRecord,
    ) -> Result<(), StoreError>;

    /// The certificate of a merchant with this serial.
    async fn certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
    ) -> Result<Option<Certificate>, StoreError>;

    /// Every certificate of a merchant.
    async fn certificates(&self, merchant: MerchantId) -> Result<Vec<Certificate>, StoreError>;

    /// Marks a certificate revoked; false when there is none or it was revoked before.
    async fn revoke_certificate(
        &self,
        merchant: MerchantId,
        serial: &str,
        at: Timestamp,
        record: ChangeRecord,
    ) -> Result<bool, StoreError>;

    /// The authorization of this pair, whatever its state.
    async fn authorization(
        &self,
        provider: MerchantId,
        sub_merchant: MerchantId,
    ) -> Result<Option<Authorization>, StoreError>;

    /// Sets an authorization that was in `before` (`None`: did not exist), and writes the record.
    async fn set_authorization(
        &self,
        before: Option<Authorization>,
        after: Authorization,
        record: ChangeRecord,
    ) -> Result<(), StoreError>;

    // ---- users ----

    /// Registers a person: a new user with an empty wallet, or another name of the user with the
    /// same subject. A person registered before is updated (name, following, standing) and keeps
    /// user and subject; [`StoreError::Conflict`] when the subject differs.
    async fn register_user(&self, new: NewUser, at: Timestamp) -> Result<UserRecord, StoreError>;

    /// Registers many people; a store does it in few transactions. Stops at the first that fails,
    /// with those before it registered.
    async fn register_users(
        &self,
        new: Vec<NewUser>,
        at: Timestamp,
    ) -> Result<Vec<UserRecord>, StoreError> {
        let mut registered = Vec::with_capacity(new.len());
        for new in new {
            registered.push(self.register_user(new, at).await?);
        }
        Ok(registered)
    }

    /// Those of these people that are registered.
    async fn users(
        &self,
        people: BTreeSet<Person>,
    ) -> Result<BTreeMap<Person, UserRecord>, StoreError>;

    /// The person.
    async fn user(&self, person: &Person) -> Result<Option<UserRecord>, StoreError> {
        let mut found = self.users(BTreeSet::from([person.clone()])).await?;
        Ok(found.remove(person))
    }

    /// Freezes or thaws a wallet; false when there is no such user.
    async fn set_wallet_frozen(
        &self,
        user: UserId,
        frozen: bool,
        record: ChangeRecord,
    ) -> Result<bool, StoreError>;

    /// The wallet.
    async fn wallet(&self, user: UserId) -> Result<Option<Wallet>, StoreError>;

    /// History lines with `seq` below `before`, newest first.
    async fn wallet_entries(
        &self,
        user: UserId,
        before: u64,
        limit: u32,
    ) -> Result<Vec<WalletEntry>, StoreError>;

    /// Messages older than `before` (time, then packet), newest first.
    async fn messages(
        &self,
        user: UserId,
        before: Option<(Timestamp, PacketKey)>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError>;

    /// Puts messages into inboxes; one that is there already stays as it is.
    async fn put_messages(&self, messages: &[Message]) -> Result<(), StoreError>;

    // ---- packets ----

    /// The order with this number, read in one snapshot with packet, claims and merchant.
    async fn order(&self, key: &OrderKey) -> Result<Option<OrderRecord>, StoreError>;

    /// The order of the packet at `key`, read like [`Store::order`].
    async fn order_of_packet(&self, key: PacketKey) -> Result<Option<OrderRecord>, StoreError>;

    /// Those of these packets that exist, by key.
    async fn packets(&self, keys: &[PacketKey]) -> Result<Vec<Packet>, StoreError>;

    // ---- jobs ----

    /// Whether this server may do `job` now, for some seconds. Where several servers share a
    /// store, one at a time may; what it does is safe anyway, this saves doing it twice.
    async fn lease(&self, job: &'static str) -> Result<bool, StoreError> {
        let _nobody_else: &str = job;
        Ok(true)
    }

    /// This server will not do `job` any more: another may, at once.
    async fn give_up_lease(&self, job: &'static str) -> Result<(), StoreError> {
        let _nobody_else: &str = job;
        Ok(())
    }

    /// Packets ended by their merchant's time when the deciding clock says `now`, not settled,
    /// oldest first over all merchants, and the time each merchant was looked at.
    async fn due_packets(&self, now: Timestamp, limit: u32) -> Result<DueScan, StoreError>;

    /// How many packets are open and end after `now` and within `seconds`, by their merchant's
    /// time. Looks at no more than `look_at_max` packets: of more it tells of those that end first,
    /// merchant by merchant. For people to watch, never for deciding.
    async fn expiring(
        &self,
        now: Timestamp,
        seconds: i64,
        look_at_max: u32,
    ) -> Result<u32, StoreError> {
        let times: BTreeMap<_, _> = self.due_packets(now, 1).await?.times.into_iter().collect();
        let ending = self.due_packets(now.plus_seconds(seconds), look_at_max).await?.packets;
        let soon = |due: &DuePacket| {
            times.get(&due.packet.merchant).is_some_and(|time| due.expire_at > *time)
        };
        let count = ending.iter().filter(|due| soon(due)).count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Remembers that every packet that ended at or before these times is settled, so that the
    /// next scan starts there. Told after a scan that found nothing; a time ahead of a merchant's
    /// clock is not believed, for it was told by a clock that was wrong.
    async fn settled_through(&self, times: &[(MerchantId, Timestamp)]) -> Result<(), StoreError>;

    /// Merchants after `after` whose journals are ahead of what was followed, by number.
    async fn unfollowed(
        &self,
        after: Option<MerchantId>,
        limit: u32,
    ) -> Result<Vec<JournalCursor>, StoreError>;

    /// Rows of a journal after `seq`, in order.
    async fn journal_after(
        &self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;

    /// Writes history lines (one that is there stays as it is) and moves the cursor of the
    /// merchant's journal from `from` to `to`; [`StoreError::Conflict`] when another moved it.
    async fn follow(
        &self,
        merchant: MerchantId,
        from: u64,
        to: u64,
        entries: &[WalletEntry],
    ) -> Result<(), StoreError>;

    /// Withdrawals not confirmed that come after `after`, oldest first.
    async fn pending_payouts(
        &self,
        after: Option<&PendingPayout>,
        limit: u32,
    ) -> Result<Vec<PendingPayout>, StoreError>;

    /// Transactions that are prepared on a machine of the store, and neither committed nor rolled
    /// back there: each keeps its locks until it is (C-17). Committing on one machine prepares none.
    async fn prepared(&self) -> Result<Prepared, StoreError> {
        Ok(Prepared::default())
    }

    /// One consistent view of everything, for checking the books. None is given while a commit is
    /// through on some machines of the store and not on others.
    async fn audit_source(&self) -> Result<Box<dyn AuditSource>, StoreError>;
}

/// One consistent view of the store, read in pages by key.
#[async_trait]
pub trait AuditSource: Send {
    /// Damage, missing constraints, wrong settings: one sentence each. Empty when all is well.
    async fn structure(&mut self) -> Result<Vec<String>, StoreError>;

    /// Every merchant, by number.
    async fn merchants(&mut self) -> Result<Vec<Merchant>, StoreError>;

    /// Rows of one merchant's journal after `seq`.
    async fn journal(
        &mut self,
        owner: Owner,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<JournalRow>, StoreError>;

    /// Wallets of users above `user`.
    async fn wallets(&mut self, user: UserId, limit: u32) -> Result<Vec<Wallet>, StoreError>;

    /// Packets of a merchant above `no`.
    async fn packets(
        &mut self,
        merchant: MerchantId,
        no: u64,
        limit: u32,
    ) -> Result<Vec<Packet>, StoreError>;

    /// Group claims of a merchant above (packet number, share number).
    async fn group_claims(
        &mut self,
        merchant: MerchantId,
        after: (u64, u32),
        limit: u32,
    ) -> Result<Vec<(PacketKey, GroupClaim)>, StoreError>;

    /// What users of a merchant have used of daily caps, above `user`.
    async fn user_days(
        &mut self,
        merchant: MerchantId,
        user: UserId,
        limit: u32,
    ) -> Result<Vec<(UserId, DayUse)>, StoreError>;

    /// Orders called by a merchant, above a number.
    async fn orders(
        &mut self,
        caller: MerchantId,
        bill_no: &str,
        limit: u32,
    ) -> Result<Vec<(OrderKey, Order)>, StoreError>;

    /// Over what the rows lie, where that is more than one machine.
    async fn spread(&mut self) -> Result<Option<Spread>, StoreError> {
        Ok(None)
    }

    /// What is written beside the journals (histories, cursors, messages, references, payouts)
    /// and does not follow from them.
    async fn projections(&mut self) -> Result<Vec<AuditFinding>, StoreError>;
}
