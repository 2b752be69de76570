//! One panel: axes, lines and their legend.

use std::fmt::{self, Write as _};

use super::{GREY, WIDTH, axis, escape, text};
use crate::sim::tally::Point;

/// Room for the numbers left of the axis, in pixels.
const LEFT: f64 = 72.0;
const RIGHT: f64 = 24.0;
/// From the top of a panel to the top of its axis.
const ABOVE: f64 = 26.0;
/// Height of the axis.
const HEIGHT: f64 = 142.0;

/// What the vertical axis counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, in equal steps.
    Count,
    /// Seconds, in powers of ten.
    Seconds,
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Broad,
    Second,
    Third,
    Bad,
    Worse,
    Limit,
}

impl Style {
    const fn attributes(self) -> &'static str {
        match self {
            Self::Broad => r##"stroke="#7d8590" stroke-width="5" stroke-opacity="0.45""##,
            Self::Second => r##"stroke="#2f7fe0" stroke-width="1.8""##,
            Self::Third => r##"stroke="#2e9e4f" stroke-width="1.6" stroke-dasharray="7 3""##,
            Self::Bad => r##"stroke="#d9483b" stroke-width="1.6""##,
            Self::Worse => r##"stroke="#c98500" stroke-width="1.6" stroke-dasharray="3 3""##,
            Self::Limit => r##"stroke="#7d8590" stroke-width="1.2" stroke-dasharray="8 5""##,
        }
    }
}

/// One line.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) style: Style,
    /// Seconds, and the value where there is one.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

impl Line {
    pub(super) fn of(
        name: &str,
        style: Style,
        points: &[Point],
        value: impl Fn(&Point) -> Option<f64>,
    ) -> Self {
        let points = points.iter().map(|point| (point.at, value(point))).collect();
        Self { name: name.to_owned(), style, points }
    }

    /// Whether there is anything but nothing.
    fn says_something(&self) -> bool {
        self.points.iter().any(|(_, value)| value.is_some_and(|value| value > 0.0))
    }
}

/// A panel.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) scale: Scale,
    pub(super) lines: Vec<Line>,
}

/// From values to pixels.
struct Frame {
    top: f64,
    seconds: f64,
    low: f64,
    high: f64,
    scale: Scale,
}

impl Frame {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + seconds / self.seconds * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let part = match self.scale {
            Scale::Count => value / self.high,
            Scale::Seconds => {
                (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
            }
        };
        self.top + ABOVE + HEIGHT * (1.0 - part.clamp(0.0, 1.0))
    }
}

impl Panel {
    /// Draws it `top` pixels down; the axis of time is `seconds` long.
    pub(super) fn draw(&self, out: &mut String, top: f64, seconds: f64) -> fmt::Result {
        let shown: Vec<&Line> = self.lines.iter().filter(|line| line.says_something()).collect();
        let ticks = self.ticks(&shown);
        let (low, high) = (ticks.first().copied(), ticks.last().copied());
        let (low, high) = (low.unwrap_or(0.0), high.unwrap_or(1.0));
        let frame = Frame { top, seconds, low, high, scale: self.scale };
        text(out, (16.0, top + 14.0), r#"font-weight="600""#, &escape(&self.title))?;
        self.draw_axes(out, &frame, &ticks)?;
        let mut legend = WIDTH - RIGHT;
        for line in shown.iter().rev() {
            draw_line(out, &frame, line)?;
            legend = draw_name(out, top, legend, line)?;
        }
        Ok(())
    }

    fn ticks(&self, lines: &[&Line]) -> Vec<f64> {
        let values = || lines.iter().flat_map(|line| &line.points).filter_map(|(_, value)| *value);
        let high = values().fold(0.0, f64::max);
        match self.scale {
            Scale::Count => axis::linear(high, 4.0),
            Scale::Seconds => {
                let low = values().filter(|value| *value > 0.0).fold(f64::MAX, f64::min);
                if low > high { axis::decades(0.001, 1.0) } else { axis::decades(low, high) }
            }
        }
    }

    fn draw_axes(&self, out: &mut String, frame: &Frame, ticks: &[f64]) -> fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, frame.top + ABOVE + HEIGHT);
        for &tick in ticks {
            let (y, name) = match self.scale {
                Scale::Count => (frame.y(tick), axis::short(tick)),
                Scale::Seconds => (frame.y(tick), axis::time(tick)),
            };
            writeln!(
                out,
                r#"<path d="M{LEFT} {y:.1}H{right}" stroke="{GREY}" stroke-opacity="0.25"/>"#
            )?;
            text(out, (LEFT - 8.0, y + 4.0), r#"text-anchor="end""#, &name)?;
        }
        for tick in axis::linear(frame.seconds, 10.0) {
            if tick > frame.seconds * 1.001 {
                break;
            }
            let x = frame.x(tick);
            writeln!(out, r#"<path d="M{x:.1} {bottom}v5" stroke="{GREY}"/>"#)?;
            let name = format!("{tick:.0} s");
            text(out, (x, bottom + 18.0), r#"text-anchor="middle""#, &name)?;
        }
        let top = frame.top + ABOVE;
        writeln!(out, r#"<path d="M{LEFT} {top}V{bottom}H{right}" fill="none" stroke="{GREY}"/>"#)
    }
}

/// Points further apart than this many seconds are not joined. Under full load a batch, and so an
/// answer, comes only every second or two; that is no gap.
const GAP_SECONDS: f64 = 4.0;

/// A gap where nothing was answered stays a gap.
fn draw_line(out: &mut String, frame: &Frame, line: &Line) -> fmt::Result {
    let mut path = String::new();
    let mut before = f64::MIN;
    for &(at, value) in &line.points {
        let Some(value) = value else { continue };
        let pen = if at - before > GAP_SECONDS { 'M' } else { 'L' };
        write!(path, "{pen}{:.1} {:.1}", frame.x(at), frame.y(value))?;
        before = at;
    }
    let style = line.style.attributes();
    writeln!(out, r#"<path d="{path}" fill="none" stroke-linejoin="round" {style}/>"#)
}

/// The name of a line with a piece of it, ending at `right`; answers where the next one may end.
fn draw_name(out: &mut String, top: f64, right: f64, line: &Line) -> Result<f64, fmt::Error> {
    let y = top + 14.0;
    text(out, (right, y), r#"text-anchor="end""#, &escape(&line.name))?;
    // Letters of 12 pixels are some 6 wide on average, and a little more to be safe.
    let letters = u32::try_from(line.name.chars().count()).unwrap_or(0);
    let from = right - 6.5 * f64::from(letters) - 8.0;
    let (start, y, style) = (from - 22.0, y - 4.0, line.style.attributes());
    writeln!(out, r#"<path d="M{start:.1} {y:.1}H{from:.1}" fill="none" {style}/>"#)?;
    Ok(start - 14.0)
}
