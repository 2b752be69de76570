//! Rows as use cases read and write them, outside of batches.

use std::{fmt, sync::Arc};

use hongbao_domain::{
    AppId, Fen, MerchantId, OpenId, PacketKey, Reference, Timestamp, UserId,
    ledger::{Account, AccountKind, JournalRow, Owner, Subject, TransferKind},
    merchant::{Merchant, Settings},
    message::{Following, MessageForm},
    packet::{Order, OrderKey, Packet},
    risk::Standing,
};
use serde::{Deserialize, Serialize};

/// A merchant with what only the platform sees.
#[derive(Clone, Debug)]
pub struct MerchantRecord {
    /// Settings and book.
    pub merchant: Merchant,
    /// Counts changes of the settings; an update names the version it read.
    pub settings_version: u64,
    /// The V2 key, sealed by [`crate::vault::Vault`]; `None` until one is set.
    pub sealed_key: Option<Vec<u8>>,
}

/// A merchant to be made.
#[derive(Clone, Debug)]
pub struct NewMerchant {
    /// Its number.
    pub id: MerchantId,
    /// Its settings.
    pub settings: Settings,
    /// Its V2 key, sealed.
    pub sealed_key: Option<Vec<u8>>,
}

/// A client certificate that the platform issued. The private key is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose.
    pub merchant: MerchantId,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// Valid until.
    pub not_after: Timestamp,
    /// Revoked since, if it is.
    pub revoked_at: Option<Timestamp>,
}

/// A certificate to be recorded.
#[derive(Clone, Debug)]
pub struct NewCertificate {
    /// Whose.
    pub merchant: MerchantId,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// Valid until.
    pub not_after: Timestamp,
}

/// How far an authorization of a provider by a merchant got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationState {
    /// The provider asked.
    Invited,
    /// The merchant said yes: the provider may send.
    Active,
    /// The merchant said no.
    Declined,
    /// One of them ended it.
    Revoked,
}

impl AuthorizationState {
    /// The number that is stored.
    pub const fn code(self) -> u8 {
        match self {
            Self::Invited => 1,
            Self::Active => 2,
            Self::Declined => 3,
            Self::Revoked => 4,
        }
    }

    /// The state with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Invited, Self::Active, Self::Declined, Self::Revoked]
            .into_iter()
            .find(|state| state.code() == code)
    }

    /// Whether `next` may follow.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Invited, Self::Active | Self::Declined | Self::Revoked)
                | (Self::Active, Self::Revoked)
                | (Self::Declined | Self::Revoked, Self::Invited)
        )
    }
}

/// A merchant lets a provider send for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Who sends.
    pub provider: MerchantId,
    /// Whose money it is.
    pub sub_merchant: MerchantId,
    /// How far it got.
    pub state: AuthorizationState,
}

/// A person's name inside one app.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Person {
    /// The app.
    pub app: AppId,
    /// The name.
    pub openid: OpenId,
}

/// A person to be registered.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Name inside the app.
    pub person: Person,
    /// The host app's own name for the human behind it: the same subject under two apps is one
    /// user with one wallet. 1 to 128 bytes.
    pub subject: String,
    /// What others may see.
    pub display_name: String,
    /// How they stand to the app's official account.
    pub following: Following,
    /// What the host app thinks of the account.
    pub standing: Standing,
}

/// A registered person.
#[derive(Clone, Debug)]
pub struct UserRecord {
    /// The wallet's owner.
    pub user: UserId,
    /// Name inside the app.
    pub person: Person,
    /// What others may see.
    pub display_name: String,
    /// How they stand to the app's official account.
    pub following: Following,
    /// What the host app thinks of the account.
    pub standing: Standing,
}

/// One share taken, with the taker's name in the packet's app.
#[derive(Clone, Debug)]
pub struct ClaimLine {
    /// Who.
    pub user: UserId,
    /// The taker's openid in the packet's app; `None` for somebody known in other apps only.
    pub openid: Option<OpenId>,
    /// What others may see.
    pub display_name: String,
    /// How much.
    pub amount: Fen,
    /// The how manieth claim, from 1.
    pub share_no: u32,
    /// When.
    pub at: Timestamp,
}

/// An order with its packet and claims, read in one snapshot.
#[derive(Clone, Debug)]
pub struct OrderRecord {
    /// Number and caller.
    pub key: OrderKey,
    /// Terms and state.
    pub order: Order,
    /// The packet, once funded.
    pub packet: Option<Packet>,
    /// Claims in order, for a normal packet too.
    pub claims: Vec<ClaimLine>,
    /// The paying merchant.
    pub merchant: Arc<Merchant>,
}

