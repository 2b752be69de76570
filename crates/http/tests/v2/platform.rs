//! A platform in memory: one merchant with ¥10,000, three people, a clock held in the hand.

use std::sync::Arc;

use axum::Router;
use hongbao_app::{
    App,
    packets::PacketReport,
    ports::{AuthorizationState, NewCertificate, Store},
};
use hongbao_domain::{
    MerchantId, UserId,
    change::Actor,
    merchant::Settings,
    packet::{Claimed, RefundPacket},
};
use hongbao_http::v2;
use hongbao_testkit::{
    ManualClock, SeededRng,
    builders::{MerchantBuilder, a_merchant, a_record, a_user, an_order, merchant_id},
    clock::MORNING,
};

use super::servers::Servers;

/// The merchant that calls unless a test says otherwise.
pub(super) const MERCHANT: u64 = 10_000_098;
/// Its key.
pub(super) const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

/// Everything a test needs.
pub(super) struct Platform {
    pub(super) app: Arc<App>,
    pub(super) store: Arc<dyn Store>,
    pub(super) servers: Servers,
    pub(super) clock: Arc<ManualClock>,
    pub(super) router: Router,
    pub(super) alice: UserId,
    pub(super) bob: UserId,
}

/// The serial of the certificate that every merchant gets.
pub(super) fn serial_of(merchant: u64) -> String {
    format!("4A{merchant:030X}")
}

impl Platform {
    /// With merchant [`MERCHANT`], which may sign with MD5 and call a thousand times a second.
    pub(super) async fn new() -> Self {
        Self::over(Servers::start(Arc::new(SeededRng::new(7))).await).await
    }

    /// The same, for tests of a merchant's rate: each server counts for itself.
    pub(super) async fn on_one_server() -> Self {
        Self::over(Servers::start(Arc::new(SeededRng::new(7))).await.only_the_first()).await
    }

    async fn over(servers: Servers) -> Self {
        super::logs::listen();
        let (app, store, clock) = (servers.apps[0].clone(), servers.store(), servers.clock.clone());
        let alice = a_user("oAlice").in_store(&*store).await;
        let bob = a_user("oBob").in_store(&*store).await;
        let router = servers.face(v2::router);
        let platform = Self { app, store, servers, clock, router, alice, bob };
        platform.add(a_merchant().with_money(1_000_000), Some(KEY)).await;
        platform
    }

    /// Adds a merchant with a key, a certificate, MD5 and a high rate.
    pub(super) async fn add(&self, merchant: MerchantBuilder, key: Option<&str>) -> MerchantId {
        let merchant = merchant.with(|settings| {
            settings.md5_allowed = true;
            settings.caps.sends_per_second = 1_000;
        });
        let id = merchant.new_merchant().id;
        if let Some(key) = key {
            merchant.in_store(&*self.store).await;
            self.app.set_v2_key(id, key, Actor::command_line()).await.unwrap();
        } else {
            let settings = merchant.new_merchant().settings;
            self.app.create_merchant(id, settings, None, Actor::command_line()).await.unwrap();
        }
        self.certify(id, &serial_of(id.get())).await;
        id
    }

    /// Records a certificate, also of a merchant that does not exist. It is kept in lower case and
    /// shown by the listener in upper case.
    pub(super) async fn certify(&self, merchant: MerchantId, serial: &str) {
        let not_after = MORNING.plus_seconds(86_400 * 365);
        let new = NewCertificate { merchant, serial: serial.to_lowercase(), not_after };
        self.store.add_certificate(new, a_record(Some(merchant))).await.unwrap();
    }

    /// Changes settings of a merchant.
    pub(super) async fn set(&self, merchant: u64, tweak: impl FnOnce(&mut Settings)) {
        let record = self.app.merchant(merchant_id(merchant)).await.unwrap();
        let mut settings = Settings::clone(&record.merchant.settings);
        tweak(&mut settings);
        let (id, version) = (merchant_id(merchant), record.settings_version);
        self.app.update_settings(id, version, settings, Actor::command_line()).await.unwrap();
    }

    /// Lets `provider` send for `sub_merchant`.
    pub(super) async fn authorize(&self, provider: u64, sub_merchant: u64) {
        for state in [AuthorizationState::Invited, AuthorizationState::Active] {
            let (provider, sub_merchant) = (merchant_id(provider), merchant_id(sub_merchant));
            let actor = Actor::command_line();
            self.app.set_authorization(provider, sub_merchant, state, actor).await.unwrap();
        }
    }

    /// The order of [`MERCHANT`] with this number.
    pub(super) async fn order(&self, bill_no: &str) -> PacketReport {
        self.app.query_order(&an_order(merchant_id(MERCHANT), bill_no)).await.unwrap()
    }

    /// The receiver of [`MERCHANT`]'s packet opens it.
    pub(super) async fn open(&self, bill_no: &str, user: UserId) -> Claimed {
        let key = self.order(bill_no).await.record.order.packet;
        let codes = self.app.message_codes(&[key]).await.unwrap();
        self.app.open_packet(codes[0].1, user).await.unwrap()
    }

    /// Somebody opens [`MERCHANT`]'s group packet from the link that its seed user shared.
    pub(super) async fn open_shared(&self, bill_no: &str, seed: UserId, user: UserId) -> Claimed {
        let key = self.order(bill_no).await.record.order.packet;
        let codes = self.app.message_codes(&[key]).await.unwrap();
        let page = self.app.view_packet(codes[0].1, seed).await.unwrap();
        self.app.open_packet(page.share_code.unwrap(), user).await.unwrap()
    }

    /// What is left of [`MERCHANT`]'s packet goes back.
    pub(super) async fn refund(&self, bill_no: &str) {
        let packet = self.order(bill_no).await.record.order.packet;
        self.app.executor().submit(RefundPacket { packet }).await.unwrap();
    }

    /// Fen on a merchant's basic account.
    pub(super) async fn basic_fen(&self, merchant: u64) -> i64 {
        let record = self.app.merchant(merchant_id(merchant)).await.unwrap();
        record.merchant.book.basic.amount.get()
    }
}
