//! Merchants.

use std::sync::Arc;

use hongbao_app::ports::{NewMerchant, Store};
use hongbao_domain::{
    Fen, MerchantId,
    ledger::Balance,
    merchant::{AppKind, Book, BoundApp, FundingAccount, Merchant, Recharge, Settings},
};

use super::{APP, a_record, app, merchant_id, reference};
use crate::suite::run;

/// A merchant in the making.
#[derive(Clone, Debug)]
pub struct MerchantBuilder {
    id: MerchantId,
    settings: Settings,
    money: Fen,
}

/// Merchant 10000098 with the product opened, bound to [`APP`], the original's limits, no money.
pub fn a_merchant() -> MerchantBuilder {
    let mut settings = Settings::new("Lantern Tea".to_owned());
    settings.product.opened = true;
    settings.apps.push(BoundApp { app: app(APP), kind: AppKind::OfficialAccount });
    MerchantBuilder { id: merchant_id(10_000_098), settings, money: Fen::ZERO }
}

impl MerchantBuilder {
    /// With this number.
    #[must_use]
    pub fn numbered(mut self, number: u64) -> Self {
        self.id = merchant_id(number);
        self
    }

    /// With so many fen on the account that pays for sends.
    #[must_use]
    pub const fn with_money(mut self, fen: i64) -> Self {
        self.money = Fen::new(fen);
        self
    }

    /// With settings changed by `tweak`.
    #[must_use]
    pub fn with(mut self, tweak: impl FnOnce(&mut Settings)) -> Self {
        tweak(&mut self.settings);
        self
    }

    /// A sandbox merchant, whose clock can be advanced.
    #[must_use]
    pub fn sandbox(self) -> Self {
        self.with(|settings| settings.sandbox = true)
    }

    /// A merchant that others may authorize to send for them.
    #[must_use]
    pub fn provider(self) -> Self {
        self.with(|settings| settings.provider = true)
    }

    /// With the operation account opened.
    #[must_use]
    pub fn with_operation_account(self) -> Self {
        self.with(|settings| settings.operation_account_opened = true)
    }

    /// Also bound to the app named `name`.
    #[must_use]
    pub fn bound_to(self, name: &str, kind: AppKind) -> Self {
        let bound = BoundApp { app: app(name), kind };
        self.with(|settings| settings.apps.push(bound))
    }

    /// As it is created.
    pub fn new_merchant(&self) -> NewMerchant {
        NewMerchant {
            id: self.id,
            settings: self.settings.clone(),
            sealed_key: Some(vec![1, 2, 3]),
        }
    }

    /// As a row, for tests of pure code. The balances have no journal behind them.
    pub fn row(&self) -> Merchant {
        let settings = Arc::new(self.settings.clone());
        let mut book = Book::default();
        let paying = Balance { amount: self.money, seq: u64::from(self.money.is_positive()) };
        if settings.operation_account_opened {
            book.operation = paying;
        } else {
            book.basic = paying;
        }
        Merchant { id: self.id, settings, book }
    }

    /// Creates it in `store` and recharges its money.
    pub async fn in_store(self, store: &dyn Store) -> MerchantId {
        let record = a_record(Some(self.id));
        store.create_merchant(self.new_merchant(), record).await.expect("a merchant can be made");
        if self.money.is_positive() {
            let account = if self.settings.operation_account_opened {
                FundingAccount::Operation
            } else {
                FundingAccount::Basic
            };
            let recharge = Recharge {
                merchant: self.id,
                account,
                amount: self.money,
                reference: reference("first-money"),
            };
            run(store, recharge).await.expect("a merchant can be recharged");
        }
        self.id
    }
}
