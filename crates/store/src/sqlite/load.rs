//! Needs → facts: every row a batch asks for, read in the order of its key, under the write lock or
//! by the `preparer`.
//!
//! Single-row statements, prepared once: on a native connection one costs a microsecond or two,
//! and a batch has thousands. Rows that are absent are simply not in the facts.

use std::collections::BTreeMap;

use hongbao_app::ports::AuthorizationState;
use hongbao_domain::{
    MerchantId, Timestamp, UserId,
    facts::{Facts, Needs, Receiver, Slot},
    ledger::Owner,
    limit::DayUse,
    packet::{GroupClaim, PacketKind},
    wallet::{Payout, PayoutState},
};
use rusqlite::{Connection, Params};

use crate::{
    columns::{int, merchant_int},
    error::{Failure, Outcome},
    fields::Fields,
    queries::{
        admin::{AUTHORIZATION, MERCHANT, authorization_row},
        journal,
        packets::{ORDER_OF_PACKET, ORDER_PLACE, PACKET, order_row},
        users::{PERSON, WALLET, person},
    },
    session::ready,
    settings::{MerchantRow, SettingsCache},
};

const GROUP_CLAIM: &str = "SELECT share_no, amount, at FROM group_claim
     WHERE merchant_id = ?1 AND packet_no = ?2 AND user_id = ?3";
const USER_DAY: &str = "SELECT version, day, fen, packet_count FROM user_day
     WHERE merchant_id = ?1 AND user_id = ?2";
const MERCHANT_POSTED: &str = "SELECT kind, from_kind, from_merchant_id, from_user_id, to_kind,
     to_merchant_id, to_user_id, amount, at FROM merchant_posted
     WHERE merchant_id = ?1 AND reference = ?2";
const USER_POSTED: &str = "SELECT kind, from_kind, from_merchant_id, from_user_id, to_kind,
     to_merchant_id, to_user_id, amount, at FROM user_posted
     WHERE user_id = ?1 AND reference = ?2";
const PAYOUT: &str = "SELECT amount, state, at FROM payout WHERE user_id = ?1 AND reference = ?2";

/// Reads everything that `needs` names.
pub(super) fn facts(
    connection: &Connection,
    settings: &SettingsCache,
    needs: &Needs,
    now: Timestamp,
) -> Outcome<Facts> {
    let mut facts = Facts { now, ..Facts::default() };
    merchants(connection, settings, needs, &mut facts)?;
    orders(connection, needs, &mut facts)?;
    receivers(connection, needs, &mut facts)?;
    packets(connection, needs, &mut facts)?;
    user_days(connection, needs, &mut facts)?;
    wallets(connection, needs, &mut facts)?;
    money_movements(connection, needs, &mut facts)?;
    Ok(facts)
}

fn merchants(
    connection: &Connection,
    settings: &SettingsCache,
    needs: &Needs,
    facts: &mut Facts,
) -> Outcome<()> {
    facts.merchants = rows(
        connection,
        MERCHANT,
        "merchant_book",
        &needs.merchants,
        |id| Ok((merchant_int(*id),)),
        |_, fields| {
            let merchant = settings.merchant(connection, MerchantRow::read(fields)?);
            ready(merchant).map(Slot::loaded)
        },
    )?;
    let found: BTreeMap<_, _> = rows(
        connection,
        AUTHORIZATION,
        "provider_authorization",
        &needs.authorizations,
        |(provider, sub_merchant)| Ok((merchant_int(*provider), merchant_int(*sub_merchant))),
        |_, fields| authorization_row(fields),
    )?;
    let active = found
        .into_iter()
        .filter(|(_, authorization)| authorization.state == AuthorizationState::Active);
    facts.authorizations = active.map(|(key, _)| key).collect();
    Ok(())
}

fn orders(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    let places = rows(
        connection,
        ORDER_PLACE,
        "send_order",
        &needs.orders,
        |key| Ok((merchant_int(key.caller), key.bill_no.as_str())),
        |_, fields| fields.packet_key(),
    )?;
    let found = rows(
        connection,
        ORDER_OF_PACKET,
        "packet",
        places.values(),
        |packet| Ok((merchant_int(packet.merchant), int(packet.no.get())?)),
        |_, fields| order_row(fields),
    )?;
    facts.orders = found.into_values().collect();
    Ok(())
}

