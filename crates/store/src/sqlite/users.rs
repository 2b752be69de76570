//! People, their wallets, histories and inboxes.

use std::collections::{BTreeMap, BTreeSet};

use hongbao_app::ports::{Message, NewUser, Person, UserRecord, WalletEntry};
use hongbao_domain::{
    Fen, OpenId, PacketKey, Timestamp, UserId,
    change::ChangeRecord,
    ledger::TransferKind,
    message::{Following, MessageForm},
    risk::Standing,
    wallet::Wallet,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, params};

use super::{
    admin::insert_record,
    commit::{insert, one},
    error::{Failure, Outcome},
    rows::{Fields, int, merchant_int},
};
use crate::queries::users as sql;

/// Registers or updates a person.
pub(super) fn register(
    connection: &Connection,
    new: &NewUser,
    at: Timestamp,
) -> Outcome<UserRecord> {
    let user = match find(connection, &new.person)? {
        Some(known) => {
            update_person(connection, new)?;
            known.user
        }
        None => insert_person(connection, new, at)?,
    };
    Ok(UserRecord {
        user,
        person: new.person.clone(),
        display_name: new.display_name.clone(),
        following: new.following,
        standing: new.standing,
    })
}

/// The subject stands in the `WHERE`: under another one this is somebody else.
fn update_person(connection: &Connection, new: &NewUser) -> Outcome<()> {
    let mut statement = connection.prepare_cached(sql::UPDATE_PERSON)?;
    let params = params![
        new.display_name,
        new.following.since.map(Timestamp::millis),
        new.following.accepts_messages,
        new.standing.code(),
        new.person.openid.as_str(),
        new.person.app.as_str(),
        new.subject,
    ];
    one(statement.execute(params)?, "subject")
}

fn insert_person(connection: &Connection, new: &NewUser, at: Timestamp) -> Outcome<UserId> {
    let mut statement = connection.prepare_cached(sql::SUBJECT)?;
    let known: Option<i64> = statement.query_row((&new.subject,), |row| row.get(0)).optional()?;
    let user = match known {
        Some(user) => user,
        None => insert_user(connection, &new.subject)?,
    };
    let params = params![
        new.person.openid.as_str(),
        new.person.app.as_str(),
        user,
        new.subject,
        new.display_name,
        new.following.since.map(Timestamp::millis),
        new.following.accepts_messages,
        new.standing.code(),
        at.millis(),
    ];
    insert(&mut connection.prepare_cached(sql::INSERT_PERSON)?, params, "app_user")?;
    let user = u64::try_from(user).map_err(|_negative| Failure::corrupt("a user below 0"))?;
    Ok(UserId::new(user))
}

/// A new user with an empty wallet; numbers are handed out in turn by the one writer.
fn insert_user(connection: &Connection, subject: &str) -> Outcome<i64> {
    let mut next = connection.prepare_cached(sql::NEXT_USER)?;
    let user: i64 = next.query_row((), |row| row.get(0))?;
    insert(&mut connection.prepare_cached(sql::INSERT_SUBJECT)?, (subject, user), "subject")?;
    insert(&mut connection.prepare_cached(sql::INSERT_WALLET)?, (user,), "wallet")?;
    Ok(user)
}

/// The person.
pub(super) fn find(connection: &Connection, name: &Person) -> Outcome<Option<UserRecord>> {
    let mut statement = connection.prepare_cached(sql::PERSON)?;
    let mut rows = statement.query((name.openid.as_str(), name.app.as_str()))?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    person(&mut Fields::new(row, "app_user")).map(Some)
}

/// Those of these people that are registered.
pub(super) fn find_all(
    connection: &Connection,
    people: BTreeSet<Person>,
) -> Outcome<BTreeMap<Person, UserRecord>> {
    let found = people.into_iter().filter_map(|name| match find(connection, &name) {
        Ok(record) => record.map(|record| Ok((name, record))),
        Err(error) => Some(Err(error)),
    });
    found.collect()
}

/// A row of `PERSON`.
pub(super) fn person(fields: &mut Fields<'_>) -> Outcome<UserRecord> {
    Ok(UserRecord {
        user: fields.user()?,
        person: Person { app: fields.parsed()?, openid: fields.parsed()? },
        display_name: fields.raw()?,
        following: Following { since: fields.time_or_null()?, accepts_messages: fields.bool()? },
        standing: fields.code(Standing::from_code)?,
    })
}

