//! Which merchants share a shard.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::num;

/// How the load divides among merchants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Popularity {
    /// Merchants.
    pub merchants: u64,
    /// The exponent `s` of Zipf's law: merchant number `k` has a load in proportion to `1/k^s`.
    pub exponent: f64,
    /// The part of all load, 0 to 1, that one merchant has before the rest is divided.
    pub hot_share: f64,
}

impl Popularity {
    /// The part of each merchant, largest rank first: the hot merchant, then the others by Zipf's
    /// law. They add up to 1.
    pub fn weights(&self) -> Vec<f64> {
        let others = self.merchants.saturating_sub(1).max(1);
        let ranks: Vec<f64> =
            (1..=others).map(|rank| num::float(rank).powf(-self.exponent)).collect();
        let sum: f64 = ranks.iter().sum();
        let rest = 1.0 - self.hot_share;
        std::iter::once(self.hot_share).chain(ranks.into_iter().map(|r| r / sum * rest)).collect()
    }
}

/// The load of each shard, as parts of 1, fullest first.
///
/// Merchants are placed by expected load, the largest first, each on the emptiest shard. That is
/// what an operator does who moves the large ones by hand; placed by hash alone, two large ones may
/// meet.
pub fn place(weights: &[f64], shards: u64) -> Vec<f64> {
    let mut sorted = weights.to_vec();
    sorted.sort_by(|one, other| other.total_cmp(one));
    let mut emptiest: BinaryHeap<Reverse<Load>> =
        (0..shards.max(1)).map(|_| Reverse(Load(0.0))).collect();
    for weight in sorted {
        if let Some(Reverse(Load(load))) = emptiest.pop() {
            emptiest.push(Reverse(Load(load + weight)));
        }
    }
    let mut loads: Vec<f64> = emptiest.into_iter().map(|Reverse(Load(load))| load).collect();
    loads.sort_by(|one, other| other.total_cmp(one));
    loads
}

/// A load that can be ordered.
#[derive(PartialEq)]
struct Load(f64);

impl Eq for Load {}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Popularity, place};

    #[test]
    fn weights_add_up_and_the_hot_merchant_has_its_share() {
        let popularity = Popularity { merchants: 1_000, exponent: 0.8, hot_share: 0.25 };
        let weights = popularity.weights();
        assert_eq!(weights.len(), 1_000);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((weights[0] - 0.25).abs() < 1e-12);
        assert!((weights[1] / weights[2] - 2_f64.powf(0.8)).abs() < 1e-9);
    }

    #[test]
    fn equal_merchants_fill_shards_equally_and_a_hot_one_stays_whole() {
        assert_eq!(place(&[0.25; 4], 2), [0.5, 0.5]);
        let loads = place(&[0.6, 0.1, 0.1, 0.1, 0.1], 3);
        assert!((loads[0] - 0.6).abs() < 1e-12 && (loads[1] - 0.2).abs() < 1e-12, "{loads:?}");
    }
}
