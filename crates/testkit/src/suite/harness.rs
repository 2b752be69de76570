//! What a case is given, and short ways to look at it.

use std::{any::Any, sync::Arc};

use hongbao_app::ports::{Clock as _, OrderRecord, Store};
use hongbao_domain::{
    Command, MerchantId, PacketKey, Refusal, Timestamp, UserId,
    facts::BatchError,
    merchant::{Merchant, Settings},
    packet::{OrderKey, Packet, PacketStatus, SendPacket, Sent},
    wallet::Wallet,
};

use super::run;
use crate::{builders::a_record, clock::ManualClock};

/// A store and the clock it decides by.
pub struct Harness {
    /// The store under test, empty.
    pub store: Arc<dyn Store>,
    /// Its deciding clock.
    pub clock: Arc<ManualClock>,
    _keep: Option<Box<dyn Any + Send + Sync>>,
}

impl Harness {
    /// A harness of an empty store that decides by `clock`.
    pub fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        Self { store, clock, _keep: None }
    }

    /// Keeps `guard`, a temporary directory for example, as long as the harness.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send + Sync) -> Self {
        Self { _keep: Some(Box::new(guard)), ..self }
    }

    /// The store.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Where the clock stands.
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What a command that must be accepted tells.
    pub async fn ok<C: Command>(&self, command: C) -> C::Outcome {
        match run(self.store(), command).await {
            Ok(outcome) => outcome,
            Err(error) => panic!("a command that must be accepted was not: {error:?}"),
        }
    }

    /// Why a command that must be refused was.
    pub async fn refusal<C: Command>(&self, command: C) -> Refusal {
        match run(self.store(), command).await {
            Ok(_outcome) => panic!("a command that must be refused was accepted"),
            Err(BatchError::Refused(refusal)) => refusal,
            Err(BatchError::Defect(defect)) => panic!("a refusal is no defect: {defect}"),
        }
    }

    /// Sends and tells where the packet is.
    pub async fn send(&self, send: &SendPacket) -> PacketKey {
        let Sent { packet, .. } = self.ok(send.clone()).await;
        packet
    }

    /// The merchant.
    pub async fn merchant(&self, id: MerchantId) -> Merchant {
        let record = self.store.merchant(id).await.expect("merchants are read");
        record.expect("the merchant was made").merchant
    }

    /// The wallet.
    pub async fn wallet(&self, user: UserId) -> Wallet {
        let wallet = self.store.wallet(user).await.expect("wallets are read");
        wallet.expect("the user was registered")
    }

    /// How many fen the wallet holds.
    pub async fn wallet_fen(&self, user: UserId) -> i64 {
        self.wallet(user).await.wallet.amount.get()
    }

    /// Basic account, operation account, escrow: fen.
    pub async fn accounts_fen(&self, id: MerchantId) -> [i64; 3] {
        let book = self.merchant(id).await.book;
        [book.basic, book.operation, book.escrow].map(|balance| balance.amount.get())
    }

    /// The order, if the number was used.
    pub async fn find_order(&self, key: &OrderKey) -> Option<OrderRecord> {
        self.store.order(key).await.expect("orders are read")
    }

    /// The order of a packet that exists.
    pub async fn order_of(&self, key: PacketKey) -> OrderRecord {
        let found = self.store.order_of_packet(key).await;
        found.expect("orders are read").expect("the packet was sent")
    }

    /// The packet.
    pub async fn packet(&self, key: PacketKey) -> Packet {
        self.order_of(key).await.packet.expect("the packet was funded")
    }

    /// The status of an order now.
    pub async fn status(&self, key: &OrderKey) -> PacketStatus {
        let record = self.find_order(key).await.expect("the number was used");
        let now = self.store.now().await.expect("the clock is read");
        let time = record.merchant.time(now);
        PacketStatus::of(&record.order, record.packet.as_ref(), time)
    }

    /// Changes settings of a merchant.
    pub async fn set(&self, id: MerchantId, tweak: impl FnOnce(&mut Settings)) {
        let record = self.store.merchant(id).await.expect("merchants are read");
        let record = record.expect("the merchant was made");
        let mut settings = Settings::clone(&record.merchant.settings);
        tweak(&mut settings);
        self.store
            .update_settings(id, record.settings_version, settings, a_record(Some(id)))
            .await
            .expect("settings are updated");
    }
}
