//! Needs → facts: every row a batch asks for, in one or two round trips.
//!
//! The first takes the locks, in the one order that every server keeps: merchants, then wallets,
//! each by number. Behind them, on the same connection and so after them, come the reads: each
//! table once, by array parameters. The second round trip reads what the first one named: the
//! terms of orders that exist, claims of groups, the days of receivers. Rows that are absent are
//! simply not in the facts.
//!
//! Statements of one round trip are sent in the order in which they stand in the code. Nothing
//! rests on that: a row that was read too early has another version when it is written.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::join;
use hongbao_app::ports::AuthorizationState;
use hongbao_domain::{
    MerchantId, OpenId, PacketKey, UserId,
    facts::{Facts, Needs, Receiver, Slot},
    ledger::Owner,
    limit::DayUse,
    merchant::{Book, Merchant},
    packet::{GroupClaim, Order, OrderKey, Packet, PacketKind},
    wallet::{Payout, PayoutKey, PayoutState, Posted, PostedKey, Wallet},
};

use super::{
    pool::{Client, Mode, Transaction},
    rows::{Rows, look_up},
    store::Shared,
};
use crate::{
    columns::{int, merchant_int},
    error::Outcome,
    fields::Fields,
    queries::{
        admin::authorization_row, book_columns, journal, order_columns, order_joins,
        packet_columns, packet_joins, packets::order_row, users::person, wallet_columns,
    },
    session::values,
    settings::{MerchantRow, SettingsCache},
};

const LOCK_BOOKS: &str = concat!(
    "
SELECT merchant_id, ",
    book_columns!(),
    "
FROM merchant_book
WHERE merchant_id = ANY($1::bigint[])
ORDER BY merchant_id
FOR NO KEY UPDATE"
);
const LOCK_WALLETS: &str = concat!(
    "
SELECT ",
    wallet_columns!(),
    "
FROM wallet
WHERE user_id = ANY($1::bigint[])
ORDER BY user_id
FOR NO KEY UPDATE"
);
const CHANGE_BOOKS: &str = concat!(
    "
UPDATE merchant_book
SET version = version
WHERE merchant_id = ANY($1::bigint[])
RETURNING merchant_id, ",
    book_columns!()
);
const CHANGE_WALLETS: &str = concat!(
    "
UPDATE wallet
SET frozen = frozen
WHERE user_id = ANY($1::bigint[])
RETURNING ",
    wallet_columns!()
);

/// How a batch locks rows of several owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locks {
    /// In order, without changing them.
    Rows,
    /// By changes that change nothing: a distributed database refuses the other way when the
    /// owners lie on several shards. In no order; whoever then waits in a ring is told so, and
    /// tries again.
    Changes,
}

impl Locks {
    const fn books(self) -> &'static str {
        match self {
            Self::Rows => LOCK_BOOKS,
            Self::Changes => CHANGE_BOOKS,
        }
    }

    const fn wallets(self) -> &'static str {
        match self {
            Self::Rows => LOCK_WALLETS,
            Self::Changes => CHANGE_WALLETS,
        }
    }
}
const SETTINGS_VERSIONS: &str = "
SELECT merchant_id, settings_version
FROM merchant
WHERE merchant_id = ANY($1::bigint[])";
const AUTHORIZATIONS: &str = "
SELECT provider_id, sub_merchant_id, state
FROM unnest($1::bigint[], $2::bigint[]) AS key (provider_id, sub_merchant_id)
JOIN provider_authorization USING (provider_id, sub_merchant_id)";
const ORDER_PLACES: &str = "
SELECT caller_id, bill_no, payer_id, packet_no
FROM unnest($1::bigint[], $2::text[]) AS key (caller_id, bill_no)
JOIN send_order USING (caller_id, bill_no)";
const ORDERS: &str = concat!(
    "
SELECT ",
    order_columns!(),
    "
FROM unnest($1::bigint[], $2::bigint[]) AS key (merchant_id, packet_no)
JOIN packet ON packet.merchant_id = key.merchant_id AND packet.packet_no = key.packet_no
",
    order_joins!()
);
pub(super) const PEOPLE: &str = "
SELECT user_id, appid, openid, display_name, follows_since, accepts_messages, standing
FROM unnest($1::text[], $2::text[]) AS key (openid, appid)
JOIN app_user USING (openid, appid)";
const PACKETS: &str = concat!(
    "
SELECT ",
    packet_columns!(),
    "
FROM unnest($1::bigint[], $2::bigint[]) AS key (merchant_id, packet_no)
JOIN packet ON packet.merchant_id = key.merchant_id AND packet.packet_no = key.packet_no
",
    packet_joins!(),
    "
WHERE packet.funded_at IS NOT NULL"
);
const GROUP_CLAIMS: &str = "
SELECT merchant_id, packet_no, user_id, share_no, amount, at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS key (merchant_id, packet_no, user_id)
JOIN group_claim USING (merchant_id, packet_no, user_id)";
const USER_DAYS: &str = "
SELECT merchant_id, user_id, version, day, fen, packet_count
FROM unnest($1::bigint[], $2::bigint[]) AS key (merchant_id, user_id)
JOIN user_day USING (merchant_id, user_id)";
const MERCHANT_POSTED: &str = "
SELECT merchant_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
       to_merchant_id, to_user_id, amount, at
