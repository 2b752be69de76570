//! The capacity model multiplies rightly and refuses nonsense.

use hongbao_plan::{
    capacity::{Bounds, Demand, Store, lane, plan},
    figures::{Figures, Source},
    sim,
};
use proptest::prelude::*;

/// Round rates of a lane, whatever is built in.
fn figures() -> Figures {
    let mut figures = Figures::built_in();
    for (engine, claims, sends) in [
        (&mut figures.sqlite, 42_000.0, 85_592.0),
        (&mut figures.postgres, 16_000.0, 16_000.0),
        (&mut figures.citus, 8_000.0, 8_000.0),
    ] {
        (engine.claims.value, engine.sends.value) = (claims, sends);
        engine.beside_others.value = sends / 2.0;
    }
    figures.sqlite.single.value = 4_310.0;
    figures.http_claims.value = 21_083.0;
    figures
}

const BOUNDS: Bounds = Bounds { batch_max: 16_384, queue_max: 32_768 };

/// One claim a second for each of a day's packets, sends left out: easy to work out by hand.
fn demand() -> Demand {
    Demand {
        peak: 420_000.0,
        packets_per_day: 864e6,
        claims_per_packet: 1.0,
        sends_per_claim: 0.0,
        headroom: 0.5,
        retention_days: 10.0,
        replication: 2,
        merchants: 1_000,
        users: 1_000_000,
        hot_share: 0.001,
        zipf: 0.0,
        store: Store::Sqlite,
        cores_per_server: 8,
        measured_cores: 2,
    }
}

/// 42,000/s a lane, half of it used: 420,000/s take 20 lanes; four on a server, two copies.
#[test]
fn shards_and_servers_are_what_division_says() {
    let plan = plan(&demand(), &figures()).unwrap();
    assert_eq!(plan.machines.shards, 20);
    assert_eq!((plan.machines.shards_per_server, plan.machines.store_servers), (4, 10));
    assert!((plan.load.busy_lanes - 10.0).abs() < 1e-9);
    assert!((plan.load.fullest_busy - 0.5).abs() < 1e-9);
    // 21,083/s on two cores, half of it used.
    assert_eq!((plan.machines.http_cores, plan.machines.http_servers), (80, 10));
}

/// 469 + 217 bytes for each of 864 million packets and claims, ten days, 184 bytes a user, two
/// copies, disks 70 % full.
#[test]
fn disks_are_what_multiplication_says() {
    let flows = plan(&demand(), &figures()).unwrap().flows;
    assert!((flows.day_bytes - 864e6 * 686.0).abs() < 1.0);
    let all = (864e7 * 686.0 + 184e6) * 2.0 / 0.7;
    assert!((flows.disk_bytes / all - 1.0).abs() < 1e-9);
    assert!((flows.log_bytes - 420_000.0 * 1_200.0).abs() < 1.0);
    assert!((flows.shard_packets - 432e6).abs() < 1.0);
}

#[test]
fn sends_cost_their_own_time() {
    let mixed = plan(&Demand { sends_per_claim: 1.0, ..demand() }, &figures()).unwrap();
    let lanes = 420_000.0 / 42_000.0 + 420_000.0 / 85_592.0;
    assert!((mixed.load.busy_lanes - lanes).abs() < 1e-6);
}

#[test]
fn only_citus_has_more_than_one_shard() {
    let fits = |store, peak| {
        let plan = plan(&Demand { store, peak, ..demand() }, &figures()).unwrap();
        assert_eq!(plan.fits, !plan.warnings.iter().any(|w| w.starts_with("does not fit")));
        plan.fits
    };
    assert!(fits(Store::Sqlite, 20_000.0) && fits(Store::Postgres, 8_000.0));
    assert!(!fits(Store::Sqlite, 22_000.0) && !fits(Store::Postgres, 9_000.0));
    assert!(fits(Store::Citus, 760_000.0));
}

/// A tenth of 420,000/s is 42,000/s: two shards' worth at half of 42,000/s each.
#[test]
fn a_merchant_above_its_shard_must_be_divided() {
    let plan = plan(&Demand { hot_share: 0.1, ..demand() }, &figures()).unwrap();
    assert_eq!(plan.load.hot_parts, 2);
    assert!(plan.warnings.iter().any(|warning| warning.contains("2 merchant numbers")));
    assert!(plan.load.fullest_busy <= 0.5 + 1e-6);
}

