//! The curves of a simulation as a drawing.
//!
//! Panels one under the other over one axis of time. Colours and greys are chosen to be read on
//! white and on black, and lines differ in weight and dashes too, so that they do not depend on
//! colour. No script, no font file: it can be shown by anything.

mod axis;
mod panel;

use std::fmt::{self, Write as _};

use self::panel::{Line, Panel, Scale, Style};
use crate::sim::{Outcome, scenario::Scenario, tally::Point};

/// Width of a drawing, in pixels.
const WIDTH: f64 = 960.0;
/// Above the first panel: title and two lines about the scenario.
const HEAD: f64 = 84.0;
/// Height of a panel with its title and the numbers under it.
const PANEL: f64 = 210.0;

/// Draws `outcome` of `scenario`.
pub fn draw(scenario: &Scenario, about: &str, outcome: &Outcome) -> Result<String, fmt::Error> {
    let panels = panels(scenario, outcome);
    let height = panels.iter().fold(HEAD, |height, _| height + PANEL);
    let mut out = String::new();
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12">"#
    )?;
    let title = escape(&scenario.name);
    writeln!(out, "<title>{title}: {}</title>", escape(about))?;
    text(&mut out, (16.0, 28.0), r#"font-size="18" font-weight="600""#, &title)?;
    text(&mut out, (16.0, 48.0), "", &escape(about))?;
    text(&mut out, (16.0, 66.0), "", &subtitle(scenario, outcome))?;
    let mut top = HEAD;
    for panel in &panels {
        panel.draw(&mut out, top, scenario.seconds)?;
        top += PANEL;
    }
    writeln!(out, "</svg>")?;
    Ok(out)
}

fn subtitle(scenario: &Scenario, outcome: &Outcome) -> String {
    format!(
        "{} shards of {}/s, part 1 of the load is {}/s; seed {}; {} of {} callers gave up",
        scenario.shards,
        axis::short(crate::sim::capacity(&scenario.lane)),
        axis::short(scenario.peak),
        scenario.seed,
        axis::short(crate::num::float(outcome.total.gave_up)),
        axis::short(crate::num::float(outcome.total.callers)),
    )
}

fn panels(scenario: &Scenario, outcome: &Outcome) -> Vec<Panel> {
    let watched = if scenario.outage.is_some() { "the dead shard" } else { "the fullest shard" };
    let limit = scenario.lane.batch_max + scenario.lane.queue_max;
    let limit = crate::num::float(limit);
    let inside = Line::of("waiting and in the batch", Style::Second, &outcome.watched, |point| {
        Some(crate::num::float(point.inside))
    });
    let full = outcome.watched.iter().map(|point| (point.at, Some(limit))).collect();
    let full = Line { name: "full".to_owned(), style: Style::Limit, points: full };
    // The limit of a queue that is all but empty would press its line to the ground.
    let near = outcome.watched.iter().any(|point| crate::num::float(point.inside) > limit / 10.0);
    let lines = if near { vec![inside, full] } else { vec![inside] };
    vec![
        rates("commands a second, all shards", &outcome.all),
        rates(&format!("commands a second, {watched}"), &outcome.watched),
        Panel { title: format!("commands inside {watched}"), scale: Scale::Count, lines },
        waits("waiting time, all shards", &outcome.all),
        waits(&format!("waiting time, {watched}"), &outcome.watched),
    ]
}

fn rates(title: &str, points: &[Point]) -> Panel {
    let line = |name, style, value: fn(&Point) -> f64| {
        Line::of(name, style, points, |point| Some(value(point)))
    };
    Panel {
        title: title.to_owned(),
        scale: Scale::Count,
        lines: vec![
            line("offered", Style::Broad, |point| point.offered),
            line("accepted", Style::Second, |point| point.accepted),
            line("sent away: queue full", Style::Bad, |point| point.shed),
            line("failed: shard dead", Style::Worse, |point| point.failed),
        ],
    }
}

fn waits(title: &str, points: &[Point]) -> Panel {
    let line = |name, style, value: fn(&Point) -> Option<f64>| Line::of(name, style, points, value);
    Panel {
        title: title.to_owned(),
        scale: Scale::Seconds,
        lines: vec![
            line("p50", Style::Second, |point| point.p50),
            line("p99", Style::Third, |point| point.p99),
            line("p99.9", Style::Bad, |point| point.p999),
            line("p99.9 from the first try", Style::Worse, |point| point.caller_p999),
        ],
    }
}

/// Colour of all text and axes.
const GREY: &str = "#7d8590";

fn text(out: &mut String, (x, y): (f64, f64), how: &str, what: &str) -> fmt::Result {
    writeln!(out, r#"<text x="{x:.1}" y="{y:.1}" fill="{GREY}" {how}>{what}</text>"#)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
