//! Every business no.
//!
//! Variants stand in the order in which a send looks for them, and where several reasons hold the
//! first is the answer; the tables of decisions beside each command fix its own order. A refusal
//! carries what a person and a program need; how it is worded belongs to
//! the faces, which map every variant in one table each.

use crate::{
    ids::{AppId, MerchantId},
    ledger::AccountKind,
    merchant::{Scene, SendWay},
    money::{Fen, MoneyOverflow},
    time::Timestamp,
};

/// Why a command was refused. Nothing moved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    // ---- about the number it came with ----
    /// The order number was used for another receiver.
    ReceiverChanged,
    /// The order number was used for another amount.
    AmountChanged,
    /// The order number was used with another value of this term.
    TermChanged {
        /// `sub_merchant`, which is held against the number before receiver and amount are;
        /// `share_count`, `kind`, `scene`, `message_app` or `payer`.
        term: &'static str,
    },
    /// The order was refused and not cured within a day: a new number is needed.
    OrderExpired {
        /// Since when.
        since: Timestamp,
    },
    /// The reference was used for another amount or another counterparty.
    ReferenceReused,
    // ---- merchant and product ----
    /// No such merchant.
    MerchantUnknown,
    /// The merchant is frozen by the platform.
    MerchantFrozen,
    /// Cash red packets are not opened (开通).
    ProductNotOpened,
    /// This sending way is switched off.
    WayClosed {
        /// The way.
        way: SendWay,
    },
    /// The provider may not send for this merchant: no active authorization.
    NotAuthorized {
        /// The merchant it wanted to send for.
        sub_merchant: MerchantId,
    },
    /// A provider sends normal packets only.
    ProviderSendsNormalOnly,
    /// The payer named is neither the provider nor its sub-merchant.
    PayerNotAllowed,
    /// The app is not one that official accounts live in.
    AppKindNotAllowed {
        /// The app.
        app: AppId,
    },
    /// The app is not bound to the merchant.
    AppNotBound {
        /// The app.
        app: AppId,
    },
    /// The app named for the message is bound neither to provider nor to sub-merchant.
    MessageAppNotBound {
        /// The app.
        app: AppId,
    },
    // ---- the packet itself ----
    /// The scene is not opened.
    SceneNotOpened {
        /// The scene.
        scene: Scene,
    },
    /// The number of shares is out of range.
    ShareCountOutOfRange {
        /// Fewest.
        min: u32,
        /// Most.
        max: u32,
    },
    /// The amount, or a group's mean share, is out of range.
    AmountOutOfRange {
        /// Smallest.
        min: Fen,
        /// Largest.
        max: Fen,
    },
    /// The openid is not one of this app.
    ReceiverUnknown,
    // ---- refusals that leave an order, curable within a day ----
    /// Stopped by the merchant's anti-abuse level.
    RiskStopped {
        /// The level in force.
        level: u8,
    },
    /// The merchant's amount of the day is used up.
    MerchantDayAmount {
        /// The cap.
        cap: Fen,
        /// Used so far.
        used: Fen,
    },
    /// The user has claimed as many packets of this merchant today as allowed.
    UserDayCount {
        /// The cap.
        cap: u32,
        /// Used so far.
        used: u32,
    },
    /// The user's amount of the day at this merchant would be exceeded.
    UserDayAmount {
        /// The cap.
        cap: Fen,
        /// Used so far.
        used: Fen,
    },
    /// The paying account holds too little.
    BalanceTooLow {
        /// Which account pays.
        account: AccountKind,
        /// What it holds.
        balance: Fen,
    },
    // ---- claims ----
    /// No such packet, or the code was made up: the two look alike.
    PacketUnknown,
    /// Only its receiver can open a normal packet.
    NotTheReceiver,
    /// The claim came at or after the packet's end.
    PacketExpired {
        /// When it ended.
        expired_at: Timestamp,
    },
    /// The user who was sent the group packet opens it first.
    SeedFirst,
    /// All shares are taken.
    AllTaken,
    // ---- refunds ----
    /// The packet has not ended yet.
    NotExpired {
        /// When it ends.
        expires_at: Timestamp,
    },
    // ---- wallets and accounts ----
    /// No such user.
    UserUnknown,
    /// The wallet is frozen by the platform.
    WalletFrozen,
    /// Payer and payee are the same.
    SelfTransfer,
    /// The amount is zero, negative or above the ceiling.
    AmountNotAllowed {
        /// The ceiling.
        max: Fen,
    },
    /// The operation account is not opened.
    OperationAccountNotOpened,
    /// No such withdrawal.
    WithdrawalUnknown,
    // ---- sandbox ----
    /// Time travel is for sandbox merchants.
    NotASandbox,
    /// A clock goes forward only, at most this far at once.
    ClockStepNotAllowed {
        /// The longest step, in seconds.
        max_seconds: i64,
    },
    // ---- arithmetic ----
    /// A sum left the range of money: no real amount does.
    MoneyOverflow,
}