FROM unnest($1::bigint[], $2::text[]) AS key (merchant_id, reference)
JOIN merchant_posted USING (merchant_id, reference)";
const USER_POSTED: &str = "
SELECT user_id, reference, kind, from_kind, from_merchant_id, from_user_id, to_kind,
       to_merchant_id, to_user_id, amount, at
FROM unnest($1::bigint[], $2::text[]) AS key (user_id, reference)
JOIN user_posted USING (user_id, reference)";
const PAYOUTS: &str = "
SELECT user_id, reference, amount, state, at
FROM unnest($1::bigint[], $2::text[]) AS key (user_id, reference)
JOIN payout USING (user_id, reference)";

/// From so many rows on, a batch is planned for itself: that takes two milliseconds.
const LARGE: usize = 512;

fn mode(needs: &Needs) -> Mode {
    let rows = needs.packets.len() + needs.orders.len() + needs.wallets.len();
    if rows < LARGE { Mode::Batch } else { Mode::LargeBatch }
}

/// Begins the transaction, takes the locks and reads everything that `needs` names.
pub(super) async fn facts(
    transaction: &Transaction,
    shared: &Shared,
    needs: &Needs,
) -> Outcome<Facts> {
    let client = transaction.client()?;
    let locks = if transaction.distributed() { Locks::Changes } else { Locks::Rows };
    let (begun, books, wallets, versions, places, people, packets, days, moved, now) = join!(
        transaction.begin(mode(needs)),
        books(client, locks, needs),
        wallets(client, locks, needs),
        settings_versions(client, needs),
        order_places(client, needs),
        people(client, needs),
        packets(client, &needs.packets),
        user_days(client, needs.user_days.iter().copied()),
        money_movements(client, needs),
        shared.clock.read(client),
    );
    begun?;
    // Those that wait for locks first: what comes behind one that failed only says that the
    // transaction is aborted.
    let (books, wallets) = (books?, wallets?);
    let mut facts = Facts { now: now?, wallets, packets: packets?, ..Facts::default() };
    receivers(needs, &people?, &mut facts);
    let (authorizations, posted, payouts) = moved?;
    (facts.authorizations, facts.posted, facts.payouts) = (authorizations, posted, payouts);
    facts.user_days = days?;
    let of_receivers = facts.receivers.iter().map(|(key, receiver)| (key.payer, receiver.user));
    let (orders, claims, more_days) = join!(
        orders(client, places?),
        group_claims(client, needs, &facts.packets),
        user_days(client, of_receivers),
    );
    (facts.orders, facts.group_claims) = (orders?, claims?);
    facts.user_days.extend(more_days?);
    facts.merchants = merchants(transaction, &shared.settings, books, &versions?).await?;
    Ok(facts)
}

async fn books(
    client: &Client,
    locks: Locks,
    needs: &Needs,
) -> Outcome<BTreeMap<MerchantId, Book>> {
    let keys = merchant_keys(needs);
    look_up(client, locks.books(), "merchant_book", keys, |row| Ok((row.merchant()?, row.book()?)))
        .await
}

