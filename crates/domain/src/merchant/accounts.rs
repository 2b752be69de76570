//! Money into, inside and out of a merchant's own accounts.

use crate::{
    facts::{Accepted, Command, Effects, Facts, Needs, Verdict},
    ids::{MerchantId, Reference},
    ledger::{Account, AccountKind, Owner, Subject, Transfer, TransferKind},
    merchant::Merchant,
    money::Fen,
    refusal::Refusal,
    wallet::{Posted, PostedKey, check_amount},
};

/// The accounts that money can be put into from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundingAccount {
    /// 基本账户.
    Basic,
    /// 运营账户, once opened.
    Operation,
}

/// 充值: money comes from outside into the account that pays for sends, or the basic one.
#[derive(Clone, Debug)]
pub struct Recharge {
    /// Whose account.
    pub merchant: MerchantId,
    /// Which account.
    pub account: FundingAccount,
    /// How much.
    pub amount: Fen,
    /// The number in the system that took the money; a second use has no second effect.
    pub reference: Reference,
}

/// Basic → operation account.
#[derive(Clone, Debug)]
pub struct MoveToOperation {
    /// Whose accounts.
    pub merchant: MerchantId,
    /// How much.
    pub amount: Fen,
    /// The caller's number; a second use has no second effect.
    pub reference: Reference,
}

/// Basic account → outside.
#[derive(Clone, Debug)]
pub struct WithdrawFromMerchant {
    /// Whose account.
    pub merchant: MerchantId,
    /// How much.
    pub amount: Fen,
    /// The caller's number; a second use has no second effect.
    pub reference: Reference,
}

/// What moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountMoved {
    /// How it is booked.
    pub posted: Posted,
    /// True when an earlier call with the same reference moved it.
    pub replayed: bool,
}

impl Command for Recharge {
    const NAME: &str = "recharge";

    type Outcome = AccountMoved;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs_of(self.merchant, &self.reference, needs);
    }

    fn decide(&self, facts: &Facts) -> Verdict<AccountMoved> {
        let to = match self.account {
            FundingAccount::Basic => AccountKind::Basic,
            FundingAccount::Operation => AccountKind::Operation,
        };
        let route = Route { kind: TransferKind::Recharge, from: AccountKind::External, to };
        move_money(facts, self.merchant, &self.reference, self.amount, route)
    }
}

impl Command for MoveToOperation {
    const NAME: &str = "move_to_operation";

    type Outcome = AccountMoved;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs_of(self.merchant, &self.reference, needs);
    }

    fn decide(&self, facts: &Facts) -> Verdict<AccountMoved> {
        let (from, to) = (AccountKind::Basic, AccountKind::Operation);
        let route = Route { kind: TransferKind::ToOperation, from, to };
        move_money(facts, self.merchant, &self.reference, self.amount, route)
    }
}

impl Command for WithdrawFromMerchant {
    const NAME: &str = "withdraw_from_merchant";

    type Outcome = AccountMoved;

    fn journal(&self) -> Owner {
        Owner::Merchant(self.merchant)
    }

    fn needs(&self, needs: &mut Needs) {
        needs_of(self.merchant, &self.reference, needs);
    }

    fn decide(&self, facts: &Facts) -> Verdict<AccountMoved> {
        let (from, to) = (AccountKind::Basic, AccountKind::External);
        let route = Route { kind: TransferKind::MerchantWithdrawal, from, to };
        move_money(facts, self.merchant, &self.reference, self.amount, route)
    }
}

#[derive(Clone, Copy)]
struct Route {
    kind: TransferKind,
    from: AccountKind,
    to: AccountKind,
}

fn needs_of(merchant: MerchantId, reference: &Reference, needs: &mut Needs) {
    needs.merchants.insert(merchant);
    needs.posted.insert(PostedKey::merchant(merchant, reference));
}

/// What may not be, whatever the amount: sending out of a frozen merchant, and an operation account
/// that is not opened.
fn route_open(merchant: &Merchant, route: Route) -> Result<(), Refusal> {
    if route.to == AccountKind::External {
        merchant.unfrozen()?;
    }
    if route.to == AccountKind::Operation && !merchant.settings.operation_account_opened {
        return Err(Refusal::OperationAccountNotOpened);
    }
    Ok(())
}

/// What was booked before is answered before anything else is looked at: a caller whose answer was
/// lost must not be told that nothing moved.
fn move_money(
    facts: &Facts,
    id: MerchantId,
    reference: &Reference,
    amount: Fen,
    route: Route,
) -> Verdict<AccountMoved> {
    let merchant = facts.merchant(id)?;
    let Route { kind, from, to } = route;
    let (from, to) = (Account::merchant(id, from), Account::merchant(id, to));
    let key = PostedKey::merchant(id, reference);
    if let Some(posted) = facts.posted(&key) {
        posted.replayed_by(kind, from, to, amount)?;
        return Ok(Accepted::already(AccountMoved { posted: posted.clone(), replayed: true }));
    }
    route_open(merchant, route)?;
    check_amount(amount)?;
    let held = merchant.book.account(from.kind).copied().unwrap_or_default().amount;
    if from.kind != AccountKind::External && held < amount {
        return Err(Refusal::BalanceTooLow { account: from.kind, balance: held }.into());
    }
    let transfer = Transfer {
        kind,
        journal: Owner::Merchant(id),
        from,
        to,
        amount,
        subject: Subject::Reference(reference.clone()),
        limit: None,
        at: merchant.time(facts.now),
    };
    let posted = Posted::of(&transfer);
    let outcome = AccountMoved { posted: posted.clone(), replayed: false };
    let effects =
        Effects { transfers: vec![transfer], posted: Some((key, posted)), ..Effects::default() };
    Ok(Accepted { outcome, effects })
}
