//! What one machine was measured to do.
//!
//! Figures come from the JSON that `hongbao bench` writes. Where it has none, built-in ones stand
//! in, and every figure carries where it comes from, so that a plan can say so.

use serde::{Deserialize, Serialize};

/// Where figures lie in the JSON of `hongbao bench`: the one place that knows their names. A figure
/// with a `*` is the median over all rounds.
pub mod names {
    /// Durable claims a second of the SQLite engine, in full batches.
    pub const SQLITE_CLAIMS: &str = "/sqlite/rounds/*/engine_claims";
    /// Durable sends a second of one merchant.
    pub const SQLITE_SENDS: &str = "/sqlite/rounds/*/engine_sends";
    /// Sends a second of one merchant at full load beside a thousand others.
    pub const SQLITE_BESIDE_OTHERS: &str = "/sqlite/neighbours/*/busy_sends";
    /// Claims a second with one transaction each.
    pub const SQLITE_SINGLE: &str = "/sqlite/rounds/*/single_claims";
    /// Claims a second over HTTP, load generator on the same machine.
    pub const HTTP_CLAIMS: &str = "/sqlite/rounds/*/http_claims";
    /// Claims a second in the larger store.
    pub const SQLITE_LARGE: &str = "/sqlite/sizes/*/large";
    /// The same on PostgreSQL.
    pub const POSTGRES_LARGE: &str = "/postgres/sizes/*/large";
    /// Durable claims a second of the PostgreSQL engine, in full batches.
    pub const POSTGRES_CLAIMS: &str = "/postgres/rounds/*/engine_claims";
    /// Durable sends a second of one merchant on PostgreSQL.
    pub const POSTGRES_SENDS: &str = "/postgres/rounds/*/engine_sends";
    /// Sends a second of one merchant at full load beside a thousand others on PostgreSQL.
    pub const POSTGRES_BESIDE_OTHERS: &str = "/postgres/neighbours/*/busy_sends";
    /// Claims a second on PostgreSQL with one transaction each.
    pub const POSTGRES_SINGLE: &str = "/postgres/rounds/*/single_claims";
    /// Bytes of write-ahead log that a claim costs PostgreSQL.
    pub const POSTGRES_WAL: &str = "/postgres/rounds/*/wal_bytes_per_claim";
    /// Durable claims a second of one Citus worker, claims crossing shards.
    pub const CITUS_CLAIMS: &str = "/citus/engine_claims_per_s";
    /// Durable sends a second of one Citus worker.
    pub const CITUS_SENDS: &str = "/citus/engine_sends_per_s";
    /// Claims a second on Citus with one transaction each.
    pub const CITUS_SINGLE: &str = "/citus/single_claims_per_s";
    /// Batch sizes and their seconds, as `hongbao bench --validate-simulator` measures them.
    pub const BATCH_POINTS: &str = "/simulator/batch_points";
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Measured by `hongbao bench`, in the file that was given.
    File,
    /// Measured by `hongbao bench` on the machine of docs/BENCHMARKS.md, and built in.
    BuiltIn,
    /// Nobody measured it: assumed, for the reason that stands beside it.
    Assumed,
}

/// A figure and its provenance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// A second, or bytes.
    pub value: f64,
    /// Where it comes from.
    pub source: Source,
    /// The same in words.
    pub note: String,
}

impl Figure {
    /// A figure nobody measured.
    pub fn assumed(value: f64, note: &str) -> Self {
        Self { value, source: Source::Assumed, note: note.to_owned() }
    }
}

/// The rates of an engine, each a second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Engine {
    /// Claims in full batches.
    pub claims: Figure,
    /// Sends of one merchant in full batches, alone in its lane.
    pub sends: Figure,
    /// Sends of one merchant at full load beside others, whose waits it must not make long.
    pub beside_others: Figure,
    /// Claims with one transaction each: what is fixed about a batch.
    pub single: Figure,
}

/// Everything that is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// One SQLite store: one writer, two cores.
    pub sqlite: Engine,
    /// One PostgreSQL primary.
    pub postgres: Engine,
    /// One Citus worker, with claims whose wallets lie on others.
    pub citus: Engine,
    /// Claims over HTTP on the whole measuring machine.
    pub http_claims: Figure,
    /// Bytes of PostgreSQL's log a claim, where measured.
    pub postgres_wal: Option<Figure>,
    /// Times of batches by size, where measured: commands, seconds.
    pub batch_points: Vec<(u32, f64)>,
}

/// Why a file of figures was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but not of `hongbao bench`.
    #[error(
        "no figure at {0}: it is written by `hongbao bench --parts rates`, which measures SQLite"
    )]
    Missing(&'static str),
    /// A figure that is no rate.
    #[error("{name} is {value}, and must be above zero")]
    NotPositive {
        /// Where it lies.
        name: &'static str,
        /// What stands there.
        value: f64,
    },
}

