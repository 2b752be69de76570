//! A merchant: its settings, which people change, and its book, which commands change.

mod accounts;
mod clock;
mod settings;

pub use accounts::{AccountMoved, FundingAccount, MoveToOperation, Recharge, WithdrawFromMerchant};
pub use clock::{AdvanceClock, CLOCK_STEP_SECONDS_MAX, ClockAdvanced};
pub use settings::{
    AmountRange, AppKind, BoundApp, CALL_IPS_MAX, GroupTerms, Product, Scene, SceneTerms, SendWay,
    Settings, SettingsError, Ways,
};

use std::sync::Arc;

use crate::{
    facts::Versioned,
    ids::MerchantId,
    ledger::{AccountKind, Balance, JournalHead},
    limit::DayUse,
    refusal::Refusal,
    time::Timestamp,
};

/// A merchant as a batch sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Its number.
    pub id: MerchantId,
    /// What people set.
    pub settings: Arc<Settings>,
    /// What commands move.
    pub book: Book,
}

/// The one row of a merchant that every command of its locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Counts changes of this row.
    pub version: u64,
    /// Basic account 基本账户.
    pub basic: Balance,
    /// Operation account 运营账户.
    pub operation: Balance,
    /// Sent and not yet claimed.
    pub escrow: Balance,
    /// The merchant's side of the outside world.
    pub external: Balance,
    /// The head of its journal.
    pub journal: JournalHead,
    /// What it sent today.
    pub day: DayUse,
    /// The number of its newest packet.
    pub last_packet: u64,
    /// How far a sandbox merchant's clock runs ahead, in milliseconds; 0 for all others.
    pub clock_offset_millis: i64,
}

impl Book {
    /// The account of this kind; a merchant has no wallet.
    pub fn account(&self, kind: AccountKind) -> Option<&Balance> {
        match kind {
            AccountKind::Basic => Some(&self.basic),
            AccountKind::Operation => Some(&self.operation),
            AccountKind::Escrow => Some(&self.escrow),
            AccountKind::External => Some(&self.external),
            AccountKind::Wallet => None,
        }
    }

    /// The account of this kind, to post to.
    pub(crate) fn account_mut(&mut self, kind: AccountKind) -> Option<&mut Balance> {
        match kind {
            AccountKind::Basic => Some(&mut self.basic),
            AccountKind::Operation => Some(&mut self.operation),
            AccountKind::Escrow => Some(&mut self.escrow),
            AccountKind::External => Some(&mut self.external),
            AccountKind::Wallet => None,
        }
    }
}

impl Merchant {
    /// The decision time for this merchant when the deciding clock says `now` (DEF8): a sandbox
    /// clock runs ahead, and no merchant's time ever goes back.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(self.book.clock_offset_millis).max(self.book.journal.at)
    }

    /// Which account pays for sends: the operation account once it is opened, else the basic one.
    pub fn funding_account(&self) -> AccountKind {
        if self.settings.operation_account_opened {
            AccountKind::Operation
        } else {
            AccountKind::Basic
        }
    }

    /// Refuses a frozen merchant.
    pub fn unfrozen(&self) -> Result<(), Refusal> {
        if self.settings.frozen { Err(Refusal::MerchantFrozen) } else { Ok(()) }
    }
}

impl Versioned for Merchant {
    fn version(&self) -> u64 {
        self.book.version
    }
}