/// A user's name in an app, and the name that others may see; somebody known in other apps only
/// has no openid here.
pub(super) fn name_in(
    connection: &Connection,
    user: UserId,
    app: &str,
) -> Outcome<(Option<OpenId>, String)> {
    let mut statement = connection.prepare_cached(sql::NAMES_OF_USER)?;
    let mut rows = statement.query((int(user.get())?, app))?;
    let Some(row) = rows.next()? else {
        return Ok((None, String::new()));
    };
    let mut fields = Fields::new(row, "app_user");
    let named_in: String = fields.raw()?;
    let (openid, display_name) = (fields.parsed()?, fields.raw()?);
    Ok(((named_in == app).then_some(openid), display_name))
}

/// Freezes or thaws a wallet; of nobody nothing is recorded.
pub(super) fn set_frozen(
    connection: &Connection,
    user: UserId,
    frozen: bool,
    record: &ChangeRecord,
) -> Outcome<bool> {
    let mut statement = connection.prepare_cached(sql::FREEZE_WALLET)?;
    let found = statement.execute((frozen, int(user.get())?))? == 1;
    if found {
        insert_record(connection, record)?;
    }
    Ok(found)
}

/// The wallet.
pub(super) fn wallet(connection: &Connection, user: UserId) -> Outcome<Option<Wallet>> {
    let mut statement = connection.prepare_cached(sql::WALLET)?;
    let mut rows = statement.query((int(user.get())?,))?;
    match rows.next()? {
        Some(row) => Fields::new(row, "wallet").wallet().map(Some),
        None => Ok(None),
    }
}

/// History lines below `before`, newest first.
pub(super) fn entries(
    connection: &Connection,
    user: UserId,
    before: u64,
    limit: u32,
) -> Outcome<Vec<WalletEntry>> {
    // No column holds a larger number, so "before the largest" means all.
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql::WALLET_ENTRIES)?;
    let mut rows = statement.query((int(user.get())?, before, limit))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row, "wallet_entry");
        entries.push(WalletEntry {
            user: fields.user()?,
            seq: fields.u64()?,
            kind: fields.code(TransferKind::from_code)?,
            delta: fields.fen()?,
            balance_after: fields.fen()?,
            merchant: fields.merchant_or_null()?,
            reference: fields.parsed_or_null()?,
            at: fields.time()?,
        });
    }
    Ok(entries)
}

/// Runs `INSERT_WALLET_ENTRY`; tells how many rows are new.
pub(super) fn insert_entry(
    statement: &mut CachedStatement<'_>,
    entry: &WalletEntry,
) -> Outcome<usize> {
    let WalletEntry { user, seq, kind, delta, balance_after, merchant, reference, at } = entry;
    let added = statement.execute(params![
        int(user.get())?,
        int(*seq)?,
        kind.code(),
        Fen::get(*delta),
        balance_after.get(),
        merchant.map(merchant_int),
        reference.as_ref().map(hongbao_domain::Reference::as_str),
        at.millis(),
    ])?;
    Ok(added)
}

/// Messages older than `before`, newest first.
pub(super) fn messages(
    connection: &Connection,
    user: UserId,
    before: Option<(Timestamp, PacketKey)>,
    limit: u32,
) -> Outcome<Vec<Message>> {
    let user = int(user.get())?;
    let mut statement = connection.prepare_cached(match before {
        Some(_) => sql::OLDER_MESSAGES,
        None => sql::NEWEST_MESSAGES,
    })?;
    let mut rows = match before {
        Some((at, packet)) => {
            let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
            statement.query((user, at.millis(), merchant, no, limit))?
        }
        None => statement.query((user, limit))?,
    };
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row, "inbox_message");
        messages.push(Message {
            user: fields.user()?,
            packet: fields.packet_key()?,
            sent_at: fields.time()?,
            form: fields.code(MessageForm::from_code)?,
        });
    }
    Ok(messages)
}

/// Puts messages into inboxes; one that is there stays as it is.
pub(super) fn put_messages(connection: &Connection, messages: &[Message]) -> Outcome<()> {
    let mut statement = connection.prepare_cached(sql::INSERT_MESSAGE)?;
    for message in messages {
        statement.execute((
            int(message.user.get())?,
            message.sent_at.millis(),
            merchant_int(message.packet.merchant),
            int(message.packet.no.get())?,
            message.form.code(),
        ))?;
    }
    Ok(())
}
