//! What was seen and what was predicted, side by side.

use std::fmt;

use serde::Serialize;

use super::{
    super::{BenchError, Plan, float, open::Seen, percentile_ms},
    SECONDS,
    model::{self, Calibration},
    probe::Batch,
};

/// An open load as it was seen, and the batches of its lane.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) seen: Seen,
    pub(super) batches: Vec<Batch>,
}

/// Waiting times and batch size, seen or predicted.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Waits {
    /// The median, in milliseconds.
    pub p50_ms: f64,
    /// What 99 of 100 stayed below, in milliseconds.
    pub p99_ms: f64,
    /// Commands of a batch on average.
    pub batch: f64,
}

/// One load of one repetition.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Comparison {
    /// Which repetition.
    pub repetition: u32,
    /// Per cent of the repetition's peak.
    pub percent: u32,
    /// Commands a second that were offered.
    pub offered: f64,
    /// Commands sent away by the real engine.
    pub shed: usize,
    /// How late the generator was in 1 of 100 cases, in milliseconds.
    pub late_p99_ms: f64,
    /// What the engine did.
    pub engine: Waits,
    /// What the simulator says with a straight line through one command and a full batch.
    pub line: Waits,
    /// What it says with the measured curve and spread.
    pub curve: Waits,
    /// What it says with the times that batches took under this very load; no prediction.
    pub own: Option<Waits>,
}

/// A validation of the simulator.
#[derive(Clone, Debug, Serialize)]
pub struct Validation {
    /// Packets stored before it.
    pub packets: u64,
    /// Claims a second at the peak, for each repetition.
    pub peaks: Vec<f64>,
    /// Batch sizes and their mean seconds, of the repetition with the median peak: for
    /// `hongbao plan --figures`.
    pub batch_points: Vec<(u32, f64)>,
    /// The same for each repetition.
    pub all_points: Vec<Vec<(u32, f64)>>,
    /// Every load of every repetition.
    pub rows: Vec<Comparison>,
}

impl Validation {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            packets: plan.packets,
            peaks: Vec::new(),
            batch_points: Vec::new(),
            all_points: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(super) fn calibrated(&mut self, calibration: &Calibration) {
        self.peaks.push(calibration.peak);
        self.all_points.push(calibration.points.clone());
    }

    pub(super) fn note(
        &mut self,
        repetition: u32,
        percent: u32,
        rate: f64,
        load: &Load,
        calibration: &Calibration,
    ) -> Result<(), BenchError> {
        let Load { seen, batches } = load;
        let waits = seen.sorted(|_| true);
        let row = u64::from(repetition * 100 + percent);
        self.rows.push(Comparison {
            repetition,
            percent,
            offered: rate,
            shed: seen.sent_away.len(),
            late_p99_ms: percentile_ms(&seen.late, 99),
            engine: Waits {
                p50_ms: percentile_ms(&waits, 50),
                p99_ms: percentile_ms(&waits, 99),
                batch: batches.iter().map(|batch| f64::from(batch.size)).sum::<f64>()
                    / float(batches.len().max(1)),
            },
            line: calibration.line(rate, SECONDS, row)?,
            curve: calibration.curve(rate, SECONDS, row)?,
            own: model::own(batches, calibration.pace, rate, SECONDS, row).transpose()?,
        });
        Ok(())
    }

    /// Chooses the repetition whose curve is kept.
    pub(super) fn finish(&mut self) {
        let mut order: Vec<(f64, &Vec<(u32, f64)>)> =
            self.peaks.iter().copied().zip(&self.all_points).collect();
        order.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        self.batch_points =
            order.get(order.len() / 2).map(|(_, points)| (*points).clone()).unwrap_or_default();
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>4} {:>5} {:>9} {:>6} {:>6}  {:>22}  {:>22}  {:>22}  {:>22}",
            "rep",
            "load",
            "offered/s",
            "shed",
            "late",
            "engine p50 p99 batch",
            "line",
            "curve",
            "own"
        )?;
        for row in &self.rows {
            write!(
                f,
                "{:>4} {:>3} % {:>9.0} {:>6} {:>6.1}",
                row.repetition, row.percent, row.offered, row.shed, row.late_p99_ms
            )?;
            for Waits { p50_ms, p99_ms, batch } in
                [Some(row.engine), Some(row.line), Some(row.curve), row.own].into_iter().flatten()
            {
                write!(f, "  {p50_ms:>7.1} {p99_ms:>7.1} {batch:>6.0}")?;
            }
            writeln!(f)?;
        }
        write!(f, "peaks: {:.0?}; a millisecond each is meant where no unit stands", self.peaks)
    }
}
