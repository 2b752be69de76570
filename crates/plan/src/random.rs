//! Random numbers out of a seed.

use crate::num;

/// `SplitMix64`: small, fast, and the same on every machine. Good enough for arrivals, and for
/// nothing that must not be guessed.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

/// Above this mean a Poisson number is drawn from the normal distribution: the error of its shape is
/// then below what a tick of some milliseconds can show.
const POISSON_EXACT_MEAN_MAX: f64 = 64.0;

impl Random {
    /// The row of numbers of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The row of numbers of part `part`, unlike those of all other parts.
    pub fn of_part(seed: u64, part: u64) -> Self {
        Self::new(Self::new(seed ^ part.wrapping_mul(0xd1b5_4a32_d192_ed03)).bits())
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        num::float(self.bits() >> 12) / num::float(1 << 52)
    }

    /// A waiting time of mean 1 between events that know nothing of each other.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// How many of many independent events with this mean happen.
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > POISSON_EXACT_MEAN_MAX {
            return num::whole(mean + mean.sqrt() * self.normal());
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::Random;
    use crate::num;

    #[test]
    fn the_same_seed_gives_the_same_row() {
        let row = |seed| (0..8).map(|_| Random::new(seed).bits()).collect::<Vec<_>>();
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
        assert_ne!(Random::of_part(1, 0).bits(), Random::of_part(1, 1).bits());
    }

    #[test]
    fn poisson_numbers_have_their_mean_and_variance_above_and_below_the_switch() {
        for mean in [0.3, 5.0, 60.0, 70.0, 900.0] {
            let mut random = Random::new(7);
            let drawn: Vec<f64> = (0..20_000).map(|_| num::float(random.poisson(mean))).collect();
            let seen = drawn.iter().sum::<f64>() / 20_000.0;
            let variance = drawn.iter().map(|x| (x - seen).powi(2)).sum::<f64>() / 20_000.0;
            assert!((seen / mean - 1.0).abs() < 0.03, "{mean}: {seen}");
            assert!((variance / mean - 1.0).abs() < 0.06, "{mean}: {variance}");
        }
        assert_eq!(Random::new(1).poisson(0.0), 0);
    }
}
