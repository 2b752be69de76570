//! What was aimed at. A ratio is the median of the ratios of the rounds; but what was measured in
//! rounds of its own is the ratio of medians.

use serde::Serialize;

use super::{super::platform::Kind, Figures, StoreFigures, best, median};

/// A figure with what it must at least, or at most, be.
#[derive(Clone, Debug, Serialize)]
pub(in crate::bench) struct Bar {
    /// What it is of.
    pub what: String,
    /// What was seen.
    pub seen: f64,
    /// Its unit; `×` for a ratio.
    pub unit: &'static str,
    /// The floor or the ceiling.
    pub limit: f64,
    /// Whether more than the bar is good, or less.
    pub wanted: Wanted,
    /// Where it should be some day.
    pub aim: Option<f64>,
    /// Whether the bar is met.
    pub met: bool,
}

/// Which side of a bar is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::bench) enum Wanted {
    /// The bar or more.
    AtLeast,
    /// The bar or less.
    AtMost,
}

/// All bars whose figures were measured.
pub(super) fn of(figures: &Figures) -> Vec<Bar> {
    let mut bars = Vec::new();
    rates(figures, &mut bars);
    stored(&figures.sqlite.store, Kind::Sqlite, &mut bars);
    stored(&figures.postgres.store, Kind::Postgres, &mut bars);
    if figures.peak_memory_mib > 0 {
        let seen = f64::from(u32::try_from(figures.peak_memory_mib).unwrap_or(u32::MAX));
        bars.push(at_most("most memory, generator included", seen, "MiB", 1_024.0));
    }
    bars
}

fn rates(figures: &Figures, bars: &mut Vec<Bar>) {
    let (sqlite, postgres) = (&figures.sqlite.rounds, &figures.postgres.rounds);
    if !sqlite.is_empty() {
        let of = |ratio: fn(&super::Round) -> f64| median(sqlite.iter().map(ratio));
        let seen = of(|round| round.engine_claims / round.single_claims);
        bars.push(at_least("SQLite claims ÷ one transaction each", seen, 20.0, Some(40.0)));
        let seen = of(|round| round.engine_sends / round.engine_claims);
        bars.push(at_least("SQLite sends of one merchant ÷ claims", seen, 1.0, None));
        let seen = of(|round| round.http_claims / round.echo);
        bars.push(at_least("HTTP claims ÷ echo", seen, 0.25, Some(0.5)));
    }
    if !postgres.is_empty() {
        let of = |ratio: fn(&super::PostgresRound) -> f64| median(postgres.iter().map(ratio));
        if !sqlite.is_empty() {
            let claims = median(sqlite.iter().map(|round| round.engine_claims));
            let seen = claims / of(|round| best(round.procedure_claims));
            bars.push(at_least("SQLite claims ÷ procedure's claims", seen, 7.0, Some(12.0)));
        }
        let seen = of(|round| round.engine_claims / best(round.procedure_claims));
        bars.push(at_least("PostgreSQL claims ÷ procedure's", seen, 2.5, Some(5.0)));
        let seen = of(|round| round.engine_sends / best(round.procedure_sends));
        bars.push(at_least(
            "PostgreSQL sends of one merchant ÷ procedure's",
            seen,
            30.0,
            Some(60.0),
        ));
    }
}

fn stored(figures: &StoreFigures, kind: Kind, bars: &mut Vec<Bar>) {
    let StoreFigures { sizes, neighbours, overload } = figures;
    let named = |what: &str| format!("{} {what}", kind.name());
    if !sizes.is_empty() {
        let seen = median(sizes.iter().map(|round| round.small / round.large));
        bars.push(at_most(&named("cost of a claim, large store ÷ small"), seen, "×", 2.0));
    }
    if !neighbours.is_empty() {
        let ratios = neighbours.iter().map(|round| round.beside_busy.p99_ms / round.quiet.p99_ms);
        let what = named("p99 of small merchants beside a busy one ÷ without");
        bars.push(at_most(&what, median(ratios), "×", 2.0));
    }
    if let Some(overload) = overload {
        let seen = overload.accepted / overload.peak;
        let what = named("claims accepted in an overload ÷ peak");
        bars.push(at_least(&what, seen, 0.5, None));
        let what = named("p99 of those accepted in an overload");
        bars.push(at_most(&what, overload.accepted_p99_ms, "ms", 2_000.0));
        let seen = overload.recovered_s.unwrap_or(f64::INFINITY);
        bars.push(at_most(&named("well again after an overload"), seen, "s", 30.0));
    }
}

fn at_least(what: &str, seen: f64, limit: f64, aim: Option<f64>) -> Bar {
    let (what, wanted) = (what.to_owned(), Wanted::AtLeast);
    Bar { what, seen, unit: "×", limit, wanted, aim, met: seen >= limit }
}

fn at_most(what: &str, seen: f64, unit: &'static str, limit: f64) -> Bar {
    let (what, wanted) = (what.to_owned(), Wanted::AtMost);
    Bar { what, seen, unit, limit, wanted, aim: None, met: seen <= limit }
}
