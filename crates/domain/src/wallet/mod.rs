//! A user's wallet 零钱: like any money, it can be spent, passed on and withdrawn.

mod pay;
mod withdraw;

pub use pay::{PayMerchant, TransferToUser, WalletMoved};
pub use withdraw::{
    Payout, PayoutKey, PayoutState, SettleWithdrawal, WithdrawFromWallet, WithdrawalSettled,
};

use crate::{
    facts::Versioned,
    ids::{MerchantId, Reference, UserId},
    ledger::{Account, AccountKind, Balance, JournalHead, Owner, Transfer, TransferKind},
    money::Fen,
    refusal::Refusal,
    time::Timestamp,
};

/// No single movement is above ¥10 million: a slip of the pen is refused, and sums stay far from
/// the range of 64 bits (nine thousand million such movements fit).
pub const AMOUNT_MAX: Fen = Fen::from_yuan(10_000_000);

/// A user's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Whose.
    pub user: UserId,
    /// The wallet.
    pub wallet: Balance,
    /// The user's side of the outside world.
    pub external: Balance,
    /// The head of the user's own journal.
    pub journal: JournalHead,
    /// Frozen by the platform: nothing comes in, nothing goes out.
    pub frozen: bool,
}

impl Wallet {
    /// An empty wallet.
    pub fn new(user: UserId) -> Self {
        Self {
            user,
            wallet: Balance::default(),
            external: Balance::default(),
            journal: JournalHead::default(),
            frozen: false,
        }
    }

    /// The decision time for a movement that touches wallets only; never before the last one.
    pub fn time(&self, now: Timestamp) -> Timestamp {
        now.max(self.journal.at)
    }

    /// Refuses a frozen wallet.
    pub fn unfrozen(&self) -> Result<(), Refusal> {
        if self.frozen { Err(Refusal::WalletFrozen) } else { Ok(()) }
    }

    /// Refuses when the wallet holds less than `amount`.
    pub fn holds(&self, amount: Fen) -> Result<(), Refusal> {
        if self.wallet.amount >= amount {
            return Ok(());
        }
        Err(Refusal::BalanceTooLow { account: AccountKind::Wallet, balance: self.wallet.amount })
    }
}

impl Versioned for Wallet {
    /// Every change of a wallet row is an entry of one of its two accounts.
    fn version(&self) -> u64 {
        self.wallet.seq.saturating_add(self.external.seq)
    }
}

/// Under which owner a reference is unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PostedKey {
    /// Who asked.
    pub owner: Owner,
    /// The number it came with.
    pub reference: Reference,
}

impl PostedKey {
    /// A merchant's reference.
    pub fn merchant(id: MerchantId, reference: &Reference) -> Self {
        Self { owner: Owner::Merchant(id), reference: reference.clone() }
    }

    /// A user's reference.
    pub fn user(id: UserId, reference: &Reference) -> Self {
        Self { owner: Owner::User(id), reference: reference.clone() }
    }
}

/// A movement that was asked for under a reference, kept to answer the same call again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// What it was.
    pub kind: TransferKind,
    /// The account that gave.
    pub from: Account,
    /// The account that took.
    pub to: Account,
    /// How much.
    pub amount: Fen,
    /// When.
    pub at: Timestamp,
}

impl Posted {
    /// What `transfer` will be remembered as.
    pub fn of(transfer: &Transfer) -> Self {
        let Transfer { kind, from, to, amount, at, journal: _, subject: _, limit: _ } = transfer;
        Self { kind: *kind, from: *from, to: *to, amount: *amount, at: *at }
    }

    /// Refuses a second call that says something else.
    pub fn replayed_by(
        &self,
        kind: TransferKind,
        from: Account,
        to: Account,
        amount: Fen,
    ) -> Result<(), Refusal> {
        if (self.kind, self.from, self.to, self.amount) == (kind, from, to, amount) {
            Ok(())
        } else {
            Err(Refusal::ReferenceReused)
        }
    }
}

/// Refuses amounts that no movement may have.
pub(crate) fn check_amount(amount: Fen) -> Result<(), Refusal> {
    if amount.is_positive() && amount <= AMOUNT_MAX {
        Ok(())
    } else {
        Err(Refusal::AmountNotAllowed { max: AMOUNT_MAX })
    }
}
