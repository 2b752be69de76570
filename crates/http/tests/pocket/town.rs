//! A merchant with money, three people, and the pocket they share.

use std::sync::Arc;

use axum::Router;
use hongbao_app::{
    App,
    jobs::follow_journals,
    ports::{Store, SystemRng},
    users::Inbox,
};
use hongbao_domain::{MerchantId, PacketCode, ids::Access, packet::SendPacket};
use hongbao_http::pocket::{
    PocketState, router,
    token::{Claims, TokenIssuer, TokenVerifier},
};
use hongbao_testkit::{
    ManualClock,
    builders::{APP, MerchantBuilder, a_merchant, a_send, a_user, app, openid},
    clock::MORNING,
    run,
};

use crate::servers::Servers;

pub(crate) const SECRET: &[u8] = b"the shared secret of host and platform";

pub(crate) struct Town {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) servers: Servers,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) merchant: MerchantId,
    pub(crate) pocket: Router,
}

impl Town {
    pub(crate) async fn new() -> Self {
        Self::of(a_merchant().with_money(1_000_000)).await
    }

    pub(crate) async fn of(merchant: MerchantBuilder) -> Self {
        let verifier = TokenVerifier::shared_secret(SECRET).unwrap();
        Self::checking(merchant, verifier).await
    }

    pub(crate) async fn checking(merchant: MerchantBuilder, tokens: TokenVerifier) -> Self {
        let servers = Servers::start(Arc::new(SystemRng)).await;
        let (app, store, clock) = (servers.apps[0].clone(), servers.store(), servers.clock.clone());
        let merchant = merchant.in_store(&*store).await;
        for name in ["alice", "bob", "carol"] {
            a_user(name).in_store(&*store).await;
        }
        let tokens = Arc::new(tokens);
        let pocket = servers.face(|app| router(PocketState { app, tokens: tokens.clone() }));
        Self { app, store, servers, clock, merchant, pocket }
    }

    /// Sends, and tells the code of the receiver's message.
    pub(crate) async fn sent(&self, send: &SendPacket) -> String {
        self.code_of(send, Access::Message).await
    }

    /// The code of what was sent, or is now.
    pub(crate) async fn code_of(&self, send: &SendPacket, access: Access) -> String {
        let key = run(&*self.store, send.clone()).await.unwrap().packet;
        PacketCode::new(key, &send.secret, access).to_string()
    }

    /// Sends `fen` to `receiver` under `bill_no`.
    pub(crate) async fn gave(&self, receiver: &str, fen: i64, bill_no: &str) -> String {
        let terms = hongbao_testkit::builders::normal_terms(receiver, fen);
        self.sent(&a_send(self.merchant, bill_no, terms)).await
    }

    /// Lets messages and history lines arrive.
    pub(crate) async fn follow(&self) {
        let inbox = Inbox(self.store.clone());
        while follow_journals(&self.app, &inbox).await.unwrap() > 0 {}
    }
}

/// What a good token of `name` says.
pub(crate) fn claims(name: &str) -> Claims {
    Claims {
        sub: name.to_owned(),
        appid: app(APP),
        openid: openid(name),
        exp: MORNING.millis() / 1_000 + 3_600,
        nbf: None,
        iss: None,
    }
}

/// A good token of `name`.
pub(crate) fn token(name: &str) -> String {
    issued(&claims(name))
}

/// The token that says `claims`, signed as the host does.
pub(crate) fn issued(claims: &Claims) -> String {
    TokenIssuer::shared_secret(SECRET).unwrap().issue(claims).unwrap()
}