impl Refusal {
    /// Its name in metrics and in the JSON faces: never given another meaning.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReceiverChanged => "receiver_changed",
            Self::AmountChanged => "amount_changed",
            Self::TermChanged { .. } => "term_changed",
            Self::OrderExpired { .. } => "order_expired",
            Self::ReferenceReused => "reference_reused",
            Self::MerchantUnknown => "merchant_unknown",
            Self::MerchantFrozen => "merchant_frozen",
            Self::ProductNotOpened => "product_not_opened",
            Self::WayClosed { .. } => "way_closed",
            Self::NotAuthorized { .. } => "not_authorized",
            Self::ProviderSendsNormalOnly => "provider_sends_normal_only",
            Self::PayerNotAllowed => "payer_not_allowed",
            Self::AppKindNotAllowed { .. } => "app_kind_not_allowed",
            Self::AppNotBound { .. } => "app_not_bound",
            Self::MessageAppNotBound { .. } => "message_app_not_bound",
            Self::SceneNotOpened { .. } => "scene_not_opened",
            Self::ShareCountOutOfRange { .. } => "share_count_out_of_range",
            Self::AmountOutOfRange { .. } => "amount_out_of_range",
            Self::ReceiverUnknown => "receiver_unknown",
            Self::RiskStopped { .. } => "risk_stopped",
            Self::MerchantDayAmount { .. } => "merchant_day_amount",
            Self::UserDayCount { .. } => "user_day_count",
            Self::UserDayAmount { .. } => "user_day_amount",
            Self::BalanceTooLow { .. } => "balance_too_low",
            Self::PacketUnknown => "packet_unknown",
            Self::NotTheReceiver => "not_the_receiver",
            Self::PacketExpired { .. } => "packet_expired",
            Self::SeedFirst => "seed_first",
            Self::AllTaken => "all_taken",
            Self::NotExpired { .. } => "not_expired",
            Self::UserUnknown => "user_unknown",
            Self::WalletFrozen => "wallet_frozen",
            Self::SelfTransfer => "self_transfer",
            Self::AmountNotAllowed { .. } => "amount_not_allowed",
            Self::OperationAccountNotOpened => "operation_account_not_opened",
            Self::WithdrawalUnknown => "withdrawal_unknown",
            Self::NotASandbox => "not_a_sandbox",
            Self::ClockStepNotAllowed { .. } => "clock_step_not_allowed",
            Self::MoneyOverflow => "money_overflow",
        }
    }

    /// True for refusals of a send that leave an order behind, shown by the query as `SENDING`
    /// with its reason; the same number may be sent again once the cause is gone.
    pub const fn keeps_order(&self) -> bool {
        matches!(
            self,
            Self::RiskStopped { .. }
                | Self::MerchantDayAmount { .. }
                | Self::UserDayCount { .. }
                | Self::UserDayAmount { .. }
                | Self::BalanceTooLow { .. }
        )
    }
}

impl From<MoneyOverflow> for Refusal {
    fn from(_: MoneyOverflow) -> Self {
        Self::MoneyOverflow
    }
}
