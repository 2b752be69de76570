//! The table for people.

use std::fmt;

use super::{
    Bar, Figures, Overload, PostgresFigures, SqliteFigures, StoreFigures, bars::Wanted, best,
    median,
};

const WIDTH: usize = 60;

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "medians of rounds, an overload once; {} packets, {} users, {} connections",
            self.packets, self.users, self.connections
        )?;
        sqlite(f, &self.sqlite)?;
        postgres(f, &self.postgres)?;
        if !self.redis.is_empty() {
            writeln!(f, "Redis (nothing but who took which share of one packet)")?;
            rate(f, "a script, every command synced", self.redis.iter().map(|round| round.claims))?;
        }
        writeln!(f, "Bars")?;
        for bar in &self.bars {
            writeln!(f, "{bar}")?;
        }
        write!(f, "{} of {} met", self.bars.iter().filter(|bar| bar.met).count(), self.bars.len())
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, seen, unit, limit, wanted, aim, met } = self;
        let sign = match wanted {
            Wanted::AtLeast => '≥',
            Wanted::AtMost => '≤',
        };
        write!(f, "  {} {what:<WIDTH$} {seen:>8.2} {unit}  {sign} {limit}", mark(*met))?;
        aim.map_or(Ok(()), |aim| write!(f, ", aim {aim}"))
    }
}

const fn mark(met: bool) -> &'static str {
    if met { "met   " } else { "MISSED" }
}

fn rate(f: &mut fmt::Formatter<'_>, what: &str, rates: impl Iterator<Item = f64>) -> fmt::Result {
    writeln!(f, "  {what:<WIDTH$} {:>10.0}/s", median(rates))
}

fn sqlite(f: &mut fmt::Formatter<'_>, figures: &SqliteFigures) -> fmt::Result {
    let SqliteFigures { rounds, half_of_peak, store } = figures;
    if !rounds.is_empty() {
        writeln!(f, "SQLite and HTTP")?;
        rate(f, "disk: 4 KiB append + fdatasync", rounds.iter().map(|round| round.fdatasync))?;
        let single = rounds.iter().map(|round| round.single_claims);
        rate(f, "store: one durable transaction per claim", single)?;
        rate(f, "engine: durable claims", rounds.iter().map(|round| round.engine_claims))?;
        let sends = rounds.iter().map(|round| round.engine_sends);
        rate(f, "engine: durable sends, one hot merchant", sends)?;
        rate(f, "HTTP: bare echo", rounds.iter().map(|round| round.echo))?;
        rate(f, "HTTP: durable claims", rounds.iter().map(|round| round.http_claims))?;
    }
    if let Some(half) = half_of_peak {
        let (p50, p99) = (half.p50_ms, half.p99_ms);
        writeln!(f, "  HTTP claims at half of peak: p50 {p50:.1} ms, p99 {p99:.1} ms")?;
    }
    stored(f, "SQLite", store)
}

fn postgres(f: &mut fmt::Formatter<'_>, figures: &PostgresFigures) -> fmt::Result {
    let PostgresFigures { rounds, store } = figures;
    if !rounds.is_empty() {
        writeln!(f, "PostgreSQL")?;
        let single = rounds.iter().map(|round| round.single_claims);
        rate(f, "store: one durable transaction per claim", single)?;
        let claims = rounds.iter().map(|round| best(round.procedure_claims));
        rate(f, "procedure: claims over many merchants", claims)?;
        let claims = rounds.iter().map(|round| round.engine_claims);
        rate(f, "engine: claims over many merchants", claims)?;
        rate(f, "one process: claims", rounds.iter().map(|round| round.one_process))?;
        rate(f, "two processes: claims", rounds.iter().map(|round| round.two_processes))?;
        let sends = rounds.iter().map(|round| best(round.procedure_sends));
        rate(f, "procedure: sends of one hot merchant", sends)?;
        rate(
            f,
            "engine: sends of one hot merchant",
            rounds.iter().map(|round| round.engine_sends),
        )?;
        let bytes = median(rounds.iter().map(|round| round.wal_bytes_per_claim));
        writeln!(f, "  log for each claim: {bytes:.0} bytes")?;
    }
    stored(f, "PostgreSQL", store)
}

fn stored(f: &mut fmt::Formatter<'_>, name: &str, figures: &StoreFigures) -> fmt::Result {
    let StoreFigures { sizes, neighbours, overload } = figures;
    if !neighbours.is_empty() {
        writeln!(f, "{name}: small merchants beside a busy one")?;
        for (what, busy) in [("without it", false), ("beside it", true)] {
            let of = |round: &super::Neighbours| if busy { round.beside_busy } else { round.quiet };
            let p50 = median(neighbours.iter().map(|round| of(round).p50_ms));
            let p99 = median(neighbours.iter().map(|round| of(round).p99_ms));
            let shed: usize = neighbours.iter().map(|round| of(round).shed).sum();
            writeln!(f, "  {what}: p50 {p50:.1} ms, p99 {p99:.1} ms, {shed} sent away")?;
        }
        rate(f, "the busy one's sends", neighbours.iter().map(|round| round.busy_sends))?;
    }
    if let Some(overload) = overload {
        overloaded(f, name, overload)?;
    }
    if !sizes.is_empty() {
        writeln!(f, "{name}: cost by size")?;
        rate(f, "claims in the small store", sizes.iter().map(|round| round.small))?;
        rate(f, "claims in the large store", sizes.iter().map(|round| round.large))?;
    }
    Ok(())
}

fn overloaded(f: &mut fmt::Formatter<'_>, name: &str, overload: &Overload) -> fmt::Result {
    let Overload { peak, offered, accepted, accepted_p99_ms, shed_p99_ms, .. } = overload;
    writeln!(f, "{name}: overload")?;
    writeln!(
        f,
        "  {offered:.0}/s asked for ({:.1} × the peak of {peak:.0}/s), {accepted:.0}/s accepted",
        offered / peak
    )?;
    writeln!(
        f,
        "  p99: accepted {accepted_p99_ms:.0} ms, sent away {shed_p99_ms:.3} ms; before {:.1} ms",
        overload.before_p99_ms
    )?;
    match overload.recovered_s {
        Some(seconds) => writeln!(f, "  as before within {seconds:.1} s after it"),
        None => writeln!(f, "  not as before within 30 s after it"),
    }
}
