//! Double entry, kept as append-only journals.
//!
//! One row of a journal is one [`Transfer`] that happened: two accounts, an amount, and for each
//! account its own entry number and balance after. A transfer stands in exactly one journal: its
//! merchant's or, where only wallets are touched, the paying user's. Journals are gap-free by
//! `seq` and chained by hash (see [`chain`]), and the head of the chain stands on the owner's
//! row, which is the row that is locked.
//!
//! Outside-world accounts are one per owner, so that no row is everybody's.

pub mod audit;
pub mod chain;

use std::fmt;

pub use chain::JournalHash;

use crate::{
    ids::{MerchantId, PacketKey, PacketNo, Reference, UserId},
    money::{Fen, MoneyOverflow},
    time::{Day, Timestamp},
};

/// Whose journal, or whose account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A merchant.
    Merchant(MerchantId),
    /// A user.
    User(UserId),
}

/// `merchant/10000098` or `user/7`: the name of a journal in the audit views.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merchant(id) => write!(f, "merchant/{id}"),
            Self::User(id) => write!(f, "user/{id}"),
        }
    }
}

/// The accounts an owner can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// Basic account 基本账户: where a merchant's money arrives.
    Basic,
    /// Operation account 运营账户: pays every send once it is opened.
    Operation,
    /// What a merchant has sent and nobody has claimed yet.
    Escrow,
    /// Wallet 零钱 of a user.
    Wallet,
    /// The owner's side of the outside world; the only kind that may go below zero.
    External,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Basic, Self::Operation, Self::Escrow, Self::Wallet, Self::External];

    /// The number that is stored and hashed. Never change one.
    pub const fn code(self) -> u8 {
        match self {
            Self::Basic => 1,
            Self::Operation => 2,
            Self::Escrow => 3,
            Self::Wallet => 4,
            Self::External => 5,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The word in account names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Operation => "operation",
            Self::Escrow => "escrow",
            Self::Wallet => "wallet",
            Self::External => "external",
        }
    }
}

/// One account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// Whose.
    pub owner: Owner,
    /// Which of the owner's.
    pub kind: AccountKind,
}

impl Account {
    /// The merchant's account of this kind.
    pub const fn merchant(id: MerchantId, kind: AccountKind) -> Self {
        Self { owner: Owner::Merchant(id), kind }
    }

    /// The user's account of this kind.
    pub const fn user(id: UserId, kind: AccountKind) -> Self {
        Self { owner: Owner::User(id), kind }
    }
}

/// `merchant/10000098/escrow`.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.kind.as_str())
    }
}

/// Why money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransferKind {
    /// Outside → basic or operation account.
    Recharge,
    /// Basic → outside.
    MerchantWithdrawal,
    /// Basic → operation account.
    ToOperation,
    /// Basic or operation → escrow: a packet is sent (现金红包扣款).
    Send,
    /// Escrow → wallet: a share is claimed.
    Claim,
    /// Escrow → the account that paid: what nobody claimed goes back (现金红包退款).
    Refund,
    /// Wallet → basic account of a merchant.
    Payment,
    /// Wallet → wallet.
    WalletTransfer,
    /// Wallet → outside.
    WalletWithdrawal,
    /// Outside → wallet: a withdrawal that could not be paid out comes back.
    WithdrawalReturn,
}

impl TransferKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Recharge,
        Self::MerchantWithdrawal,
        Self::ToOperation,
        Self::Send,
        Self::Claim,
        Self::Refund,
        Self::Payment,
        Self::WalletTransfer,
        Self::WalletWithdrawal,
        Self::WithdrawalReturn,
    ];

    /// The number that is stored and hashed. Never change one.
    pub const fn code(self) -> u8 {
        match self {
            Self::Recharge => 1,
            Self::MerchantWithdrawal => 2,
            Self::ToOperation => 3,
            Self::Send => 4,
            Self::Claim => 5,
            Self::Refund => 6,
            Self::Payment => 7,
            Self::WalletTransfer => 8,
            Self::WalletWithdrawal => 9,
            Self::WithdrawalReturn => 10,
        }
    }

    /// The kind with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The word in faces and views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recharge => "recharge",
            Self::MerchantWithdrawal => "merchant_withdrawal",
            Self::ToOperation => "to_operation",
            Self::Send => "send",
            Self::Claim => "claim",
            Self::Refund => "refund",
            Self::Payment => "payment",
            Self::WalletTransfer => "wallet_transfer",
            Self::WalletWithdrawal => "wallet_withdrawal",
            Self::WithdrawalReturn => "withdrawal_return",
        }
    }
}

/// What a transfer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A packet of the journal's merchant as a whole.
    Packet(PacketNo),
    /// The share of a packet numbered `share_no`, counted from 1 in the order of claims.
    Share {
        /// The packet.
        packet: PacketNo,
        /// 1 … share count.
        share_no: u32,
    },
    /// The number in the system that asked for the transfer.
    Reference(Reference),
}

/// The limit that a transfer used, after it used it (I-16). A send uses its merchant's amount of
/// the day; a claim uses its user's count and amount of the day at that merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitUse {
    /// Which change of this limit row it is, 1, 2, 3, …, days counted through.
    pub version: u64,
    /// The accounting day.
    pub day: Day,
    /// Money used that day, this transfer included.
    pub used_fen: Fen,
    /// Packets that day, this one included.
    pub used_count: u32,
    /// The cap on money in force at the decision.
    pub cap_fen: Fen,
    /// The cap on the count in force at the decision; `None` where count is not limited.
    pub cap_count: Option<u32>,
}

/// A transfer decided and not yet posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Why.
    pub kind: TransferKind,
    /// The journal it stands in.
    pub journal: Owner,
    /// The account that gives.
    pub from: Account,
    /// The account that takes.
    pub to: Account,
    /// How much, above zero.
    pub amount: Fen,
    /// What it is about.
    pub subject: Subject,
    /// The limit it uses.
    pub limit: Option<LimitUse>,
    /// The decision time.
    pub at: Timestamp,
}

/// An account's balance and the number of its newest entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Money in the account.
    pub amount: Fen,
    /// How many entries made it.
    pub seq: u64,
}

impl Balance {
    /// The balance after an entry of `delta`.
    pub fn posted(self, delta: Fen) -> Result<Self, MoneyOverflow> {
        let seq = self.seq.checked_add(1).ok_or(MoneyOverflow)?;
        Ok(Self { amount: self.amount.plus(delta)?, seq })
    }
}

/// The head of a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalHead {
    /// The number of the newest row; 0 before the first.
    pub seq: u64,
    /// The hash of the newest row; zeros before the first.
    pub hash: JournalHash,
    /// The decision time of the newest row: decision times of a journal never go back (I-17).
    pub at: Timestamp,
}

/// A transfer as it stands in its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// 1, 2, 3, … inside its journal.
    pub seq: u64,
    /// What happened.
    pub transfer: Transfer,
    /// The giving account after it.
    pub from_after: Balance,
    /// The taking account after it.
    pub to_after: Balance,
    /// The chained hash, see [`chain`].
    pub hash: JournalHash,
}

impl JournalRow {
    /// The packet that this row funded, if it is a send.
    pub const fn packet_sent(&self) -> Option<PacketKey> {
        match (self.transfer.kind, self.transfer.journal, &self.transfer.subject) {
            (TransferKind::Send, Owner::Merchant(merchant), Subject::Packet(no)) => {
                Some(PacketKey { merchant, no: *no })
            }
            _ => None,
        }
    }
}
