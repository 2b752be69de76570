//! From the domain to columns, for both databases.

use std::collections::BTreeMap;

use hongbao_domain::{
    Fen, MerchantId, PacketKey,
    facts::{Changes, Facts, Slot},
    ledger::{JournalHead, Owner},
    packet::{Order, OrderKey, OrderState, Packet},
    split::SplitTerms,
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
pub(crate) fn shares_blob(shares: &[Fen]) -> Outcome<Option<Vec<u8>>> {
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

/// What of a packet nobody has claimed, and in how many shares.
pub(crate) fn unclaimed(packet: &Packet) -> Outcome<(Fen, u32)> {
    let fen = packet.total.minus(packet.claimed).ok();
    let unclaimed = fen.zip(packet.share_count.checked_sub(packet.claimed_count));
    unclaimed.ok_or_else(|| Failure::corrupt("a packet of which more was claimed than there is"))
}

/// When a packet was settled, or funded while it is open: never NULL (see `packet` in the
/// migrations).
pub(crate) fn changed_at(packet: &Packet) -> i64 {
    let at = packet.state.settled_at().unwrap_or(packet.funded_at);
    at.millis()
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

/// The version that a row had when it was loaded.
pub(crate) fn loaded<T>(slot: &Slot<T>) -> Outcome<i64> {
    int(slot.loaded.ok_or_else(|| absent("loaded version"))?)
}

/// The orders that a batch made, by their numbers.
pub(crate) fn made_orders<'b>(
    facts: &'b Facts,
    changes: &'b Changes,
) -> Outcome<Vec<(&'b OrderKey, &'b Order)>> {
    let made = changes.orders.iter().filter(|(_, made)| **made);
    let made =
        made.map(|(key, _)| Ok((key, facts.orders.get(key).ok_or_else(|| absent("order"))?)));
    made.collect()
}

/// The bounds that new groups were drawn between; they stand on the packet's row.
pub(crate) fn splits(facts: &Facts, changes: &Changes) -> BTreeMap<PacketKey, SplitTerms> {
    let orders = changes.orders.keys().filter_map(|key| facts.orders.get(key));
    let splits = orders.filter_map(|order| match order.state {
        OrderState::Funded { split } => split.map(|split| (order.packet, split)),
        OrderState::Refused(_) => None,
    });
    splits.collect()
}

/// A batch that changed what it never loaded is a defect.
pub(crate) fn absent(what: &str) -> Failure {
    Failure::corrupt(format!("a batch changed a {what} that its facts do not hold"))
}
