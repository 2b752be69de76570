//! A plan as text: numbers with units, and everything that was taken for granted.

use std::fmt;

use super::{Assumption, DISK_FULL, Plan, Store, described, sizes};
use crate::{
    figures::{Engine, Figures, Source},
    num,
};

/// Packets of the largest store that was measured.
const MEASURED_PACKETS: f64 = 10_000_000.0;

/// What a reader must know before believing the numbers.
pub(super) fn warnings(plan: &Plan, engine: &Engine) -> Vec<String> {
    let (demand, load) = (&plan.demand, &plan.load);
    let mut warnings = Vec::new();
    if !plan.fits {
        let what = match demand.store {
            Store::Sqlite => "SQLite has one writer",
            Store::Postgres | Store::Citus => "one PostgreSQL has one primary",
        };
        warnings.push(format!(
            "does not fit: {} shards are needed and {what}; take citus, or divide the merchants \
             among installations that know nothing of each other",
            plan.machines.shards
        ));
    }
    if load.hot_parts > 1 {
        warnings.push(format!(
            "the largest merchant has {} commands/s, more than one may have among others on a \
             shard: divide it among {} merchant numbers, or its callers are sent away",
            rate(load.hot_commands),
            load.hot_parts
        ));
    }
    if load.mean_busy > 1.0 - demand.headroom {
        warnings.push(format!(
            "the day's average keeps lanes {:.0} % busy: plan for packets-per-day, not for the peak",
            load.mean_busy * 100.0
        ));
    }
    if engine.claims.source == Source::Assumed {
        warnings.push(format!(
            "nobody measured {} yet: the number of shards stands on an assumption",
            demand.store.name()
        ));
    }
    if plan.flows.shard_packets > MEASURED_PACKETS {
        warnings.push(format!(
            "a shard holds {} packets at the end; rates were measured up to 10 million, and cost \
             grows with size",
            count(plan.flows.shard_packets)
        ));
    }
    warnings
}

/// Everything that was taken for granted.
pub(super) fn assumptions(plan: &Plan, engine: &Engine, figures: &Figures) -> Vec<Assumption> {
    let mut list = of_figures(plan, engine, figures);
    list.extend(of_demand(plan));
    list
}

fn assumption(what: &str, value: String, why: &str) -> Assumption {
    Assumption { what: what.to_owned(), value, why: why.to_owned() }
}

fn of_figures(plan: &Plan, engine: &Engine, figures: &Figures) -> Vec<Assumption> {
    let (demand, bytes) = (&plan.demand, &plan.bytes);
    let per_second = |figure: &crate::figures::Figure, what: &str| {
        assumption(what, format!("{}/s", rate(figure.value)), &described(figure))
    };
    let note = match demand.store {
        Store::Sqlite => sizes::SQLITE_NOTE,
        Store::Postgres | Store::Citus => sizes::POSTGRES_NOTE,
    };
    let of_log = match (&figures.postgres_wal, demand.store) {
        (_, Store::Sqlite) => {
            "a third of a page of 4 KiB for a scattered claim of a full batch".to_owned()
        }
        (Some(measured), _) => described(measured),
        (None, _) => "ASSUMED: rows and their index lines, and two pages whole, compressed to 40 %"
            .to_owned(),
    };
    let size = |value: f64| format!("{value:.0} B");
    vec![
        per_second(&engine.claims, "claims of a lane"),
        per_second(&engine.sends, "sends of a lane"),
        per_second(&engine.beside_others, "sends of one among others"),
        per_second(&engine.single, "batches of one"),
        per_second(&figures.http_claims, "claims over HTTP"),
        assumption("bytes of a packet", size(bytes.packet), note),
        assumption("bytes of a claim", size(bytes.claim), note),
        assumption("bytes of a journal row", size(bytes.journal_row), "part of both"),
        assumption("bytes of a user", size(bytes.user), note),
        assumption("log of a claim", size(bytes.log_claim), &of_log),
        assumption("log of a send", size(bytes.log_send), "rows that lie together share pages"),
    ]
}