fn receivers(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    facts.receivers = rows(
        connection,
        PERSON,
        "app_user",
        &needs.receivers,
        |key| Ok((key.openid.as_str(), key.app.as_str())),
        |_, fields| {
            let known = person(fields)?;
            Ok(Receiver { user: known.user, standing: known.standing, following: known.following })
        },
    )?;
    Ok(())
}

fn packets(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    facts.packets = rows(
        connection,
        PACKET,
        "packet",
        &needs.packets,
        |key| Ok((merchant_int(key.merchant), int(key.no.get())?)),
        |_, fields| fields.packet().map(Slot::loaded),
    )?;
    // A normal packet says itself who took it: most claims look nothing up here.
    let packets = &facts.packets;
    let of_groups = needs.group_claims.iter().filter(|(key, _)| {
        let packet = packets.get(key).map(|slot| slot.row.kind);
        packet == Some(PacketKind::Group)
    });
    facts.group_claims = rows(
        connection,
        GROUP_CLAIM,
        "group_claim",
        of_groups,
        |(key, user)| {
            let (merchant, no) = (merchant_int(key.merchant), int(key.no.get())?);
            Ok((merchant, no, int(user.get())?))
        },
        |(_, user), fields| {
            Ok(GroupClaim {
                user: *user,
                share_no: fields.u32()?,
                amount: fields.fen()?,
                at: fields.time()?,
            })
        },
    )?;
    Ok(())
}

/// The days of claimers, and of receivers at those who pay them.
fn user_days(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    let of_receivers = facts.receivers.iter().map(|(key, receiver)| (key.payer, receiver.user));
    let mut keys: Vec<(MerchantId, UserId)> =
        needs.user_days.iter().copied().chain(of_receivers).collect();
    keys.sort_unstable();
    keys.dedup();
    facts.user_days = rows(
        connection,
        USER_DAY,
        "user_day",
        &keys,
        |(merchant, user)| Ok((merchant_int(*merchant), int(user.get())?)),
        |_, fields| fields.day_use().map(Slot::<DayUse>::loaded),
    )?;
    Ok(())
}

fn wallets(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    facts.wallets = rows(
        connection,
        WALLET,
        "wallet",
        &needs.wallets,
        |user| Ok((int(user.get())?,)),
        |_, fields| fields.wallet().map(Slot::loaded),
    )?;
    Ok(())
}

fn money_movements(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    for key in &needs.posted {
        let (sql, owner) = match key.owner {
            Owner::Merchant(id) => (MERCHANT_POSTED, merchant_int(id)),
            Owner::User(id) => (USER_POSTED, int(id.get())?),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let mut found = statement.query((owner, key.reference.as_str()))?;
        if let Some(row) = found.next()? {
            let posted = journal::posted(&mut Fields::sqlite(row, "posted"))?;
            facts.posted.insert(key.clone(), posted);
        }
    }
    facts.payouts = rows(
        connection,
        PAYOUT,
        "payout",
        &needs.payouts,
        |key| Ok((int(key.user.get())?, key.reference.as_str())),
        |_, fields| {
            Ok(Payout {
                amount: fields.fen()?,
                state: fields.code(PayoutState::from_code)?,
                at: fields.time()?,
            })
        },
    )?;
    Ok(())
}

/// Looks each key up with one prepared statement; keys without a row are left out.
fn rows<'k, K, V, P>(
    connection: &Connection,
    sql: &str,
    table: &'static str,
    keys: impl IntoIterator<Item = &'k K>,
    bind: impl Fn(&'k K) -> Outcome<P>,
    read: impl Fn(&'k K, &mut Fields<'_>) -> Outcome<V>,
) -> Outcome<BTreeMap<K, V>>
where
    K: Clone + Ord + 'k,
    P: Params,
{
    let mut keys = keys.into_iter().peekable();
    if keys.peek().is_none() {
        return Ok(BTreeMap::new());
    }
    let mut statement = connection.prepare_cached(sql)?;
    let found = keys.filter_map(|key| {
        let value = (|| {
            let mut found = statement.query(bind(key)?)?;
            match found.next()? {
                Some(row) => read(key, &mut Fields::sqlite(row, table)).map(Some),
                None => Ok(None),
            }
        })();
        value.transpose().map(|value: Result<V, Failure>| value.map(|value| (key.clone(), value)))
    });
    found.collect()
}
