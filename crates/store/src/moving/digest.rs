//! What tables hold, in short: rows, bytes and a SHA-256 over every value of every row in the
//! order of the keys. The same on both databases, so it tells whether a source has changed between
//! two attempts, and whether everything has arrived.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{
    Stage, Step, Tell,
    cells::{Cell, Page, Table},
    ends::Reading,
    side::{Side, Sided},
};
use crate::moving::MoveError;

/// One table in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDigest {
    /// Its name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// How long all values are together; what a database adds is not in it.
    pub bytes: u64,
    /// SHA-256 over all values.
    pub sha256: String,
}

/// All tables in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// One table after the other.
    pub tables: Vec<TableDigest>,
}

impl Survey {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes of all tables.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }

    /// In what `found` is another than this: one sentence a table.
    pub(crate) fn differences(&self, found: &Self) -> Vec<String> {
        let pairs = self.tables.iter().zip(&found.tables).filter(|(one, other)| one != other);
        pairs.map(|(wanted, found)| wanted.difference(found)).collect()
    }
}

impl TableDigest {
    fn difference(&self, found: &Self) -> String {
        if self.rows == found.rows {
            return format!("table {}: the same {} rows, with other values", self.table, self.rows);
        }
        format!("table {}: {} rows, not {}", self.table, found.rows, self.rows)
    }
}

/// A line a table, as the mark of a move keeps it.
impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for TableDigest { table, rows, bytes, sha256 } in &self.tables {
            writeln!(f, "{table} {rows} {bytes} {sha256}")?;
        }
        Ok(())
    }
}

/// The mark of a move, read back; `None` when no move wrote it.
pub(crate) fn read_mark(mark: &str) -> Option<Survey> {
    let tables = mark.lines().map(|line| {
        let mut words = line.split(' ');
        let mut next = || words.next();
        Some(TableDigest {
            table: next()?.to_owned(),
            rows: next()?.parse().ok()?,
            bytes: next()?.parse().ok()?,
            sha256: next()?.to_owned(),
        })
    });
    Some(Survey { tables: tables.collect::<Option<_>>()? })
}

/// One pass over everything of a side.
pub(super) struct Pass<'p> {
    /// Which.
    pub(super) side: Side,
    /// What for.
    pub(super) stage: Stage,
    /// What it should hold, where that is known.
    pub(super) expected: Option<&'p Survey>,
    /// Whether texts may hold NUL, which PostgreSQL cannot keep.
    pub(super) nul: bool,
}

/// Reads everything of a side once.
pub(super) async fn survey(
    pass: Pass<'_>,
    reading: &mut dyn Reading,
    tables: &[Table],
    tell: &mut Tell<'_>,
) -> Result<Survey, MoveError> {
    let Pass { side, stage, expected, nul } = pass;
    let mut survey = Survey::default();
    for table in tables {
        let of_rows = expected.map_or(0, |expected| rows_of(expected, &table.name));
        let mut digest = Digest::of(table);
        let mut after = None;
        loop {
            let page = reading.page(table, after).await.at(side, &table.name)?;
            digest.take(&page);
            if !nul {
                refuse_nul(table, &page)?;
            }
            let step = Step {
                stage,
                table: &table.name,
                rows: digest.rows,
                of_rows,
                all_rows: survey.rows().saturating_add(digest.rows),
                of_all_rows: expected.map_or(0, Survey::rows),
            };
            super::go_on(tell(&step))?;
            if !page.is_full() {
                break;
            }
            after = page.last_key(table);
        }
        survey.tables.push(digest.finish());
    }
    Ok(survey)
}

/// Found before the first row is written, not behind the millionth.
fn refuse_nul(table: &Table, page: &Page) -> Result<(), MoveError> {
    let nul = |cell: &Cell| matches!(cell, Cell::Text(text) if text.contains('\0'));
    let Some(row) = page.rows().find(|row| row.iter().any(nul)) else {
        return Ok(());
    };
    let pairs = table.columns.iter().zip(row);
    let column = pairs.filter(|(_, cell)| nul(cell)).map(|(column, _)| column.clone()).next();
    let key = format!("{:?}", table.key_of(row));
    Err(MoveError::Nul { table: table.name.clone(), column: column.unwrap_or_default(), key })
}

/// How many rows a surveyed table has.
pub(super) fn rows_of(survey: &Survey, table: &str) -> u64 {
    let found = survey.tables.iter().find(|found| found.table == table);
    found.map_or(0, |found| found.rows)
}

struct Digest {
    table: String,
    rows: u64,
    bytes: u64,
    sha: Sha256,
}

impl Digest {
    fn of(table: &Table) -> Self {
        Self { table: table.name.clone(), rows: 0, bytes: 0, sha: Sha256::new() }
    }

    fn take(&mut self, page: &Page) {
        for row in page.rows() {
            self.rows = self.rows.saturating_add(1);
            for cell in row {
                self.cell(cell);
            }
        }
    }

    /// Kind, length where it varies, value: no two rows of a table look alike.
    fn cell(&mut self, cell: &Cell) {
        let long = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let bytes = match cell {
            Cell::Null => {
                self.sha.update([0]);
                return;
            }
            Cell::Int(number) => {
                self.sha.update([1]);
                self.sha.update(number.to_be_bytes());
                self.bytes = self.bytes.saturating_add(8);
                return;
            }
            Cell::Text(text) => {
                self.sha.update([2]);
                text.as_bytes()
            }
            Cell::Bytes(bytes) => {
                self.sha.update([3]);
                bytes.as_slice()
            }
        };
        self.sha.update(long(bytes.len()).to_be_bytes());
        self.sha.update(bytes);
        self.bytes = self.bytes.saturating_add(long(bytes.len()));
    }

    fn finish(self) -> TableDigest {
        let sha256: [u8; 32] = self.sha.finalize().into();
        let sha256 = hongbao_domain::ids::Hex(&sha256).to_string();
        TableDigest { table: self.table, rows: self.rows, bytes: self.bytes, sha256 }
    }
}
