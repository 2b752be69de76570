//! What is simulated: the load over time, what breaks, and what callers do about a no.

use serde::Serialize;

use super::lane::LaneSpec;
use crate::placement::Popularity;

/// Names of the scenarios, as on the command line, with what they show.
pub const SCENARIOS: [(&str, &str); 4] = [
    (
        "new-years-eve",
        "a ramp to midnight and a spike at each announced minute, the highest the peak",
    ),
    (
        "hot-merchant",
        "one merchant's campaign of three times what a shard can do, all others as usual",
    ),
    ("dead-shard", "one shard down for ten seconds at half of the peak; callers try again"),
    ("over-plan", "a spike of twice the peak that was planned for"),
];

/// A sudden rise: everybody reaches for the phone within two seconds, then interest fades.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spike {
    /// When, in seconds from the start.
    pub at: f64,
    /// How much load it adds at its top, as a part of the peak.
    pub height: f64,
    /// Seconds in which it falls to 1/e.
    pub fades_in: f64,
}

/// Seconds from the announcement to the top of a spike.
const RISE_SECONDS: f64 = 2.0;

/// The load over time, in parts of the peak.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadShape {
    /// Corners of straight lines: seconds, part of the peak. Flat before the first and after the
    /// last.
    pub base: Vec<(f64, f64)>,
    /// On top of it.
    pub spikes: Vec<Spike>,
}

impl LoadShape {
    /// The same load all the time.
    pub fn flat(part: f64) -> Self {
        Self { base: vec![(0.0, part)], spikes: Vec::new() }
    }

    /// The part of the peak at `seconds` from the start.
    pub fn at(&self, seconds: f64) -> f64 {
        let spikes = self.spikes.iter().map(|spike| {
            let since = seconds - spike.at;
            match since {
                since if since < 0.0 => 0.0,
                since if since < RISE_SECONDS => spike.height * since / RISE_SECONDS,
                since => spike.height * ((RISE_SECONDS - since) / spike.fades_in).exp(),
            }
        });
        self.base_at(seconds) + spikes.sum::<f64>()
    }

    fn base_at(&self, seconds: f64) -> f64 {
        let mut before: Option<(f64, f64)> = None;
        for &(at, part) in &self.base {
            if seconds < at {
                return before.map_or(part, |(from, start)| {
                    start + (seconds - from) / (at - from) * (part - start)
                });
            }
            before = Some((at, part));
        }
        before.map_or(0.0, |(_, part)| part)
    }
}

/// A shard that is down for a while. What waited in it is lost; callers must ask again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outage {
    /// Number of the shard; 0 is the fullest.
    pub shard: u64,
    /// From, in seconds.
    pub from: f64,
    /// Until, in seconds.
    pub until: f64,
}

/// What callers do that were sent away: wait and try again under the same number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Retry {
    /// Seconds before the second try; doubled for each one after it.
    pub first_seconds: f64,
    /// Seconds between tries at most.
    pub longest_seconds: f64,
    /// Tries after the first; then the caller gives up.
    pub tries_max: u32,
    /// Waits are drawn from 1 − jitter to 1 + jitter times that.
    pub jitter: f64,
}

impl Retry {
    /// Nobody tries again.
    pub const NEVER: Self =
        Self { first_seconds: 1.0, longest_seconds: 1.0, tries_max: 0, jitter: 0.0 };

    /// As a careful client does: 0.2 s, 0.4 s, … up to 5 s, each give or take half of it, and ten
    /// times at most.
    pub const PATIENT: Self =
        Self { first_seconds: 0.2, longest_seconds: 5.0, tries_max: 10, jitter: 0.5 };

    /// Seconds to wait after try number `attempt` (0 is the first); `None` to give up. `unit` is a
    /// random number from 0 to 1.
    pub fn wait(&self, attempt: u32, unit: f64) -> Option<f64> {
        (attempt < self.tries_max).then(|| {
            let doubled = self.first_seconds * f64::from(attempt.min(30)).exp2();
            doubled.min(self.longest_seconds) * (1.0 + self.jitter * (2.0 * unit - 1.0))
        })
    }
}

/// Whose load it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Division {
    /// Merchants of unlike size, placed by size; none has a load of its own.
    Merchants(Popularity),
    /// As [`Merchants`](Self::Merchants), and a campaign of one more merchant on the fullest shard:
    /// its load over time, in parts of one shard's capacity.
    Campaign(Popularity, LoadShape),
}

