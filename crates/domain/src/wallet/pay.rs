//! Spending from a wallet: at a merchant, or to another user.

use super::{Posted, PostedKey, Wallet, check_amount};
use crate::{
    facts::{Accepted, Command, Effects, Facts, Needs, Verdict},
    ids::{MerchantId, Reference, UserId},
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    money::Fen,
    refusal::Refusal,
};

/// A user pays a merchant from the wallet.
#[derive(Clone, Debug)]
pub struct PayMerchant {
    /// Who pays.
    pub user: UserId,
    /// Who gets it, on the basic account.
    pub merchant: MerchantId,
    /// How much.
    pub amount: Fen,
    /// The caller's number; a second use has no second effect.
    pub reference: Reference,
}

/// A user passes money on to another.
#[derive(Clone, Debug)]
pub struct TransferToUser {
    /// Who gives.
    pub from: UserId,
    /// Who gets.
    pub to: UserId,
    /// How much.
    pub amount: Fen,
    /// The caller's number; a second use has no second effect.
    pub reference: Reference,
}

/// What moved out of a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletMoved {
    /// How it is booked.
    pub posted: Posted,
    /// True when an earlier call with the same reference moved it.
    pub replayed: bool,
}

impl Command for PayMerchant {
    const NAME: &str = "pay_merchant";

    type Outcome = WalletMoved;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.merchants.insert(self.merchant);
        needs.wallets.insert(self.user);
        needs.posted.insert(PostedKey::user(self.user, &self.reference));
    }

    fn decide(&self, facts: &Facts) -> Verdict<WalletMoved> {
        let merchant = facts.merchant(self.merchant)?;
        let wallet = facts.wallet(self.user)?;
        let transfer = Transfer {
            kind: TransferKind::Payment,
            journal: Owner::Merchant(self.merchant),
            from: Account::user(self.user, AccountKind::Wallet),
            to: Account::merchant(self.merchant, AccountKind::Basic),
            amount: self.amount,
            subject: Subject::Reference(self.reference.clone()),
            limit: None,
            at: merchant.time(facts.now),
        };
        spend(facts, wallet, transfer, &self.reference, || merchant.unfrozen())
    }
}

impl Command for TransferToUser {
    const NAME: &str = "transfer_to_user";

    type Outcome = WalletMoved;

    fn journal(&self) -> Owner {
        Owner::User(self.from)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.wallets.insert(self.from);
        needs.wallets.insert(self.to);
        needs.posted.insert(PostedKey::user(self.from, &self.reference));
    }

    fn decide(&self, facts: &Facts) -> Verdict<WalletMoved> {
        if self.from == self.to {
            return Err(Refusal::SelfTransfer.into());
        }
        let wallet = facts.wallet(self.from)?;
        let payee = facts.wallet(self.to)?;
        let transfer = Transfer {
            kind: TransferKind::WalletTransfer,
            journal: Owner::User(self.from),
            from: Account::user(self.from, AccountKind::Wallet),
            to: Account::user(self.to, AccountKind::Wallet),
            amount: self.amount,
            subject: Subject::Reference(self.reference.clone()),
            limit: None,
            at: wallet.time(facts.now),
        };
        spend(facts, wallet, transfer, &self.reference, || payee.unfrozen())
    }
}

fn spend(
    facts: &Facts,
    wallet: &Wallet,
    transfer: Transfer,
    reference: &Reference,
    payee_can_take: impl FnOnce() -> Result<(), Refusal>,
) -> Verdict<WalletMoved> {
    let key = PostedKey::user(wallet.user, reference);
    if let Some(posted) = facts.posted(&key) {
        posted.replayed_by(transfer.kind, transfer.from, transfer.to, transfer.amount)?;
        return Ok(Accepted::already(WalletMoved { posted: posted.clone(), replayed: true }));
    }
    payee_can_take()?;
    wallet.unfrozen()?;
    check_amount(transfer.amount)?;
    wallet.holds(transfer.amount)?;
    let posted = Posted::of(&transfer);
    let outcome = WalletMoved { posted: posted.clone(), replayed: false };
    let effects =
        Effects { transfers: vec![transfer], posted: Some((key, posted)), ..Effects::default() };
    Ok(Accepted { outcome, effects })
}
