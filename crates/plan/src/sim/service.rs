//! How long a batch takes.

use crate::{num, random::Random};

/// The time of a batch by its size: straight lines through measured points, the last one carried on.
/// A batch of one is a point, so what is fixed about a batch is in there.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Commands, nanoseconds; sizes rise.
    points: Vec<(f64, f64)>,
    /// For each point, by how much single batches of about its size were longer or shorter; drawn
    /// from with equal chance. Without any, all take exactly their time.
    spread: Vec<Vec<f64>>,
}

impl Service {
    /// `fixed_seconds` for every batch and `per_command_seconds` for each command in it.
    pub fn affine(fixed_seconds: f64, per_command_seconds: f64) -> Self {
        let at = |size: f64| (size, (fixed_seconds + size * per_command_seconds) * 1e9);
        Self { points: vec![at(1.0), at(2.0)], spread: Vec::new() }
    }

    /// The line through two rates: `single` batches of one a second, and `full` commands a second in
    /// batches of `batch_max`.
    pub fn from_rates(single: f64, full: f64, batch_max: u32) -> Self {
        let size = f64::from(batch_max.max(2));
        let per_command = ((size / full - 1.0 / single) / (size - 1.0)).max(0.0);
        Self::affine((1.0 / single - per_command).max(0.0), per_command)
    }

    /// Straight lines through `points` of commands and seconds; `None` unless there are two of
    /// rising size.
    pub fn through(points: &[(u32, f64)]) -> Option<Self> {
        let rising = points.windows(2).all(|pair| match pair {
            [(one, _), (other, _)] => one < other,
            _ => false,
        });
        let sane = points.iter().all(|&(size, seconds)| size > 0 && seconds > 0.0);
        (points.len() >= 2 && rising && sane).then(|| Self {
            points: points.iter().map(|&(size, s)| (f64::from(size), s * 1e9)).collect(),
            spread: Vec::new(),
        })
    }

    /// The same with batches that vary: each takes its time multiplied by one of the factors of the
    /// nearest point, of which there is a list for each. Small batches vary more: what holds one up
    /// does not grow with its size.
    #[must_use]
    pub fn spread_by(self, factors: Vec<Vec<f64>>) -> Self {
        Self { spread: factors, ..self }
    }

    /// Every batch takes `factor` times as long.
    #[must_use]
    pub fn slower(self, factor: f64) -> Self {
        let points = self.points.into_iter().map(|(size, time)| (size, time * factor)).collect();
        Self { points, ..self }
    }

    /// Every batch takes as much longer as makes one of a single command take `seconds`; nothing
    /// changes if it already does.
    #[must_use]
    pub fn at_least(self, seconds: f64) -> Self {
        let more = (seconds * 1e9 - num::float(self.nanos(1))).max(0.0);
        let points = self.points.into_iter().map(|(size, time)| (size, time + more)).collect();
        Self { points, ..self }
    }

    /// Nanoseconds that a batch of `size` takes, without spread.
    pub fn nanos(&self, size: u64) -> u64 {
        let size = num::float(size);
        let after = self.points.iter().skip(1).position(|&(end, _)| size <= end);
        let first = after.unwrap_or(self.points.len().saturating_sub(2));
        match (self.points.get(first), self.points.get(first + 1)) {
            (Some(&(from, start)), Some(&(to, end))) => {
                num::whole((start + (size - from) / (to - from) * (end - start)).max(1.0))
            }
            _ => 1,
        }
    }

    /// Nanoseconds of one batch of `size`, spread drawn.
    pub fn draw(&self, size: u64, random: &mut Random) -> u64 {
        let exact = self.nanos(size);
        let Some(factors) = self.factors(size).filter(|factors| !factors.is_empty()) else {
            return exact;
        };
        let count = u64::try_from(factors.len()).unwrap_or(1);
        let place = num::index(random.bits() % count);
        let factor = factors.get(place).copied().unwrap_or(1.0);
        num::whole(num::float(exact) * factor).max(1)
    }

    fn factors(&self, size: u64) -> Option<&Vec<f64>> {
        let away = |point: f64| (num::float(size.max(1)) / point).ln().abs();
        let near = self.points.iter().zip(&self.spread);
        let nearest =
            near.min_by(|((one, _), _), ((other, _), _)| away(*one).total_cmp(&away(*other)));
        nearest.map(|(_, factors)| factors)
    }

    /// Commands a second in batches of `size`.
    pub fn rate(&self, size: u32) -> f64 {
        f64::from(size) / num::seconds(self.nanos(size.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::Service;
    use crate::random::Random;

    #[test]
    fn two_rates_give_back_themselves() {
        let service = Service::from_rates(4_000.0, 64_000.0, 16_384);
        assert!((service.rate(1) - 4_000.0).abs() < 1.0);
        assert!((service.rate(16_384) - 64_000.0).abs() < 1.0);
    }

    #[test]
    fn between_points_the_line_is_straight_and_after_the_last_it_goes_on() {
        let service = Service::through(&[(1, 0.001), (11, 0.002), (111, 0.003)]).unwrap();
        for (size, micros) in [(1, 1_000), (6, 1_500), (11, 2_000), (61, 2_500), (211, 4_000)] {
            assert_eq!(service.nanos(size), micros * 1_000, "{size}");
        }
    }

    #[test]
    fn a_batch_varies_as_those_of_its_size_did() {
        let service = Service::through(&[(1, 0.001), (100, 0.002)]).unwrap();
        let service = service.spread_by(vec![vec![3.0], vec![1.0]]);
        let mut random = Random::new(1);
        assert_eq!(service.draw(1, &mut random), 3_000_000);
        assert_eq!(service.draw(100, &mut random), 2_000_000);
    }

    #[test]
    fn a_longer_fixed_time_lengthens_every_batch_by_the_same() {
        let service = Service::affine(0.001, 0.000_1).at_least(0.002);
        assert_eq!((service.nanos(1), service.nanos(11)), (2_000_000, 3_000_000));
        assert_eq!(service.clone().at_least(0.001), service);
    }

    #[test]
    fn points_that_do_not_rise_are_refused() {
        assert_eq!(Service::through(&[(1, 0.001)]), None);
        assert_eq!(Service::through(&[(5, 0.001), (5, 0.002)]), None);
        assert_eq!(Service::through(&[(0, 0.001), (5, 0.002)]), None);
    }
}