/// One simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Every random number follows from it.
    pub seed: u64,
    /// Seconds that are simulated.
    pub seconds: f64,
    /// Commands a second of the load's part 1.
    pub peak: f64,
    /// Load over time.
    pub load: LoadShape,
    /// Whose load.
    pub division: Division,
    /// Shards, each with one lane.
    pub shards: u64,
    /// The lane of each.
    pub lane: LaneSpec,
    /// What breaks.
    pub outage: Option<Outage>,
    /// What callers do.
    pub retry: Retry,
    /// Fresh commands of one shard are drawn for this long at once and come at one instant in it,
    /// in milliseconds; 0 for each command at an instant of its own.
    pub tick_millis: u64,
    /// Milliseconds of one point of the series.
    pub bucket_millis: u64,
}

impl Scenario {
    /// The scenario called `name`; `None` if there is none. `peak` is in commands a second.
    pub fn named(
        name: &str,
        peak: f64,
        shards: u64,
        lane: LaneSpec,
        popularity: Popularity,
    ) -> Option<Self> {
        let merchants = Division::Merchants(popularity);
        let usual = Self {
            name: name.to_owned(),
            seed: 20_170_127,
            seconds: 120.0,
            peak,
            load: LoadShape::flat(0.5),
            division: merchants,
            shards,
            lane,
            outage: None,
            retry: Retry::PATIENT,
            tick_millis: 2,
            bucket_millis: 500,
        };
        match name {
            "new-years-eve" => {
                Some(Self { seconds: 600.0, load: eve(), bucket_millis: 1_000, ..usual })
            }
            "hot-merchant" => {
                Some(Self { division: Division::Campaign(popularity, campaign()), ..usual })
            }
            "dead-shard" => {
                Some(Self { outage: Some(Outage { shard: 0, from: 30.0, until: 40.0 }), ..usual })
            }
            "over-plan" => {
                let spikes = vec![Spike { at: 30.0, height: 1.5, fades_in: 20.0 }];
                Some(Self { load: LoadShape { spikes, ..LoadShape::flat(0.5) }, ..usual })
            }
            _ => None,
        }
    }
}

/// Ten minutes around midnight, which is at 300 s: from the mean of the day, 0.22 of the peak, up to
/// half of it, with spikes where the show announces something. The highest comes at six minutes
/// past midnight of the original's night; here it is moved to midnight itself.
fn eve() -> LoadShape {
    let spike = |at, height, fades_in| Spike { at, height, fades_in };
    LoadShape {
        base: vec![(0.0, 0.22), (120.0, 0.22), (295.0, 0.5), (360.0, 0.5), (600.0, 0.3)],
        spikes: vec![
            spike(60.0, 0.25, 10.0),
            spike(180.0, 0.3, 10.0),
            spike(300.0, 0.5, 30.0),
            spike(420.0, 0.25, 15.0),
        ],
    }
}

/// A campaign of thirty seconds that asks three shards' worth of one.
fn campaign() -> LoadShape {
    LoadShape {
        base: vec![(0.0, 0.0)],
        spikes: vec![Spike { at: 30.0, height: 3.0, fades_in: 10.0 }],
    }
}

#[cfg(test)]
mod tests {
    use super::{LoadShape, Retry, Spike, eve};

    #[test]
    fn a_load_is_its_lines_and_spikes() {
        let spikes = vec![Spike { at: 10.0, height: 2.0, fades_in: 5.0 }];
        let load = LoadShape { base: vec![(0.0, 1.0), (10.0, 3.0)], spikes };
        for (seconds, part) in [(-1.0, 1.0), (5.0, 2.0), (10.0, 3.0), (11.0, 4.0), (12.0, 5.0)] {
            assert!((load.at(seconds) - part).abs() < 1e-9, "{seconds}: {}", load.at(seconds));
        }
        assert!((load.at(17.0) - (3.0 + 2.0 / std::f64::consts::E)).abs() < 1e-9);
    }

    #[test]
    fn the_eve_reaches_the_peak_once_and_never_more() {
        let top = (0..6_000).map(|tenth| eve().at(f64::from(tenth) / 10.0)).fold(0.0, f64::max);
        assert!((0.99..=1.01).contains(&top), "{top}");
    }

    #[test]
    fn waits_double_to_the_longest_and_end() {
        let waits: Vec<_> = (0..11).map(|attempt| Retry::PATIENT.wait(attempt, 0.5)).collect();
        assert_eq!(waits[..6], [0.2, 0.4, 0.8, 1.6, 3.2, 5.0].map(Some));
        assert_eq!(waits[10], None);
        assert_eq!(Retry::NEVER.wait(0, 0.5), None);
    }
}