fn of_demand(plan: &Plan) -> Vec<Assumption> {
    let demand = &plan.demand;
    let percent = |part: f64| format!("{:.0} %", part * 100.0);
    vec![
        assumption(
            "claims per packet",
            format!("{}", demand.claims_per_packet),
            "over the day; a merchant's normal packet has one receiver",
        ),
        assumption(
            "sends per claim at the peak",
            format!("{}", demand.sends_per_claim),
            "the original published 2.4 million sent and 6.2 million opened in one minute of 2016",
        ),
        assumption("headroom", percent(demand.headroom), "the original keeps a third spare"),
        assumption(
            "largest merchant",
            format!("{:.1} %", demand.hot_share * 100.0),
            "of all load; a merchant is never divided among shards",
        ),
        assumption(
            "other merchants",
            format!("Zipf {}", demand.zipf),
            "placed by expected load, the largest by hand",
        ),
        assumption(
            "lanes of a server",
            format!("{}", plan.machines.shards_per_server),
            "one for each measured machine's cores; that their disks do not meet was not measured",
        ),
        assumption(
            "HTTP by cores",
            "in proportion".to_owned(),
            "measured on few cores, load generator included; not measured on many",
        ),
        assumption("disks", percent(DISK_FULL), "full at most"),
        assumption(
            "old packets",
            format!("{} days", demand.retention_days),
            "then they move to slow disks; nothing in the product moves them yet",
        ),
        assumption(
            "messages and history",
            "not at the peak".to_owned(),
            "they follow the journal and may lag; their bytes are counted, their time is not",
        ),
        assumption("refunds", "not at the peak".to_owned(), "swept a day after the send"),
        assumption(
            "network",
            "1,200 B outside, 1,500 B inside".to_owned(),
            "a command both ways; copies get the log on top",
        ),
    ]
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (demand, load) = (&self.demand, &self.load);
        writeln!(
            f,
            "{} claims/s at the peak and {} packets a day on {}: {}",
            rate(demand.peak),
            count(demand.packets_per_day),
            demand.store.name(),
            if self.fits { "one installation" } else { "NOT one installation" },
        )?;
        self.warnings.iter().try_for_each(|warning| writeln!(f, "  ! {warning}"))?;
        writeln!(f, "\nload")?;
        row(
            f,
            "commands at the peak",
            &format!("{}/s", rate(load.peak_commands)),
            "claims and sends",
        )?;
        row(f, "commands on average", &format!("{}/s", rate(load.mean_commands)), "over a day")?;
        row(f, "commands of one lane", &format!("{}/s", rate(load.lane_commands)), "in this mix")?;
        row(f, "largest merchant", &format!("{}/s", rate(load.hot_commands)), "at the peak")?;
        let busy = |part: f64| format!("{:.0} %", part * 100.0);
        row(f, "fullest shard", &busy(load.fullest_busy), "busy at the peak")?;
        row(f, "average shard", &busy(load.mean_busy), "busy over the day")?;
        self.fmt_machines(f)?;
        writeln!(f, "\ntaken for granted")?;
        for Assumption { what, value, why } in &self.assumptions {
            row(f, what, value, why)?;
        }
        Ok(())
    }
}

impl Plan {
    fn fmt_machines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machines, flows) = (&self.machines, &self.flows);
        let whole = |value: u64| rate(num::float(value));
        writeln!(f, "\nmachines")?;
        row(f, "shards", &whole(machines.shards), "each with a lane of its own")?;
        let why = format!(
            "{} cores, {} shards each, {} copies",
            self.demand.cores_per_server, machines.shards_per_server, self.demand.replication
        );
        row(f, "store servers", &whole(machines.store_servers), &why)?;
        let why = format!("{} cores, headroom included", whole(machines.http_cores));
        row(f, "HTTP servers", &whole(machines.http_servers), &why)?;
        writeln!(f, "\ndisks, log and network")?;
        row(f, "a day adds", &size(flows.day_bytes), "one copy")?;
        row(f, "all disks", &size(flows.disk_bytes), "retention, copies and free space")?;
        row(f, "of a store server", &size(flows.server_disk_bytes), "")?;
        let speed = |bytes: f64| format!("{}/s", size(bytes));
        row(f, "log", &speed(flows.log_bytes), "at the peak, one copy")?;
        row(f, "log of a shard", &speed(flows.shard_log_bytes), "at the peak")?;
        row(f, "network outside", &speed(flows.outside_bytes), "users, both ways, at the peak")?;
        row(f, "network inside", &speed(flows.inside_bytes), "servers, stores and copies")
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, value: &str, why: &str) -> fmt::Result {
    let line = format!("  {what:<28} {value:>14}   {why}");
    writeln!(f, "{}", line.trim_end())
}

/// A whole number with commas.
fn rate(value: f64) -> String {
    let digits = num::whole(value).to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A large number in words.
fn count(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{:.1} billion", value / 1e9),
        value if value >= 1e6 => format!("{:.1} million", value / 1e6),
        value => rate(value),
    }
}

/// Bytes with a unit, in powers of ten as disks and networks are sold.
fn size(bytes: f64) -> String {
    let units = [(1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let unit = units.into_iter().find(|(scale, _)| bytes >= *scale);
    let (scale, unit) = unit.unwrap_or((1.0, "B"));
    format!("{:.1} {unit}", bytes / scale)
}

#[cfg(test)]
mod tests {
    use super::{count, rate, size};

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([rate(7.4), rate(1_234.0), rate(760_000.0)], ["7", "1,234", "760,000"]);
        assert_eq!([count(14.2e9), count(2e6), count(12.0)], ["14.2 billion", "2.0 million", "12"]);
        assert_eq!([size(12.0), size(1_500.0), size(2.5e15)], ["12.0 B", "1.5 kB", "2.5 PB"]);
    }
}
