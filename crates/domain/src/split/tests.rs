//! Properties of the split, and vectors that other languages recompute.

use proptest::prelude::*;

use super::*;

fn terms(total: i64, count: u32, min: i64, max: i64) -> SplitTerms {
    SplitTerms { total: Fen::new(total), count, min: Fen::new(min), max: Fen::new(max) }
}

fn seed(byte: u8) -> SplitSeed {
    SplitSeed::of(&PacketSecret::new([byte; 16]))
}

proptest! {
    #[test]
    fn shares_add_up_and_stay_inside_their_bounds(
        secret in any::<[u8; 16]>(), count in 1_u32..=100, min in 1_i64..500,
        width in 0_i64..50_000, fill in 0.0_f64..=1.0,
    ) {
        let max = min + width;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a test picks a total")]
        let total = i64::from(count) * min + ((i64::from(count) * width) as f64 * fill) as i64;
        let terms = terms(total, count, min, max);
        prop_assert!(terms.possible());
        let shares = draw(&SplitSeed::of(&PacketSecret::new(secret)), &terms).unwrap();
        prop_assert_eq!(shares.len(), usize::try_from(count).unwrap());
        prop_assert_eq!(Fen::sum(shares.iter().copied()).unwrap(), terms.total);
        prop_assert!(shares.iter().all(|&share| terms.min <= share && share <= terms.max));
    }
}

#[test]
fn impossible_terms_are_refused() {
    for bad in [terms(0, 3, 1, 9), terms(2, 3, 1, 9), terms(28, 3, 1, 9), terms(9, 0, 1, 9)] {
        assert!(draw(&seed(1), &bad).is_err(), "{bad:?}");
    }
}

/// Five places, 20,000 packets of ¥100 for 5: each place's mean lies within 2 % of ¥20, and each
/// is the best of its packet about equally often. The unshuffled draw fails this (its last place
/// is best far more often than a middle one).
#[test]
fn every_place_is_alike() {
    let terms = terms(10_000, 5, 1, 20_000);
    let (mut sums, mut best) = ([0_i64; 5], [0_u32; 5]);
    for round in 0_u32..20_000 {
        let mut secret = [0; 16];
        secret[..4].copy_from_slice(&round.to_be_bytes());
        let shares = draw(&SplitSeed::of(&PacketSecret::new(secret)), &terms).unwrap();
        for (place, share) in shares.iter().enumerate() {
            sums[place] += share.get();
        }
        let top = *shares.iter().max().unwrap();
        best[shares.iter().position(|&share| share == top).unwrap()] += 1;
    }
    for place in 0..5 {
        let mean = sums[place] / 20_000;
        assert!((1_960..=2_040).contains(&mean), "place {place} has mean {mean}");
        assert!((3_800..=4_200).contains(&best[place]), "place {place} is best {}", best[place]);
    }
}

/// The vector of `docs/guide/split.md`, computed there in another language.
#[test]
fn a_published_vector_is_recomputed_to_the_fen() {
    let (terms, seed) = (terms(1_000, 5, 1, 20_000), seed(7));
    let shares: Vec<i64> = draw(&seed, &terms).unwrap().into_iter().map(Fen::get).collect();
    let page = include_str!("../../../../docs/guide/split.md");
    assert_eq!(shares, [183, 128, 130, 308, 251]);
    let line = format!(
        "| `{seed}` | 1000, 5, 1, 20000 | `{}` | 183, 128, 130, 308, 251 |",
        commitment(&seed, &terms)
    );
    assert!(page.contains(&line), "{line}");
}
