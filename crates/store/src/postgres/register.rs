//! Registering many people in one transaction, each table written once.

use std::collections::{BTreeMap, BTreeSet};

use hongbao_app::ports::{NewUser, Person, UserRecord};
use hongbao_domain::{Timestamp, UserId};

use super::{
    bulk,
    pool::Transaction,
    rows::{Rows, Write, look_up},
};
use crate::{
    columns::int,
    error::{Failure, Outcome},
    queries::users,
    session::{Session as _, values},
};

const SUBJECTS: &str = "
SELECT subject, user_id
FROM unnest($1::text[]) AS key (subject)
JOIN subject USING (subject)";
const INSERT_SUBJECTS: &str = "
INSERT INTO subject (subject, user_id)
SELECT *
FROM unnest($1::text[], $2::bigint[])";
const INSERT_WALLETS: &str = "
INSERT INTO wallet (
    user_id, wallet_fen, wallet_seq, external_fen, external_seq, journal_seq, journal_hash,
    journal_at, frozen
)
SELECT user_id, 0, 0, 0, 0, 0, NULL, 0, 0
FROM unnest($1::bigint[]) AS new (user_id)";
const INSERT_PEOPLE: &str = "
INSERT INTO app_user (
    openid, appid, user_id, subject, display_name, follows_since, accepts_messages, standing,
    registered_at
)
SELECT *
FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::smallint[],
    $8::smallint[], $9::bigint[]
)";

/// Registers people, new ones together and known ones one by one. Somebody who stands in the list
/// twice is a conflict, as is somebody whom another server registers now: then one by one they are
/// registered as ever.
pub(super) async fn all(
    transaction: &Transaction,
    people: &[NewUser],
    at: Timestamp,
) -> Outcome<Vec<UserRecord>> {
    let names: BTreeSet<Person> = people.iter().map(|new| new.person.clone()).collect();
    let known = bulk::users(transaction, &names).await?;
    let (old, new): (Vec<&NewUser>, Vec<&NewUser>) =
        people.iter().partition(|new| known.contains_key(&new.person));
    for person in old {
        users::register(transaction, person, at).await?;
    }
    let users = users_of(transaction, &new).await?;
    insert(transaction, &new, &users, at).await?;
    people
        .iter()
        .map(|new| {
            let user = known.get(&new.person).map(|record| record.user);
            let user = user.or_else(|| users.get(new.subject.as_str()).copied());
            Ok(UserRecord {
                user: user.ok_or_else(|| Failure::corrupt("somebody registered is nobody"))?,
                person: new.person.clone(),
                display_name: new.display_name.clone(),
                following: new.following,
                standing: new.standing,
            })
        })
        .collect()
}

/// The users behind these people's subjects; new ones are made, each with an empty wallet.
async fn users_of(
    transaction: &Transaction,
    people: &[&NewUser],
) -> Outcome<BTreeMap<String, UserId>> {
    let subjects: BTreeSet<&str> = people.iter().map(|new| new.subject.as_str()).collect();
    let mut keys = Rows::default();
    for subject in &subjects {
        keys.push(values![*subject]);
    }
    let client = transaction.client()?;
    let mut users =
        look_up(client, SUBJECTS, "subject", keys, |row| Ok((row.raw()?, row.user()?))).await?;
    let (mut new_subjects, mut wallets) = (Rows::default(), Rows::default());
    for subject in subjects {
        if !users.contains_key(subject) {
            let number = transaction.next_user().await?;
            let user = u64::try_from(number).map_err(|_low| Failure::corrupt("a user below 0"))?;
            new_subjects.push(values![subject, number]);
            wallets.push(values![number]);
            users.insert(subject.to_owned(), UserId::new(user));
        }
    }
    Write::new(INSERT_SUBJECTS, "subject", new_subjects).send(client).await?;
    Write::new(INSERT_WALLETS, "wallet", wallets).send(client).await?;
    Ok(users)
}

async fn insert(
    transaction: &Transaction,
    people: &[&NewUser],
    users: &BTreeMap<String, UserId>,
    at: Timestamp,
) -> Outcome<()> {
    let mut rows = Rows::default();
    for new in people {
        let user = users.get(new.subject.as_str()).copied();
        let user = user.ok_or_else(|| Failure::corrupt("somebody registered is nobody"))?;
        rows.push(values![
            new.person.openid.as_str(),
            new.person.app.as_str(),
            int(user.get())?,
            &new.subject,
            &new.display_name,
            new.following.since.map(Timestamp::millis),
            new.following.accepts_messages,
            new.standing.code(),
            at.millis(),
        ]);
    }
    Write::new(INSERT_PEOPLE, "app_user", rows).send(transaction.client()?).await
}
