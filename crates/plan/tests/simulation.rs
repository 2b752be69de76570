//! Whole simulations: arithmetic where there is some, conservation always.

use hongbao_plan::{
    placement::Popularity,
    sim::{
        self, Broken, Outcome, Total,
        lane::LaneSpec,
        scenario::{Division, LoadShape, Outage, Retry, SCENARIOS, Scenario, Spike},
        service::Service,
    },
};
use proptest::prelude::*;

const EQUAL: Popularity = Popularity { merchants: 1_000, exponent: 0.0, hot_share: 0.001 };

fn lane(fixed: f64, each: f64) -> LaneSpec {
    LaneSpec { service: Service::affine(fixed, each), batch_max: 16_384, queue_max: 32_768 }
}

/// One shard of 10,000 commands a second, whatever the batch, at half load.
fn one_shard() -> Scenario {
    Scenario {
        name: "test".to_owned(),
        seed: 1,
        seconds: 40.0,
        peak: 5_000.0,
        load: LoadShape::flat(1.0),
        division: Division::Merchants(EQUAL),
        shards: 1,
        lane: LaneSpec { batch_max: 100, ..lane(0.0, 0.000_1) },
        outage: None,
        retry: Retry::NEVER,
        tick_millis: 2,
        bucket_millis: 1_000,
    }
}

fn inside_at(outcome: &Outcome, second: usize) -> u64 {
    outcome.all.get(second).map_or(0, |point| point.inside)
}

#[test]
fn below_capacity_everything_offered_is_accepted() {
    let total = sim::run(&one_shard()).unwrap().total;
    assert_eq!((total.shed, total.failed, total.gave_up), (0, 0, 0));
    assert_eq!(total.offered, total.accepted + total.inside);
    assert!(total.offered.abs_diff(200_000) < 2_000, "{}", total.offered);
}

/// Single commands of a fixed time, arriving at random at 0.4 of capacity: 0.6 of them find the lane
/// free, so the median waits for nothing but itself.
#[test]
fn at_low_load_the_median_waits_for_itself_only() {
    let mut lane = lane(0.001, 0.0);
    lane.batch_max = 1;
    let scenario = Scenario { peak: 400.0, lane, tick_millis: 0, ..one_shard() };
    let total = sim::run(&scenario).unwrap().total;
    assert!((970_000..=1_000_000).contains(&total.p50_nanos), "{}", total.p50_nanos);
    assert!(total.p99_nanos > 2_000_000, "{}", total.p99_nanos);
}

/// At load λ with batches of fixed + each · n, a batch gathers the next: n = λ · fixed / (1 − λ · each).
#[test]
fn batches_have_the_size_that_arithmetic_says() {
    let scenario = Scenario { peak: 20_000.0, lane: lane(0.01, 0.000_03), ..one_shard() };
    let outcome = sim::run(&scenario).unwrap();
    let expected = 20_000.0 * 0.01 / (1.0 - 20_000.0 * 0.000_03);
    let seen = outcome.all[30].batch;
    assert!((seen / expected - 1.0).abs() < 0.02, "{seen} instead of {expected}");
}

/// Twice what fits comes, nobody tries again: half is shed, and the queue is full.
#[test]
fn above_capacity_the_shed_is_what_does_not_fit() {
    let outcome = sim::run(&Scenario { peak: 20_000.0, ..one_shard() }).unwrap();
    for point in &outcome.all[10..40] {
        assert!((point.accepted - 10_000.0).abs() <= 100.0, "{point:?}");
        assert!((point.offered - point.accepted - point.shed).abs() <= 200.0, "{point:?}");
    }
    let total = &outcome.total;
    assert_eq!(total.offered, total.accepted + total.shed + total.inside);
    assert!(total.fullest <= 100 + 32_768);
}

/// Down for ten seconds at 5,000/s leaves 50,000 callers. Back at 10,000/s with 5,000/s still coming
/// it takes ten seconds more: empty at 30 s, give or take the tenth of a second between tries.
#[test]
fn the_backlog_of_a_dead_shard_drains_in_the_time_that_arithmetic_says() {
    let scenario = Scenario {
        outage: Some(Outage { shard: 0, from: 10.0, until: 20.0 }),
        retry: Retry { first_seconds: 0.1, longest_seconds: 0.1, tries_max: 1_000, jitter: 0.0 },
        lane: LaneSpec { batch_max: 100, queue_max: 1_000_000, ..lane(0.0, 0.000_1) },
        ..one_shard()
    };
    let outcome = sim::run(&scenario).unwrap();
    assert_eq!(inside_at(&outcome, 15), 0);
    for (second, left) in [(20, 45_000_i64), (24, 25_000), (28, 5_000), (30, 0)] {
        let seen = i64::try_from(inside_at(&outcome, second)).unwrap();
        assert!((seen - left).abs() < 1_500, "{second} s: {seen} instead of {left}");
    }
    assert_eq!(outcome.total.gave_up, 0);
    assert_eq!(outcome.total.callers, outcome.total.accepted + outcome.total.inside);
}