const RUN: &str = "whole run of `make bench`, 2 cores, 27 November 2026";
const NO_CITUS: &str = "missing; half of PostgreSQL: a claim's wallet lies on another worker, so a \
                        batch prepares and commits on two";

/// What a worker of Citus keeps of a PostgreSQL's rate, unless measured.
const CITUS_PART: f64 = 0.5;
/// Batches of one a second over a network with a prepared commit: three trips of 0.5 ms and two
/// flushes of 0.5 ms are 2.5 ms.
const CITUS_SINGLE: f64 = 400.0;

/// Batch sizes and their seconds on the SQLite store, of docs/SCALE.md: 2 cores, 27 November 2026,
/// one million packets, open loads.
const BATCH_POINTS: [(u32, f64); 13] = [
    (1, 0.000_362),
    (2, 0.000_517),
    (5, 0.000_902),
    (10, 0.001_4),
    (21, 0.002_29),
    (46, 0.004_25),
    (90, 0.007_71),
    (178, 0.013_4),
    (352, 0.026_5),
    (682, 0.049_1),
    (1_513, 0.084_7),
    (3_394, 0.167),
    (10_664, 0.4),
];

impl Figures {
    /// The figures of one whole `make bench`, so that they belong together; docs/BENCHMARKS.md has newer
    /// ones of some parts.
    pub fn built_in() -> Self {
        let figure = |value| Figure { value, source: Source::BuiltIn, note: RUN.to_owned() };
        // The store of ten million packets is nearer to a real shard than the one of a million.
        let large =
            |value| Figure { note: format!("store of 10 million packets; {RUN}"), ..figure(value) };
        let sqlite = Engine {
            claims: large(17_514.0),
            sends: figure(29_809.0),
            beside_others: figure(11_129.0),
            single: figure(4_465.0),
        };
        let postgres = Engine {
            claims: large(11_102.0),
            sends: figure(17_909.0),
            beside_others: figure(4_448.0),
            single: figure(519.0),
        };
        let citus = halved(&postgres);
        Self {
            sqlite,
            postgres,
            citus,
            http_claims: figure(9_746.0),
            postgres_wal: None,
            batch_points: BATCH_POINTS.to_vec(),
        }
    }

    /// Figures of a JSON that `hongbao bench` wrote, called `name`; what it has not stays built in
    /// or assumed.
    pub fn read(json: &str, name: &str) -> Result<Self, FiguresError> {
        let json: serde_json::Value = serde_json::from_str(json)?;
        let read = Reader { json, name };
        let mut figures = Self::built_in();
        // The larger store is nearer to a real shard, so it counts where sizes were compared.
        let sqlite = &mut figures.sqlite;
        sqlite.claims = match read.optional(names::SQLITE_LARGE)? {
            Some(figure) => figure,
            None => read.required(names::SQLITE_CLAIMS)?,
        };
        sqlite.sends = read.required(names::SQLITE_SENDS)?;
        read.replace(&mut sqlite.beside_others, names::SQLITE_BESIDE_OTHERS)?;
        sqlite.single = read.required(names::SQLITE_SINGLE)?;
        figures.http_claims = read.required(names::HTTP_CLAIMS)?;
        let postgres = &mut figures.postgres;
        read.replace(&mut postgres.claims, names::POSTGRES_CLAIMS)?;
        read.replace(&mut postgres.claims, names::POSTGRES_LARGE)?;
        read.replace(&mut postgres.sends, names::POSTGRES_SENDS)?;
        read.replace(&mut postgres.beside_others, names::POSTGRES_BESIDE_OTHERS)?;
        read.replace(&mut postgres.single, names::POSTGRES_SINGLE)?;
        figures.citus = halved(postgres);
        read.replace(&mut figures.citus.claims, names::CITUS_CLAIMS)?;
        read.replace(&mut figures.citus.sends, names::CITUS_SENDS)?;
        read.replace(&mut figures.citus.single, names::CITUS_SINGLE)?;
        figures.postgres_wal = read.optional(names::POSTGRES_WAL)?;
        if let Some(points) = read.json.pointer(names::BATCH_POINTS) {
            figures.batch_points = Vec::deserialize(points)?;
        }
        Ok(figures)
    }
}

fn halved(postgres: &Engine) -> Engine {
    let half = |figure: &Figure| Figure::assumed(figure.value * CITUS_PART, NO_CITUS);
    Engine {
        claims: half(&postgres.claims),
        sends: half(&postgres.sends),
        beside_others: half(&postgres.beside_others),
        single: Figure::assumed(
            CITUS_SINGLE,
            "missing; three trips of 0.5 ms and two flushes of 0.5 ms",
        ),
    }
}

