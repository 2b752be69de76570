//! A drawing is well-formed, complete and the same every time.

use hongbao_plan::{
    placement::Popularity,
    sim::{self, lane::LaneSpec, scenario::Scenario, service::Service},
    svg,
};

#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn drawn(name: &str) -> String {
    let lane =
        LaneSpec { service: Service::affine(0.001, 0.000_1), batch_max: 16_384, queue_max: 32_768 };
    let popularity = Popularity { merchants: 100, exponent: 0.8, hot_share: 0.02 };
    let scenario = Scenario::named(name, 20_000.0, 4, lane, popularity).unwrap();
    svg::draw(&scenario, "less < than & more", &sim::run(&scenario).unwrap()).unwrap()
}

#[test]
fn a_drawing_has_its_panels_units_and_legend() {
    let svg = drawn("dead-shard");
    for part in [
        "commands a second, all shards",
        "commands inside the dead shard",
        "waiting time, all shards",
        "p99.9 from the first try",
        "failed: shard dead",
        " ms<",
        " k<",
        "less &lt; than &amp; more",
    ] {
        assert!(svg.contains(part), "{part} is missing");
    }
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn the_same_simulation_gives_the_same_drawing() {
    assert_eq!(drawn("hot-merchant"), drawn("hot-merchant"));
}

#[test]
fn a_line_that_says_nothing_is_left_out() {
    assert!(!drawn("hot-merchant").contains("failed: shard dead"));
}