#[test]
fn a_dead_shard_hurts_its_own_callers_only() {
    let outage = Some(Outage { shard: 0, from: 10.0, until: 20.0 });
    let base = Scenario { shards: 4, peak: 20_000.0, ..one_shard() };
    let (whole, broken) =
        (sim::run(&base).unwrap(), sim::run(&Scenario { outage, ..base }).unwrap());
    // A quarter of ten seconds' load; the others are the same to the last command.
    assert_eq!(whole.total.callers, broken.total.callers);
    assert!(broken.total.gave_up.abs_diff(50_000) < 1_000);
    assert_eq!(whole.total.accepted - broken.total.accepted, broken.total.failed);
}

#[test]
fn a_campaign_above_its_shard_is_shed_there_and_nowhere_else() {
    let spikes = vec![Spike { at: 5.0, height: 3.0, fades_in: 5.0 }];
    let campaign = LoadShape { base: Vec::new(), spikes };
    let division = Division::Campaign(EQUAL, campaign);
    let outcome =
        sim::run(&Scenario { division, shards: 3, peak: 15_000.0, ..one_shard() }).unwrap();
    assert!(outcome.total.shed > 0);
    let sum = |points: &[sim::tally::Point]| points.iter().map(|point| point.shed).sum::<f64>();
    assert!((sum(&outcome.all) - sum(&outcome.watched)).abs() < 0.5);
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_does_not() {
    let json = |seed| {
        let outcome = sim::run(&Scenario { seed, seconds: 5.0, shards: 3, ..one_shard() });
        serde_json::to_string(&outcome.unwrap()).unwrap()
    };
    assert_eq!(json(1), json(1));
    assert_ne!(json(1), json(2));
}

#[test]
fn every_scenario_has_a_name_and_runs() {
    for (name, _) in SCENARIOS {
        let scenario = Scenario::named(name, 20_000.0, 4, lane(0.001, 0.000_1), EQUAL).unwrap();
        let outcome = sim::run(&scenario).unwrap();
        assert_eq!((outcome.scenario.as_str(), outcome.total.conserved()), (name, Ok(())));
        assert!(outcome.total.accepted > 0, "{name}");
    }
    assert_eq!(Scenario::named("tuesday", 1.0, 1, lane(0.1, 0.1), EQUAL), None);
}

/// The planted fault: a result in which one try, or one caller, has gone missing.
#[test]
fn a_try_or_a_caller_that_goes_missing_is_caught() {
    let scenario = Scenario { peak: 30_000.0, retry: Retry::PATIENT, ..one_shard() };
    let total = sim::run(&scenario).unwrap().total;
    assert_eq!(total.conserved(), Ok(()));
    let faults: [fn(&mut Total); 4] = [
        |total| total.shed -= 1,
        |total| total.accepted += 1,
        |total| total.between_tries -= 1,
        |total| total.gave_up += 1,
    ];
    for fault in faults {
        let mut damaged = total.clone();
        fault(&mut damaged);
        let found = damaged.conserved();
        assert!(matches!(found, Err(Broken::Tries { .. } | Broken::Callers { .. })), "{damaged:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tries_and_callers_are_conserved_in_any_scenario(
        seed in any::<u64>(),
        peak in 0.0_f64..40_000.0,
        shards in 1_u64..5,
        queue_max in 1_u64..5_000,
        batch_max in 1_u64..2_000,
        each in 0.000_01_f64..0.001,
        tick_millis in prop_oneof![Just(0_u64), Just(1), Just(7)],
        outage in prop::option::of((0.0_f64..2.0, 0.0_f64..2.0)),
        tries_max in 0_u32..6,
        height in 0.0_f64..4.0,
    ) {
        let spikes = vec![Spike { at: 1.0, height, fades_in: 0.5 }];
        let scenario = Scenario {
            seed,
            seconds: 3.0,
            peak,
            shards,
            tick_millis,
            bucket_millis: 300,
            load: LoadShape { spikes, ..LoadShape::flat(0.2) },
            lane: LaneSpec { service: Service::affine(0.001, each), batch_max, queue_max },
            outage: outage.map(|(from, down)| Outage { shard: 0, from, until: from + down }),
            retry: Retry { tries_max, ..Retry::PATIENT },
            ..one_shard()
        };
        let outcome = sim::run(&scenario);
        prop_assert!(outcome.is_ok(), "{:?}", outcome.err());
        prop_assert!(outcome.unwrap().total.fullest <= queue_max + batch_max);
    }
}
