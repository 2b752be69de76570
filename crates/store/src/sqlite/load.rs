//! Needs → facts: every row a batch asks for, read in the order of its key, under the write lock or
//! by the `preparer`.
//!
//! Rows that are absent are simply not in the facts.

use std::sync::LazyLock;

use hongbao_app::ports::AuthorizationState;
use hongbao_domain::{
    MerchantId, Timestamp, UserId,
    facts::{Facts, Needs, Receiver, Slot},
    ledger::Owner,
    limit::DayUse,
    packet::{GroupClaim, PacketKind},
    wallet::{Payout, PayoutState},
};
use rusqlite::{Connection, params};

use super::lookup::Lookup;
use crate::{
    columns::{int, merchant_int},
    error::Outcome,
    fields::Fields,
    queries::{
        admin::authorization_row, book_columns, journal, order_columns, order_joins,
        packet_columns, packet_joins, packets::order_row, users::person, wallet_columns,
    },
    session::ready,
    settings::{MerchantRow, SettingsCache},
};

static MERCHANT: LazyLock<Lookup> = LazyLock::new(|| {
    let select = concat!(
        "SELECT key.place, merchant.merchant_id, merchant.settings_version, ",
        book_columns!(),
        ", merchant.sealed_key
         FROM key
         CROSS JOIN merchant ON merchant.merchant_id = key.merchant_id
         JOIN merchant_book ON merchant_book.merchant_id = merchant.merchant_id"
    );
    Lookup::new("merchant_book", &["merchant_id"], select)
});
static AUTHORIZATION: LazyLock<Lookup> = LazyLock::new(|| {
    let select = "SELECT key.place, provider_id, sub_merchant_id, state
         FROM key
         CROSS JOIN provider_authorization USING (provider_id, sub_merchant_id)";
    Lookup::new("provider_authorization", &["provider_id", "sub_merchant_id"], select)
});
static ORDER_PLACE: LazyLock<Lookup> = LazyLock::new(|| {
    let select = "SELECT key.place, payer_id, packet_no
         FROM key
         CROSS JOIN send_order USING (caller_id, bill_no)";
    Lookup::new("send_order", &["caller_id", "bill_no"], select)
});
static ORDER: LazyLock<Lookup> = LazyLock::new(|| {
    let select = concat!(
        "SELECT key.place, ",
        order_columns!(),
        " FROM key
         CROSS JOIN packet
             ON packet.merchant_id = key.merchant_id AND packet.packet_no = key.packet_no ",
        order_joins!()
    );
    Lookup::new("packet", &["merchant_id", "packet_no"], select)
});
static PERSON: LazyLock<Lookup> = LazyLock::new(|| {
    let select = "SELECT key.place, user_id, appid, openid, display_name, follows_since,
             accepts_messages, standing
         FROM key
         CROSS JOIN app_user USING (openid, appid)";
    Lookup::new("app_user", &["openid", "appid"], select)
});
static PACKET: LazyLock<Lookup> = LazyLock::new(|| {
    let select = concat!(
        "SELECT key.place, ",
        packet_columns!(),
        " FROM key
         CROSS JOIN packet
             ON packet.merchant_id = key.merchant_id AND packet.packet_no = key.packet_no ",
        packet_joins!(),
        " WHERE packet.funded_at IS NOT NULL"
    );
    Lookup::new("packet", &["merchant_id", "packet_no"], select)
});
static GROUP_CLAIM: LazyLock<Lookup> = LazyLock::new(|| {
    let select = "SELECT key.place, share_no, amount, at
         FROM key
         CROSS JOIN group_claim USING (merchant_id, packet_no, user_id)";
    Lookup::new("group_claim", &["merchant_id", "packet_no", "user_id"], select)
});
static USER_DAY: LazyLock<Lookup> = LazyLock::new(|| {
    let select = "SELECT key.place, version, day, fen, packet_count
         FROM key
         CROSS JOIN user_day USING (merchant_id, user_id)";
    Lookup::new("user_day", &["merchant_id", "user_id"], select)
});
static WALLET: LazyLock<Lookup> = LazyLock::new(|| {
    let select = concat!(
        "SELECT key.place, ",
        wallet_columns!(),
        " FROM key
         CROSS JOIN wallet USING (user_id)"
    );
    Lookup::new("wallet", &["user_id"], select)
});
static PAYOUT: LazyLock<Lookup> = LazyLock::new(|| {
    let select = "SELECT key.place, amount, state, at
         FROM key
         CROSS JOIN payout USING (user_id, reference)";
    Lookup::new("payout", &["user_id", "reference"], select)
});
const MERCHANT_POSTED: &str = "SELECT kind, from_kind, from_merchant_id, from_user_id, to_kind,
     to_merchant_id, to_user_id, amount, at FROM merchant_posted
     WHERE merchant_id = ?1 AND reference = ?2";