struct Reader<'n> {
    json: serde_json::Value,
    name: &'n str,
}

impl Reader<'_> {
    fn required(&self, name: &'static str) -> Result<Figure, FiguresError> {
        self.optional(name)?.ok_or(FiguresError::Missing(name))
    }

    fn replace(&self, figure: &mut Figure, name: &'static str) -> Result<(), FiguresError> {
        if let Some(found) = self.optional(name)? {
            *figure = found;
        }
        Ok(())
    }

    fn optional(&self, name: &'static str) -> Result<Option<Figure>, FiguresError> {
        let value = match name.split_once("/*") {
            Some((list, field)) => {
                let rows = self.json.pointer(list).and_then(serde_json::Value::as_array);
                median(rows.into_iter().flatten().filter_map(|row| row.pointer(field)?.as_f64()))
            }
            None => self.json.pointer(name).and_then(serde_json::Value::as_f64),
        };
        self.figure(value, name)
    }

    fn figure(
        &self,
        value: Option<f64>,
        name: &'static str,
    ) -> Result<Option<Figure>, FiguresError> {
        match value {
            Some(value) if value <= 0.0 => Err(FiguresError::NotPositive { name, value }),
            Some(value) => {
                let note = format!("{}: {name}", self.name);
                Ok(Some(Figure { value, source: Source::File, note }))
            }
            None => Ok(None),
        }
    }
}

/// The middle of `values`, or the mean of the two in the middle; `None` of none.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = |place: usize| values.get(place).copied();
    Some(f64::midpoint(middle(values.len().saturating_sub(1) / 2)?, middle(values.len() / 2)?))
}

#[cfg(test)]
mod tests {
    use super::{Figures, FiguresError, Source};

    const ROUND: &str = r#"{"engine_claims": 60000, "engine_sends": 80000, "single_claims": 4000,
                           "http_claims": 20000, "echo": 1, "fdatasync": 1}"#;

    /// Three rounds on SQLite, with more beside them and more behind.
    fn read(beside: &str, behind: &str) -> Result<Figures, FiguresError> {
        let faster = ROUND.replace("60000", "70000");
        let slower = ROUND.replace("60000", "50000");
        let rounds = format!("[{faster}, {ROUND}, {slower}]");
        Figures::read(&format!(r#"{{"sqlite": {{"rounds": {rounds}{beside}}}{behind}}}"#), "b.json")
    }

    #[test]
    fn rates_are_medians_of_the_rounds() {
        let figures = read("", "").unwrap();
        assert_eq!(
            (figures.sqlite.claims.value, figures.sqlite.claims.source),
            (60_000.0, Source::File)
        );
        assert_eq!(figures.postgres.claims.source, Figures::built_in().postgres.claims.source);
        assert!((figures.citus.claims.value * 2.0 - figures.postgres.claims.value).abs() < 1e-9);
    }

    #[test]
    fn the_larger_store_counts_where_sizes_were_compared() {
        let sizes = r#", "sizes": [{"small": 90000, "large": 41000}, {"small": 91000, "large": 43000},
                                  {"small": 1, "large": 42000}]"#;
        assert!((read(sizes, "").unwrap().sqlite.claims.value - 42_000.0).abs() < 1e-9);
    }

    #[test]
    fn postgres_and_citus_are_read_when_they_are_there() {
        let round = r#"{"engine_claims": 30000, "wal_bytes_per_claim": 900}"#;
        let figures = read(
            "",
            &format!(
                r#", "postgres": {{"rounds": [{round}]}},
                 "citus": {{"engine_sends_per_s": 9000}}, "simulator": {{"batch_points": [[1, 0.1]]}}"#
            ),
        )
        .unwrap();
        assert_eq!(figures.postgres.claims.source, Source::File);
        assert_eq!(figures.postgres_wal.map(|figure| figure.value), Some(900.0));
        assert_eq!((figures.citus.claims.value, figures.citus.sends.value), (15_000.0, 9_000.0));
        assert_eq!(figures.batch_points, [(1, 0.1)]);
    }

    #[test]
    fn what_is_no_benchmark_is_refused_with_the_reason() {
        let said = |text: &str| Figures::read(text, "x").unwrap_err().to_string();
        assert!(said("hello").starts_with("not JSON"));
        assert!(
            said("{}").contains("/sqlite/rounds/*/engine_sends")
                || said("{}").contains("engine_claims")
        );
        assert!(
            said(&format!(r#"{{"sqlite": {{"rounds": [{}]}}}}"#, ROUND.replace("60000", "0")))
                .contains("above zero")
        );
    }
}
