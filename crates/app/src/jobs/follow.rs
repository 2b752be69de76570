//! Following journals: a merchant's journal is its event log.
//!
//! A send becomes a message to its receiver; a movement of a wallet becomes a line of that
//! wallet's history. The cursor of a journal moves in the same transaction as the lines; messages
//! go out before it, and are safe to hand over twice (I-22).

use std::sync::Arc;

use hongbao_domain::{
    PacketKey,
    ledger::{JournalRow, Owner},
};

use crate::{
    App, AppError,
    ports::{JournalCursor, Message, Notifier, StoreError, WalletEntry},
};

/// Cursors read at once.
const CURSORS_MAX: u32 = 256;
/// Rows of one journal followed at once.
const ROWS_MAX: u32 = 4_096;

/// Follows every journal that is ahead of its cursor, a piece of each, so that many busy merchants
/// do not hold up the others; answers how many rows were followed.
pub async fn follow_journals(app: &Arc<App>, notifier: &dyn Notifier) -> Result<usize, AppError> {
    let (mut followed, mut failed, mut last) = (0, None, None);
    loop {
        let cursors = app.store.unfollowed(last, CURSORS_MAX).await?;
        let Some(end) = cursors.last() else { break };
        last = Some(end.merchant);
        for cursor in cursors {
            match follow_one(app, notifier, cursor).await {
                Ok(rows) => followed += rows,
                // One journal that cannot be followed holds up no other.
                Err(error) => {
                    let mch_id = cursor.merchant;
                    tracing::warn!(%mch_id, %error, "a journal was not followed");
                    failed = Some(error);
                }
            }
        }
    }
    match failed {
        Some(error) if followed == 0 => Err(error),
        Some(_) | None => Ok(followed),
    }
}

async fn follow_one(
    app: &App,
    notifier: &dyn Notifier,
    cursor: JournalCursor,
) -> Result<usize, AppError> {
    let JournalCursor { merchant, followed, .. } = cursor;
    let rows = app.store.journal_after(Owner::Merchant(merchant), followed, ROWS_MAX).await?;
    let Some(last) = rows.last() else {
        return Ok(0);
    };
    let sent: Vec<PacketKey> = rows.iter().filter_map(JournalRow::packet_sent).collect();
    if !sent.is_empty() {
        let packets = app.store.packets(&sent).await?;
        let messages: Vec<Message> = packets.iter().map(Message::of).collect();
        notifier.notify(&messages).await.map_err(|error| {
            AppError::Store(StoreError::Unavailable(format!("messages not handed over: {error}")))
        })?;
    }
    let entries: Vec<WalletEntry> = rows.iter().flat_map(WalletEntry::of).collect();
    match app.store.follow(merchant, followed, last.seq, &entries).await {
        Ok(()) => Ok(rows.len()),
        // Another server follows this journal: it has done the same.
        Err(StoreError::Conflict { .. }) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