async fn settings_versions(client: &Client, needs: &Needs) -> Outcome<BTreeMap<MerchantId, u64>> {
    let keys = merchant_keys(needs);
    look_up(client, SETTINGS_VERSIONS, "merchant", keys, |row| Ok((row.merchant()?, row.u64()?)))
        .await
}

fn merchant_keys(needs: &Needs) -> Rows<'static> {
    let mut keys = Rows::default();
    for id in &needs.merchants {
        keys.push(values![merchant_int(*id)]);
    }
    keys
}

async fn merchants(
    transaction: &Transaction,
    settings: &SettingsCache,
    books: BTreeMap<MerchantId, Book>,
    versions: &BTreeMap<MerchantId, u64>,
) -> Outcome<BTreeMap<MerchantId, Slot<Merchant>>> {
    let mut merchants = BTreeMap::new();
    for (id, book) in books {
        let settings_version = versions.get(&id).copied().unwrap_or_default();
        let row = MerchantRow { id, settings_version, book };
        merchants.insert(id, Slot::loaded(settings.merchant(transaction, row).await?));
    }
    Ok(merchants)
}

async fn wallets(
    client: &Client,
    locks: Locks,
    needs: &Needs,
) -> Outcome<BTreeMap<UserId, Slot<Wallet>>> {
    let mut keys = Rows::default();
    for user in &needs.wallets {
        keys.push(values![int(user.get())?]);
    }
    look_up(client, locks.wallets(), "wallet", keys, |row| {
        let wallet = row.wallet()?;
        Ok((wallet.user, Slot::loaded(wallet)))
    })
    .await
}

async fn order_places(client: &Client, needs: &Needs) -> Outcome<BTreeMap<OrderKey, PacketKey>> {
    let mut keys = Rows::default();
    for key in &needs.orders {
        keys.push(values![merchant_int(key.caller), key.bill_no.as_str()]);
    }
    look_up(client, ORDER_PLACES, "send_order", keys, |row| {
        let key = OrderKey { caller: row.merchant()?, bill_no: row.parsed()? };
        Ok((key, row.packet_key()?))
    })
    .await
}

async fn orders(
    client: &Client,
    places: BTreeMap<OrderKey, PacketKey>,
) -> Outcome<BTreeMap<OrderKey, Order>> {
    let keys = packet_keys(places.values())?;
    look_up(client, ORDERS, "packet", keys, order_row).await
}

type People = BTreeMap<(String, OpenId), Receiver>;

async fn people(client: &Client, needs: &Needs) -> Outcome<People> {
    let mut keys = Rows::default();
    for key in &needs.receivers {
        keys.push(values![key.openid.as_str(), key.app.as_str()]);
    }
    look_up(client, PEOPLE, "app_user", keys, |row| {
        let known = person(row)?;
        let (user, standing, following) = (known.user, known.standing, known.following);
        let name = (known.person.app.as_str().to_owned(), known.person.openid);
        Ok((name, Receiver { user, standing, following }))
    })
    .await
}

fn receivers(needs: &Needs, people: &People, facts: &mut Facts) {
    for key in &needs.receivers {
        let name = (key.app.as_str().to_owned(), key.openid.clone());
        if let Some(receiver) = people.get(&name) {
            facts.receivers.insert(key.clone(), *receiver);
        }
    }
}

/// Packets by key.
pub(super) async fn packets(
    client: &Client,
    keys: &BTreeSet<PacketKey>,
) -> Outcome<BTreeMap<PacketKey, Slot<Packet>>> {
    let keys = packet_keys(keys)?;
    look_up(client, PACKETS, "packet", keys, |row| {
        let packet = row.packet()?;
        Ok((packet.key, Slot::loaded(packet)))
    })
    .await
}

fn packet_keys<'k>(packets: impl IntoIterator<Item = &'k PacketKey>) -> Outcome<Rows<'static>> {
    let mut keys = Rows::default();
    for key in packets {
        keys.push(values![merchant_int(key.merchant), int(key.no.get())?]);
    }
    Ok(keys)
}