/// A message to a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// To whom.
    pub user: UserId,
    /// About which packet.
    pub packet: PacketKey,
    /// When the packet was sent: messages are listed by it, newest first.
    pub sent_at: Timestamp,
    /// In which form.
    pub form: MessageForm,
}

impl Message {
    /// What the receiver of a packet is told.
    pub const fn of(packet: &Packet) -> Self {
        Self {
            user: packet.receiver,
            packet: packet.key,
            sent_at: packet.funded_at,
            form: packet.form,
        }
    }
}

/// One line of a wallet's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletEntry {
    /// Whose.
    pub user: UserId,
    /// 1, 2, 3, … inside the wallet.
    pub seq: u64,
    /// Why.
    pub kind: TransferKind,
    /// What it added; below zero for what it took.
    pub delta: Fen,
    /// The wallet after it.
    pub balance_after: Fen,
    /// The merchant it came from or went to.
    pub merchant: Option<MerchantId>,
    /// The caller's number, where one was given.
    pub reference: Option<Reference>,
    /// When.
    pub at: Timestamp,
}

impl WalletEntry {
    /// The history lines of the wallets that a transfer moved.
    pub fn of(row: &JournalRow) -> impl Iterator<Item = Self> {
        let transfer = &row.transfer;
        let loss = Fen::ZERO.minus(transfer.amount).unwrap_or_default();
        let sides =
            [(transfer.from, loss, row.from_after), (transfer.to, transfer.amount, row.to_after)];
        sides.into_iter().filter_map(|(account, delta, after)| {
            let Account { owner: Owner::User(user), kind: AccountKind::Wallet } = account else {
                return None;
            };
            Some(Self {
                user,
                seq: after.seq,
                kind: transfer.kind,
                delta,
                balance_after: after.amount,
                merchant: match transfer.journal {
                    Owner::Merchant(merchant) => Some(merchant),
                    Owner::User(_) => None,
                },
                reference: match &transfer.subject {
                    Subject::Reference(reference) => Some(reference.clone()),
                    Subject::Packet(_) | Subject::Share { .. } => None,
                },
                at: transfer.at,
            })
        })
    }
}

/// A merchant's journal and how far it has been followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalCursor {
    /// Whose journal.
    pub merchant: MerchantId,
    /// The newest row that was followed.
    pub followed: u64,
    /// The newest row there is.
    pub head: u64,
}

/// A packet that has ended and is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuePacket {
    /// Which.
    pub packet: PacketKey,
    /// When it ended, by its merchant's time.
    pub expire_at: Timestamp,
}

/// What a scan for due packets saw.
#[derive(Clone, Debug, Default)]
pub struct DueScan {
    /// Due packets, oldest first, as many as were asked for at most.
    pub packets: Vec<DuePacket>,
    /// Each merchant's time at the scan.
    pub times: Vec<(MerchantId, Timestamp)>,
}

/// A withdrawal whose payout is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPayout {
    /// Whose.
    pub user: UserId,
    /// The number it came with.
    pub reference: Reference,
    /// How much.
    pub amount: Fen,
    /// When it left the wallet.
    pub at: Timestamp,
}

/// Transactions that a machine of the store has prepared and not heard the end of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// How many.
    pub count: u64,
    /// For how many seconds the oldest has waited; zero when there is none.
    pub oldest_seconds: u64,
}

/// Over what the rows of a distributed store lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Tables that are distributed.
    pub tables: u64,
    /// Their shards, all together.
    pub shards: u64,
    /// The machines that hold them.
    pub machines: u64,
}

/// Something written beside the journals that does not follow from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFinding {
    /// A row tells of a packet that nobody sent (I-20).
    Stray(String),
    /// A history line, a cursor or a message is missing or wrong (I-22).
    Handover(String),
    /// A reference or a payout does not fit its movements (I-28).
    Reference(String),
}

impl AuditFinding {
    /// The invariants that findings can break.
    pub const NUMBERS: [u8; 3] = [20, 22, 28];

    /// The invariant this one breaks.
    pub const fn number(&self) -> u8 {
        match self {
            Self::Stray(_) => 20,
            Self::Handover(_) => 22,
            Self::Reference(_) => 28,
        }
    }
}

/// The sentence.
impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Stray(says) | Self::Handover(says) | Self::Reference(says)) = self;
        f.write_str(says)
    }
}