/// One that gets a quarter of a lane among others, though half of each may be used.
#[test]
fn a_merchant_is_divided_so_that_each_part_gets_what_it_asks_for_among_others() {
    let mut figures = figures();
    figures.sqlite.beside_others.value = figures.sqlite.sends.value / 4.0;
    let plan = plan(&Demand { hot_share: 0.1, ..demand() }, &figures).unwrap();
    assert_eq!(plan.load.hot_parts, 4);
}

#[test]
fn what_nobody_measured_is_said_in_the_warnings_and_in_the_table() {
    let demand = Demand { store: Store::Citus, ..demand() };
    let plan = plan(&demand, &figures()).unwrap();
    assert!(plan.warnings.iter().any(|warning| warning.contains("nobody measured citus")));
    assert!(plan.to_string().contains("ASSUMED"));
    assert_eq!(figures().citus.claims.source, Source::Assumed);
}

#[test]
fn the_lane_of_the_simulator_is_the_lane_of_the_plan() {
    let figures = Figures { batch_points: Vec::new(), ..figures() };
    let lane = lane(&demand(), &figures, BOUNDS);
    assert!((sim::capacity(&lane) / figures.sqlite.claims.value - 1.0).abs() < 1e-3);
    assert!((lane.service.rate(1) / figures.sqlite.single.value - 1.0).abs() < 1e-3);
}

#[test]
fn a_measured_curve_keeps_its_shape_and_takes_the_height_of_the_plan() {
    let points = vec![(1, 0.000_25), (1_000, 0.05), (16_384, 0.25)];
    let figures = Figures { batch_points: points, ..figures() };
    let lane = lane(&demand(), &figures, BOUNDS);
    assert!((sim::capacity(&lane) / 42_000.0 - 1.0).abs() < 1e-3);
    // Rate times time is size: 1,000 and 16,384.
    let part = 1_000.0 / lane.service.rate(1_000) / (16_384.0 / lane.service.rate(16_384));
    assert!((part - 0.2).abs() < 1e-6, "{part}");
}

#[test]
fn nonsense_is_refused_by_the_name_of_the_option() {
    let said = |demand: Demand| plan(&demand, &figures()).unwrap_err().to_string();
    assert_eq!(
        said(Demand { headroom: 1.0, ..demand() }),
        "headroom is 1, and must be from 0 to below 1"
    );
    for (name, bad) in [
        ("peak", Demand { peak: 0.0, ..demand() }),
        ("peak", Demand { peak: f64::NAN, ..demand() }),
        ("packets-per-day", Demand { packets_per_day: -1.0, ..demand() }),
        ("replication", Demand { replication: 0, ..demand() }),
        ("merchants", Demand { merchants: 0, ..demand() }),
        ("hot-merchant-share", Demand { hot_share: 1.5, ..demand() }),
        ("retention-days", Demand { retention_days: f64::INFINITY, ..demand() }),
        ("measured-cores", Demand { measured_cores: 0, ..demand() }),
    ] {
        assert!(said(bad).starts_with(name), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_shard_is_fuller_than_the_headroom_allows_and_more_load_is_never_less_iron(
        peak in 1_000.0_f64..2e6,
        headroom in 0.0_f64..0.8,
        hot_share in 0.0_f64..0.5,
        zipf in 0.0_f64..1.2,
        sends_per_claim in 0.0_f64..2.0,
    ) {
        let demand = Demand {
            peak, headroom, hot_share, zipf, sends_per_claim, store: Store::Citus, ..demand()
        };
        let figures = figures();
        let small = plan(&demand, &figures).unwrap();
        prop_assert!(small.load.fullest_busy <= 1.0 - headroom + 1e-6);
        let large = plan(&Demand { peak: peak * 4.0, ..demand }, &figures).unwrap();
        prop_assert!(large.machines.shards >= small.machines.shards);
        prop_assert!(large.machines.http_servers >= small.machines.http_servers);
    }
}