/// A normal packet says itself who took it: most claims look nothing up here.
async fn group_claims(
    client: &Client,
    needs: &Needs,
    packets: &BTreeMap<PacketKey, Slot<Packet>>,
) -> Outcome<BTreeMap<(PacketKey, UserId), GroupClaim>> {
    let mut keys = Rows::default();
    for (packet, user) in &needs.group_claims {
        if packets.get(packet).is_some_and(|slot| slot.row.kind == PacketKind::Group) {
            let (merchant, no) = (merchant_int(packet.merchant), int(packet.no.get())?);
            keys.push(values![merchant, no, int(user.get())?]);
        }
    }
    look_up(client, GROUP_CLAIMS, "group_claim", keys, |row| {
        let (packet, user) = (row.packet_key()?, row.user()?);
        let (share_no, amount, at) = (row.u32()?, row.fen()?, row.time()?);
        Ok(((packet, user), GroupClaim { user, share_no, amount, at }))
    })
    .await
}

type UserDays = BTreeMap<(MerchantId, UserId), Slot<DayUse>>;

async fn user_days(
    client: &Client,
    of: impl Iterator<Item = (MerchantId, UserId)>,
) -> Outcome<UserDays> {
    let mut of: Vec<_> = of.collect();
    of.sort_unstable();
    of.dedup();
    let mut keys = Rows::default();
    for (merchant, user) in of {
        keys.push(values![merchant_int(merchant), int(user.get())?]);
    }
    look_up(client, USER_DAYS, "user_day", keys, |row| {
        let key = (row.merchant()?, row.user()?);
        Ok((key, Slot::loaded(row.day_use()?)))
    })
    .await
}

type Movements =
    (BTreeSet<(MerchantId, MerchantId)>, BTreeMap<PostedKey, Posted>, BTreeMap<PayoutKey, Payout>);

async fn money_movements(client: &Client, needs: &Needs) -> Outcome<Movements> {
    let (mut of_merchants, mut of_users) = (Rows::default(), Rows::default());
    for key in &needs.posted {
        match key.owner {
            Owner::Merchant(id) => {
                of_merchants.push(values![merchant_int(id), key.reference.as_str()]);
            }
            Owner::User(id) => of_users.push(values![int(id.get())?, key.reference.as_str()]),
        }
    }
    let mut payout_keys = Rows::default();
    for key in &needs.payouts {
        payout_keys.push(values![int(key.user.get())?, key.reference.as_str()]);
    }
    let (active, of_merchants, of_users, payouts) = join!(
        active_authorizations(client, needs),
        look_up(client, MERCHANT_POSTED, "merchant_posted", of_merchants, |row| {
            posted(row, |row| row.merchant().map(Owner::Merchant))
        }),
        look_up(client, USER_POSTED, "user_posted", of_users, |row| {
            posted(row, |row| row.user().map(Owner::User))
        }),
        look_up(client, PAYOUTS, "payout", payout_keys, payout),
    );
    let mut all = of_merchants?;
    all.extend(of_users?);
    Ok((active?, all, payouts?))
}

async fn active_authorizations(
    client: &Client,
    needs: &Needs,
) -> Outcome<BTreeSet<(MerchantId, MerchantId)>> {
    let mut keys = Rows::default();
    for (provider, sub_merchant) in &needs.authorizations {
        keys.push(values![merchant_int(*provider), merchant_int(*sub_merchant)]);
    }
    let found = look_up(client, AUTHORIZATIONS, "provider_authorization", keys, |row| {
        let found = authorization_row(row)?;
        Ok(((found.provider, found.sub_merchant), found.state))
    });
    let active = found.await?.into_iter().filter(|(_, state)| *state == AuthorizationState::Active);
    Ok(active.map(|(key, _)| key).collect())
}

fn posted(
    row: &mut Fields<'_>,
    owner: impl Fn(&mut Fields<'_>) -> Outcome<Owner>,
) -> Outcome<(PostedKey, Posted)> {
    let key = PostedKey { owner: owner(row)?, reference: row.parsed()? };
    Ok((key, journal::posted(row)?))
}

fn payout(row: &mut Fields<'_>) -> Outcome<(PayoutKey, Payout)> {
    let key = PayoutKey { user: row.user()?, reference: row.parsed()? };
    let (amount, state, at) = (row.fen()?, row.code(PayoutState::from_code)?, row.time()?);
    Ok((key, Payout { amount, state, at }))
}
