//! What a journal row means for the wallets it touches.

use hongbao_app::ports::WalletEntry;
use hongbao_domain::{
    Fen,
    ledger::{Account, AccountKind, Balance, JournalRow, Owner, Subject},
};

/// The history lines of a journal row: none, one, or two where money goes from wallet to wallet.
pub fn wallet_entries_of(row: &JournalRow) -> Vec<WalletEntry> {
    let amount = row.transfer.amount.get();
    let gave = (row.transfer.from, row.from_after, Fen::new(amount.saturating_neg()));
    let took = (row.transfer.to, row.to_after, Fen::new(amount));
    [gave, took]
        .into_iter()
        .filter_map(|(account, after, delta)| line(row, account, after, delta))
        .collect()
}

fn line(row: &JournalRow, account: Account, after: Balance, delta: Fen) -> Option<WalletEntry> {
    let (Owner::User(user), AccountKind::Wallet) = (account.owner, account.kind) else {
        return None;
    };
    Some(WalletEntry {
        user,
        seq: after.seq,
        kind: row.transfer.kind,
        delta,
        balance_after: after.amount,
        merchant: match row.transfer.journal {
            Owner::Merchant(id) => Some(id),
            Owner::User(_) => None,
        },
        reference: match &row.transfer.subject {
            Subject::Reference(reference) => Some(reference.clone()),
            Subject::Packet(_) | Subject::Share { .. } => None,
        },
        at: row.transfer.at,
    })
}
