//! The people most cases are about: one merchant with ¥10,000 and three users.

use hongbao_domain::{MerchantId, UserId};

use super::Harness;
use crate::builders::{MerchantBuilder, a_merchant, a_user};

pub(super) struct Town {
    pub(super) merchant: MerchantId,
    pub(super) alice: UserId,
    pub(super) bob: UserId,
    pub(super) carol: UserId,
}

impl Town {
    pub(super) async fn new(h: &Harness) -> Self {
        Self::of(h, a_merchant().with_money(1_000_000)).await
    }

    pub(super) async fn of(h: &Harness, merchant: MerchantBuilder) -> Self {
        Self {
            merchant: merchant.in_store(h.store()).await,
            alice: a_user("alice").in_store(h.store()).await,
            bob: a_user("bob").in_store(h.store()).await,
            carol: a_user("carol").in_store(h.store()).await,
        }
    }
}
