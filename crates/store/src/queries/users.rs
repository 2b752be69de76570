//! People, their wallets, histories and inboxes.

use std::collections::{BTreeMap, BTreeSet};

use hongbao_app::ports::{Message, NewUser, Person, UserRecord, WalletEntry};
use hongbao_domain::{
    OpenId, PacketKey, Timestamp, UserId,
    change::ChangeRecord,
    ledger::TransferKind,
    message::{Following, MessageForm},
    risk::Standing,
    wallet::Wallet,
};

use super::{admin::insert_record, wallet_columns};
use crate::{
    columns::{int, merchant_int},
    error::{Failure, Outcome, one},
    fields::Fields,
    session::{Session, values},
};

pub(crate) const SUBJECT: &str = "
SELECT user_id
FROM subject
WHERE subject = $1";

pub(crate) const INSERT_SUBJECT: &str = "
INSERT INTO subject (subject, user_id)
VALUES ($1, $2)";

pub(crate) const INSERT_WALLET: &str = "
INSERT INTO wallet (
    user_id, wallet_fen, wallet_seq, external_fen, external_seq, journal_seq, journal_hash,
    journal_at, frozen
)
VALUES ($1, 0, 0, 0, 0, 0, NULL, 0, 0)";

pub(crate) const INSERT_PERSON: &str = "
INSERT INTO app_user (
    openid, appid, user_id, subject, display_name, follows_since, accepts_messages, standing,
    registered_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

pub(crate) const UPDATE_PERSON: &str = "
UPDATE app_user
SET display_name = $1, follows_since = $2, accepts_messages = $3, standing = $4
WHERE openid = $5 AND appid = $6 AND subject = $7";

pub(crate) const PERSON: &str = "
SELECT user_id, appid, openid, display_name, follows_since, accepts_messages, standing
FROM app_user
WHERE openid = $1 AND appid = $2";

pub(crate) const NAMES_OF_USER: &str = "
SELECT appid, openid, display_name
FROM app_user
WHERE user_id = $1
ORDER BY CASE appid WHEN $2 THEN 0 ELSE 1 END, appid, openid
LIMIT 1";

pub(crate) const FREEZE_WALLET: &str = "
UPDATE wallet
SET frozen = $1
WHERE user_id = $2";

pub(crate) const WALLET: &str = concat!(
    "
SELECT ",
    wallet_columns!(),
    "
FROM wallet
WHERE user_id = $1"
);

pub(crate) const WALLET_ENTRIES: &str = "
SELECT user_id, seq, kind, delta, balance_after, merchant_id, reference, at
FROM wallet_entry
WHERE user_id = $1 AND seq < $2
ORDER BY seq DESC
LIMIT $3";

pub(crate) const INSERT_WALLET_ENTRY: &str = "
INSERT INTO wallet_entry (
    user_id, seq, kind, delta, balance_after, merchant_id, reference, at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (user_id, seq) DO NOTHING";

pub(crate) const NEWEST_MESSAGES: &str = "
SELECT user_id, merchant_id, packet_no, sent_at, form
FROM inbox_message
WHERE user_id = $1
ORDER BY sent_at DESC, merchant_id DESC, packet_no DESC
LIMIT $2";

pub(crate) const OLDER_MESSAGES: &str = "
SELECT user_id, merchant_id, packet_no, sent_at, form
FROM inbox_message
WHERE user_id = $1 AND (sent_at, merchant_id, packet_no) < ($2, $3, $4)
ORDER BY sent_at DESC, merchant_id DESC, packet_no DESC
LIMIT $5";

pub(crate) const INSERT_MESSAGE: &str = "
INSERT INTO inbox_message (user_id, sent_at, merchant_id, packet_no, form)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, sent_at, merchant_id, packet_no) DO NOTHING";

/// Registers or updates a person.
pub(crate) async fn register(
    session: &impl Session,
    new: &NewUser,
    at: Timestamp,
) -> Outcome<UserRecord> {
    let user = match find(session, &new.person).await? {
        Some(known) => {
            update_person(session, new).await?;
            known.user
        }
        None => insert_person(session, new, at).await?,
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
async fn update_person(session: &impl Session, new: &NewUser) -> Outcome<()> {
    let row = values![
        &new.display_name,
        new.following.since.map(Timestamp::millis),
        new.following.accepts_messages,
        new.standing.code(),
        new.person.openid.as_str(),
        new.person.app.as_str(),
        &new.subject,
    ];
    one(session.execute(UPDATE_PERSON, row).await?, "subject")
}

async fn insert_person(session: &impl Session, new: &NewUser, at: Timestamp) -> Outcome<UserId> {
    let key = values![&new.subject];
    let known: Option<i64> = session.find(SUBJECT, "subject", key, |fields| fields.raw()).await?;
    let user = match known {
        Some(user) => user,
        None => insert_user(session, &new.subject).await?,
    };
    let row = values![
        new.person.openid.as_str(),
        new.person.app.as_str(),
        user,
        &new.subject,
        &new.display_name,
        new.following.since.map(Timestamp::millis),
        new.following.accepts_messages,
        new.standing.code(),
        at.millis(),
    ];
    session.insert(INSERT_PERSON, "app_user", row).await?;
    let user = u64::try_from(user).map_err(|_negative| Failure::corrupt("a user below 0"))?;
    Ok(UserId::new(user))
}

/// A new user with an empty wallet.
async fn insert_user(session: &impl Session, subject: &str) -> Outcome<i64> {
    let user = session.next_user().await?;
    session.insert(INSERT_SUBJECT, "subject", values![subject, user]).await?;
    session.insert(INSERT_WALLET, "wallet", values![user]).await?;
    Ok(user)
}

/// The person.
pub(crate) async fn find(session: &impl Session, name: &Person) -> Outcome<Option<UserRecord>> {
    session.find(PERSON, "app_user", values![name.openid.as_str(), name.app.as_str()], person).await
}

/// Those of these people that are registered.
pub(crate) async fn find_all(
    session: &impl Session,
    people: BTreeSet<Person>,
) -> Outcome<BTreeMap<Person, UserRecord>> {
    let mut found = BTreeMap::new();
    for name in people {
        if let Some(record) = find(session, &name).await? {
            found.insert(name, record);
        }
    }
    Ok(found)
}

/// A row of `PERSON`.
pub(crate) fn person(fields: &mut Fields<'_>) -> Outcome<UserRecord> {
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
pub(crate) async fn name_in(
    session: &impl Session,
    user: UserId,
    app: &str,
) -> Outcome<(Option<OpenId>, String)> {
    let key = values![int(user.get())?, app];
    let found = session
        .find(NAMES_OF_USER, "app_user", key, |fields| {
            let named_in: String = fields.raw()?;
            let (openid, display_name) = (fields.parsed()?, fields.raw()?);
            Ok(((named_in == app).then_some(openid), display_name))
        })
        .await?;
    Ok(found.unwrap_or_default())
}

/// Freezes or thaws a wallet; of nobody nothing is recorded.
pub(crate) async fn set_frozen(
    session: &impl Session,
    user: UserId,
    frozen: bool,
    record: &ChangeRecord,
) -> Outcome<bool> {
    let found = session.execute(FREEZE_WALLET, values![frozen, int(user.get())?]).await? == 1;
    if found {
        insert_record(session, record).await?;
    }
    Ok(found)
}

/// The wallet.
pub(crate) async fn wallet(session: &impl Session, user: UserId) -> Outcome<Option<Wallet>> {
    session.find(WALLET, "wallet", values![int(user.get())?], |fields| fields.wallet()).await
}

/// History lines below `before`, newest first.
pub(crate) async fn entries(
    session: &impl Session,
    user: UserId,
    before: u64,
    limit: u32,
) -> Outcome<Vec<WalletEntry>> {
    // No column holds a larger number, so "before the largest" means all.
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let key = values![int(user.get())?, before, limit];
    session
        .query(WALLET_ENTRIES, "wallet_entry", key, |fields| {
            Ok(WalletEntry {
                user: fields.user()?,
                seq: fields.u64()?,
                kind: fields.code(TransferKind::from_code)?,
                delta: fields.fen()?,
                balance_after: fields.fen()?,
                merchant: fields.merchant_or_null()?,
                reference: fields.parsed_or_null()?,
                at: fields.time()?,
            })
        })
        .await
}

/// Writes a history line; one that is there stays as it is. Tells how many are new.
pub(crate) async fn insert_entry(session: &impl Session, entry: &WalletEntry) -> Outcome<u64> {
    let WalletEntry { user, seq, kind, delta, balance_after, merchant, reference, at } = entry;
    let row = values![
        int(user.get())?,
        int(*seq)?,
        kind.code(),
        delta.get(),
        balance_after.get(),
        merchant.map(merchant_int),
        reference.as_ref().map(hongbao_domain::Reference::as_str),
        at.millis(),
    ];
    session.execute(INSERT_WALLET_ENTRY, row).await
}

/// Messages older than `before`, newest first.
pub(crate) async fn messages(
    session: &impl Session,
    user: UserId,
    before: Option<(Timestamp, PacketKey)>,
    limit: u32,
) -> Outcome<Vec<Message>> {
    const TABLE: &str = "inbox_message";
    let user = int(user.get())?;
    match before {
        Some((at, packet)) => {
            let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
            let key = values![user, at.millis(), merchant, no, limit];
            session.query(OLDER_MESSAGES, TABLE, key, message).await
        }
        None => session.query(NEWEST_MESSAGES, TABLE, values![user, limit], message).await,
    }
}

fn message(fields: &mut Fields<'_>) -> Outcome<Message> {
    Ok(Message {
        user: fields.user()?,
        packet: fields.packet_key()?,
        sent_at: fields.time()?,
        form: fields.code(MessageForm::from_code)?,
    })
}

/// Puts messages into inboxes; one that is there stays as it is.
pub(crate) async fn put_messages(session: &impl Session, messages: &[Message]) -> Outcome<()> {
    for message in messages {
        let row = values![
            int(message.user.get())?,
            message.sent_at.millis(),
            merchant_int(message.packet.merchant),
            int(message.packet.no.get())?,
            message.form.code(),
        ];
        session.execute(INSERT_MESSAGE, row).await?;
    }
    Ok(())
}
