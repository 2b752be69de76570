//! From the domain to columns, for both databases.

use std::collections::BTreeMap;

use hongbao_domain::{
    Fen, MerchantId, PacketKey,
    facts::{Changes, Facts, Slot},
    ledger::{JournalHead, Owner},
    packet::{Order, OrderKey, OrderState, Packet, RefusedOrder},
};

use crate::error::{Failure, Outcome};

/// A number as a column takes it.
pub(crate) fn int(number: u64) -> Outcome<i64> {
    i64::try_from(number).map_err(|_too_large| Failure::corrupt("a number above 63 bits"))
}

/// A merchant number as a column takes it; ten digits always fit.
pub(crate) fn merchant_int(id: MerchantId) -> i64 {
    i64::try_from(id.get()).unwrap_or(i64::MAX)
}

/// An owner in its two columns: merchant, user.
pub(crate) fn owner_columns(owner: Owner) -> Outcome<(Option<i64>, Option<i64>)> {
    Ok(match owner {
        Owner::Merchant(id) => (Some(merchant_int(id)), None),
        Owner::User(id) => (None, Some(int(id.get())?)),
    })
}

/// Drawn shares as a column takes them: four big-endian bytes each, NULL for a normal packet.
fn shares_blob(shares: &[Fen]) -> Outcome<Option<Vec<u8>>> {
    if shares.is_empty() {
        return Ok(None);
    }
    let mut blob = Vec::with_capacity(shares.len().saturating_mul(4));
    for share in shares {
        let fen = u32::try_from(share.get())
            .map_err(|_too_large| Failure::corrupt("a share above 32 bits"))?;
        blob.extend_from_slice(&fen.to_be_bytes());
    }
    Ok(Some(blob))
}

/// The hash of a head as a column takes it: NULL before the first row.
pub(crate) fn hash_blob(head: &JournalHead) -> Option<&[u8]> {
    (head.seq > 0).then_some(head.hash.0.as_slice())
}

/// The rows that a batch changed.
pub(crate) fn changed<K, T>(rows: &BTreeMap<K, Slot<T>>) -> impl Iterator<Item = (&K, &Slot<T>)> {
    rows.iter().filter(|(_, slot)| slot.changed)
}

/// Rows that a batch changed, by their keys.
pub(crate) type ChangedRows<'b, K, T> = Vec<(&'b K, &'b Slot<T>)>;

/// The rows that a batch made, and those it loaded and changed.
pub(crate) fn new_and_known<K, T>(
    rows: &BTreeMap<K, Slot<T>>,
) -> (ChangedRows<'_, K, T>, ChangedRows<'_, K, T>) {
    changed(rows).partition(|(_, slot)| slot.loaded.is_none())
}

/// The packets whose progress a batch began, and those whose progress it loaded and changed. A packet
/// that was only funded has none.
pub(crate) fn begun_and_known(
    packets: &BTreeMap<PacketKey, Slot<Packet>>,
) -> (ChangedRows<'_, PacketKey, Packet>, ChangedRows<'_, PacketKey, Packet>) {
    let progressed = changed(packets).filter(|(_, slot)| slot.row.version > Packet::FUNDED);
    progressed.partition(|(_, slot)| slot.loaded.is_none_or(|loaded| loaded == Packet::FUNDED))
}

/// The version that a row had when it was loaded.
pub(crate) fn loaded<T>(slot: &Slot<T>) -> Outcome<i64> {
    int(slot.loaded.ok_or_else(|| absent("loaded version"))?)
}

/// What a batch did to orders.
#[derive(Default)]
pub(crate) struct OrderChanges<'b> {
    /// Made, by their numbers; funded or refused.
    pub(crate) made: Vec<(&'b OrderKey, &'b Order)>,
    /// Refused before, and funded now.
    pub(crate) cured: Vec<&'b Order>,
    /// Refused at once. One refused and cured within the batch is not among them: no reason is kept.
    pub(crate) refused: Vec<(&'b Order, &'b RefusedOrder)>,
    /// Refused before, and again. Of one that is cured the reason stays.
    pub(crate) refused_again: Vec<(&'b Order, &'b RefusedOrder)>,
}

impl<'b> OrderChanges<'b> {
    /// Those of this batch.
    pub(crate) fn of(facts: &'b Facts, changes: &'b Changes) -> Outcome<Self> {
        let mut of = Self::default();
        // Both are in order, and a look-up a number is what a large batch would feel.
        let mut orders = facts.orders.iter();
        for (key, made) in &changes.orders {
            let order = orders.find(|(number, _)| *number == key);
            let (_, order) = order.ok_or_else(|| absent("order"))?;
            match (&order.state, made) {
                (OrderState::Funded { .. }, true) => {}
                (OrderState::Funded { .. }, false) => of.cured.push(order),
                (OrderState::Refused(refused), true) => of.refused.push((order, refused)),
                (OrderState::Refused(refused), false) => of.refused_again.push((order, refused)),
            }
            if *made {
                of.made.push((key, order));
            }
        }
        Ok(of)
    }
}

/// The columns of a packet that an order has from the moment it is funded; all empty before.
#[derive(Default)]
pub(crate) struct FundingColumns<'b> {
    pub(crate) receiver: Option<i64>,
    pub(crate) paid_from: Option<u8>,
    pub(crate) funded_at: Option<i64>,
    pub(crate) expire_at: Option<i64>,
    pub(crate) secret: Option<&'b [u8]>,
    pub(crate) form: Option<u8>,
    pub(crate) split_min: Option<i64>,
    pub(crate) split_max: Option<i64>,
    pub(crate) shares: Option<Vec<u8>>,
}

impl<'b> FundingColumns<'b> {
    /// Those of `order`.
    pub(crate) fn of(facts: &'b Facts, order: &Order) -> Outcome<Self> {
        let OrderState::Funded { split } = &order.state else { return Ok(Self::default()) };
        let slot = facts.packets.get(&order.packet).ok_or_else(|| absent("packet"))?;
        let packet = &slot.row;
        Ok(Self {
            receiver: Some(int(packet.receiver.get())?),
            paid_from: Some(packet.paid_from.code()),
            funded_at: Some(packet.funded_at.millis()),
            expire_at: Some(packet.expire_at.millis()),
            secret: Some(packet.secret.bytes()),
            form: Some(packet.form.code()),
            split_min: split.map(|split| split.min.get()),
            split_max: split.map(|split| split.max.get()),
            shares: shares_blob(&packet.shares)?,
        })
    }
}

/// A batch that changed what it never loaded is a defect.
pub(crate) fn absent(what: &str) -> Failure {
    Failure::corrupt(format!("a batch changed a {what} that its facts do not hold"))
}