const USER_POSTED: &str = "SELECT kind, from_kind, from_merchant_id, from_user_id, to_kind,
     to_merchant_id, to_user_id, amount, at FROM user_posted
     WHERE user_id = ?1 AND reference = ?2";

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
    facts.merchants = MERCHANT.rows(
        connection,
        &needs.merchants,
        |id, values| values.bind(params![merchant_int(*id)]),
        |_, fields| {
            let merchant = settings.merchant(connection, MerchantRow::read(fields)?);
            ready(merchant).map(Slot::loaded)
        },
    )?;
    let found = AUTHORIZATION.rows(
        connection,
        &needs.authorizations,
        |(provider, sub_merchant), values| {
            values.bind(params![merchant_int(*provider), merchant_int(*sub_merchant)])
        },
        |_, fields| authorization_row(fields),
    )?;
    let active = found
        .into_iter()
        .filter(|(_, authorization)| authorization.state == AuthorizationState::Active);
    facts.authorizations = active.map(|(key, _)| key).collect();
    Ok(())
}

fn orders(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    let places = ORDER_PLACE.rows(
        connection,
        &needs.orders,
        |key, values| values.bind(params![merchant_int(key.caller), key.bill_no.as_str()]),
        |_, fields| fields.packet_key(),
    )?;
    let found = ORDER.rows(
        connection,
        places.values(),
        |packet, values| values.bind(params![merchant_int(packet.merchant), int(packet.no.get())?]),
        |_, fields| order_row(fields),
    )?;
    facts.orders = found.into_values().collect();
    Ok(())
}

fn receivers(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    facts.receivers = PERSON.rows(
        connection,
        &needs.receivers,
        |key, values| values.bind(params![key.openid.as_str(), key.app.as_str()]),
        |_, fields| {
            let known = person(fields)?;
            Ok(Receiver { user: known.user, standing: known.standing, following: known.following })
        },
    )?;
    Ok(())
}

fn packets(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    facts.packets = PACKET.rows(
        connection,
        &needs.packets,
        |key, values| values.bind(params![merchant_int(key.merchant), int(key.no.get())?]),
        |_, fields| fields.packet().map(Slot::loaded),
    )?;
    // A normal packet says itself who took it: most claims look nothing up here.
    let packets = &facts.packets;
    let of_groups = needs.group_claims.iter().filter(|(key, _)| {
        let packet = packets.get(key).map(|slot| slot.row.kind);
        packet == Some(PacketKind::Group)
    });
    facts.group_claims = GROUP_CLAIM.rows(
        connection,
        of_groups,
        |(key, user), values| {
            let (merchant, no) = (merchant_int(key.merchant), int(key.no.get())?);
            values.bind(params![merchant, no, int(user.get())?])
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
    facts.user_days = USER_DAY.rows(
        connection,
        &keys,
        |(merchant, user), values| values.bind(params![merchant_int(*merchant), int(user.get())?]),
        |_, fields| fields.day_use().map(Slot::<DayUse>::loaded),
    )?;
    Ok(())
}

fn wallets(connection: &Connection, needs: &Needs, facts: &mut Facts) -> Outcome<()> {
    facts.wallets = WALLET.rows(
        connection,
        &needs.wallets,
        |user, values| values.bind(params![int(user.get())?]),
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
    facts.payouts = PAYOUT.rows(
        connection,
        &needs.payouts,
        |key, values| values.bind(params![int(key.user.get())?, key.reference.as_str()]),
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
