//! Many rows at once, off the hot path: what `queries` does row by row, in one statement.

use std::collections::{BTreeMap, BTreeSet};

use hongbao_app::ports::{Message, Person, UserRecord, WalletEntry};
use hongbao_domain::{MerchantId, PacketKey, packet::Packet};

use super::{
    commit::wallet_entries,
    load,
    pool::Transaction,
    rows::{Rows, Write, look_up},
};
use crate::{
    columns::{int, merchant_int},
    error::Outcome,
    queries::{jobs, users::person},
    session::values,
};

const INSERT_MESSAGES: &str = "
INSERT INTO inbox_message (user_id, sent_at, merchant_id, packet_no, form)
SELECT *
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[])
ON CONFLICT (user_id, sent_at, merchant_id, packet_no) DO NOTHING";

/// Writes history lines and moves the cursor that they belong to.
pub(super) async fn follow(
    transaction: &Transaction,
    merchant: MerchantId,
    from: u64,
    to: u64,
    entries: &[WalletEntry],
) -> Outcome<()> {
    jobs::move_cursor(transaction, merchant, from, to).await?;
    let mut entries = entries.to_vec();
    entries.sort_by_key(|entry| (entry.user, entry.seq));
    wallet_entries(&entries)?.send_some(transaction.client()?).await?;
    Ok(())
}

/// Puts messages into inboxes; one that is there stays as it is.
pub(super) async fn put_messages(transaction: &Transaction, messages: &[Message]) -> Outcome<()> {
    let mut messages: Vec<&Message> = messages.iter().collect();
    messages.sort_by_key(|message| (message.user, message.sent_at, message.packet));
    let mut rows = Rows::default();
    for message in messages {
        rows.push(values![
            int(message.user.get())?,
            message.sent_at.millis(),
            merchant_int(message.packet.merchant),
            int(message.packet.no.get())?,
            message.form.code(),
        ]);
    }
    Write::new(INSERT_MESSAGES, "inbox_message", rows).send_some(transaction.client()?).await?;
    Ok(())
}

/// Those of these people that are registered.
pub(super) async fn users(
    transaction: &Transaction,
    people: &BTreeSet<Person>,
) -> Outcome<BTreeMap<Person, UserRecord>> {
    let mut keys = Rows::default();
    for name in people {
        keys.push(values![name.openid.as_str(), name.app.as_str()]);
    }
    look_up(transaction.client()?, load::PEOPLE, "app_user", keys, |row| {
        let record = person(row)?;
        Ok((record.person.clone(), record))
    })
    .await
}

/// Those of these packets that exist, by key.
pub(super) async fn packets(transaction: &Transaction, keys: &[PacketKey]) -> Outcome<Vec<Packet>> {
    let keys: BTreeSet<PacketKey> = keys.iter().copied().collect();
    let found = load::packets(transaction.client()?, &keys).await?;
    Ok(found.into_values().map(|slot| slot.row).collect())
}
