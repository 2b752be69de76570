//! The small vocabulary that tests are written in.
//!
//! Everything has a default that works: one merchant, one app, ¥1.00 packets. A test names only
//! what it is about.

mod merchant;
mod packet;
mod user;

pub use merchant::{MerchantBuilder, a_merchant};
pub use packet::{
    a_claim, a_link_claim, a_send, an_order, group_terms, normal_terms, reference, secret,
};
pub use user::{UserBuilder, a_user};

use hongbao_domain::{
    AppId, Fen, MerchantId, OpenId,
    change::{Actor, ChangeRecord},
};

use crate::clock::MORNING;

/// The app that merchants are bound to and people are known in, unless a test says otherwise.
pub const APP: &str = "wx-app-one";
/// A second app.
pub const OTHER_APP: &str = "wx-app-two";

/// `fen` whole fen.
pub const fn fen(fen: i64) -> Fen {
    Fen::new(fen)
}

/// The merchant numbered `number`.
pub fn merchant_id(number: u64) -> MerchantId {
    MerchantId::try_new(number).expect("a test names a merchant by 8 to 10 digits")
}

/// The app named `name`.
pub fn app(name: &str) -> AppId {
    name.parse().expect("a test names an app")
}

/// The openid `name`.
pub fn openid(name: &str) -> OpenId {
    name.parse().expect("a test names an openid")
}

/// Some record of a protected change at `merchant`.
pub fn a_record(merchant: Option<MerchantId>) -> ChangeRecord {
    ChangeRecord {
        merchant,
        action: "test.change",
        actor: Actor::command_line(),
        before: String::new(),
        after: "{}".to_owned(),
        at: MORNING,
    }
}
