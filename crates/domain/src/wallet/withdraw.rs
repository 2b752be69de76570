//! Withdrawing from a wallet: the money leaves at once, a payout rail carries it, and what the
//! rail cannot deliver comes back.

use super::{Posted, PostedKey, check_amount};
use crate::{
    facts::{Accepted, Command, Effects, Facts, Needs, Verdict},
    ids::{Reference, UserId},
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    money::Fen,
    refusal::Refusal,
    time::Timestamp,
};

/// Which withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PayoutKey {
    /// Whose.
    pub user: UserId,
    /// The number it came with.
    pub reference: Reference,
}

/// How far a payout got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayoutState {
    /// Left the wallet, not yet confirmed by the rail.
    Pending,
    /// The rail has delivered it.
    Paid,
    /// The rail could not deliver it; the money is back in the wallet.
    Returned,
}

impl PayoutState {
    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pending => 1,
            Self::Paid => 2,
            Self::Returned => 3,
        }
    }

    /// The state with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Pending, Self::Paid, Self::Returned].into_iter().find(|state| state.code() == code)
    }

    /// The word in faces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Returned => "returned",
        }
    }
}

/// A withdrawal on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// How much.
    pub amount: Fen,
    /// How far.
    pub state: PayoutState,
    /// When it left the wallet.
    pub at: Timestamp,
}

/// 提现: wallet → outside.
#[derive(Clone, Debug)]
pub struct WithdrawFromWallet {
    /// Whose wallet.
    pub user: UserId,
    /// How much.
    pub amount: Fen,
    /// The caller's number; a second use has no second effect.
    pub reference: Reference,
}

impl Command for WithdrawFromWallet {
    const NAME: &str = "withdraw_from_wallet";

    type Outcome = super::WalletMoved;

    fn journal(&self) -> Owner {
        Owner::User(self.user)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.wallets.insert(self.user);
        needs.posted.insert(PostedKey::user(self.user, &self.reference));
    }

    fn decide(&self, facts: &Facts) -> Verdict<super::WalletMoved> {
        let wallet = facts.wallet(self.user)?;
        let at = wallet.time(facts.now);
        let transfer = Transfer {
            kind: TransferKind::WalletWithdrawal,
            journal: Owner::User(self.user),
            from: Account::user(self.user, AccountKind::Wallet),
            to: Account::user(self.user, AccountKind::External),
            amount: self.amount,
            subject: Subject::Reference(self.reference.clone()),
            limit: None,
            at,
        };
        let key = PostedKey::user(self.user, &self.reference);
        if let Some(posted) = facts.posted(&key) {
            posted.replayed_by(transfer.kind, transfer.from, transfer.to, transfer.amount)?;
            let outcome = super::WalletMoved { posted: posted.clone(), replayed: true };
            return Ok(Accepted::already(outcome));
        }
        wallet.unfrozen()?;
        check_amount(self.amount)?;
        wallet.holds(self.amount)?;
        let posted = Posted::of(&transfer);
        let outcome = super::WalletMoved { posted: posted.clone(), replayed: false };
        let payout_key = PayoutKey { user: self.user, reference: self.reference.clone() };
        let payout = Payout { amount: self.amount, state: PayoutState::Pending, at };
        let effects = Effects {
            transfers: vec![transfer],
            posted: Some((key, posted)),
            payout: Some((payout_key, payout)),
            ..Effects::default()
        };
        Ok(Accepted { outcome, effects })
    }
}

/// Books what the rail said about a pending withdrawal.
#[derive(Clone, Debug)]
pub struct SettleWithdrawal {
    /// Which one.
    pub key: PayoutKey,
    /// True when the rail delivered it; false sends the money back to the wallet.
    pub delivered: bool,
}

/// The state a withdrawal is in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawalSettled {
    /// Paid or returned.
    pub state: PayoutState,
}

impl Command for SettleWithdrawal {
    const NAME: &str = "settle_withdrawal";

    type Outcome = WithdrawalSettled;

    fn journal(&self) -> Owner {
        Owner::User(self.key.user)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.wallets.insert(self.key.user);
        needs.payouts.insert(self.key.clone());
    }

    fn decide(&self, facts: &Facts) -> Verdict<WithdrawalSettled> {
        let user = self.key.user;
        let payout = facts.payout(&self.key).ok_or(Refusal::WithdrawalUnknown)?;
        if payout.state != PayoutState::Pending {
            return Ok(Accepted::already(WithdrawalSettled { state: payout.state }));
        }
        let state = if self.delivered { PayoutState::Paid } else { PayoutState::Returned };
        let mut effects = Effects {
            payout: Some((self.key.clone(), Payout { state, ..payout.clone() })),
            ..Effects::default()
        };
        if state == PayoutState::Returned {
            effects.transfers.push(Transfer {
                kind: TransferKind::WithdrawalReturn,
                journal: Owner::User(user),
                from: Account::user(user, AccountKind::External),
                to: Account::user(user, AccountKind::Wallet),
                amount: payout.amount,
                subject: Subject::Reference(self.key.reference.clone()),
                limit: None,
                at: facts.wallet(user)?.time(facts.now),
            });
        }
        Ok(Accepted { outcome: WithdrawalSettled { state }, effects })
    }
}
