//! What a check of the books found, one line per invariant.

use std::{collections::BTreeMap, fmt};

/// The invariants by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Invariant(u8);

/// What each invariant says, and why it may not have been looked at.
const CATALOGUE: [(u8, &str, Option<&str>); 32] = [
    (1, "every transfer moves one amount between two accounts", None),
    (2, "all accounts, the outside world included, add up to nothing", None),
    (3, "every balance is the sum of its entries, numbered without a gap", None),
    (4, "no account but the outside world was ever below zero", None),
    (5, "recharged less withdrawn = available + escrow + claimed, per merchant", None),
    (6, "packet total = escrow + claimed + refunded", None),
    (7, "wallet = what came in less what went out", None),
    (8, "no account takes a fee", None),
    (9, "no share and no user has two claims; a normal packet is its receiver's", None),
    (10, "shares of a group add up, stay in bounds and follow from the seed", None),
    (11, "amounts lay in the range in force", Some("ranges in force are not stored")),
    (12, "one order number, one packet", None),
    (13, "every packet was funded exactly once", None),
    (14, "refunds are whole, single, and never early; no claim follows one", None),
    (
        15,
        "nothing stays in escrow ten minutes after its end",
        Some("the server was not up: use --up"),
    ),
    (16, "no daily limit was ever above its cap, event by event", None),
    (17, "every event counts on the day of its decision time", None),
    (18, "journals have no gap, and every hash follows from the one before", None),
    (19, "what was acknowledged is stored", Some("clients know: see the kill tests")),
    (20, "what is stored was asked for", None),
    (21, "packets moved along allowed states only", None),
    (22, "every event was handed on, or waits to be", None),
    (23, "batch lines add up", Some("no batches yet")),
    (24, "answers never go backwards", Some("clients know: see the API tests")),
    (25, "nobody sees another merchant", Some("see the API tests")),
    (26, "every protected change has its record", Some("see the API tests")),
    (
        27,
        "a provider sent under an active authorization",
        Some("decided under locks; see the tables of decisions"),
    ),
    (28, "one reference, one movement", None),
    (29, "every counter equals the events it counts", None),
    (30, "no secret in logs or errors", Some("see the secret scan")),
    (31, "refused sends moved nothing", None),
    (32, "nothing is in transit between shards", Some("one shard")),
];

impl Invariant {
    /// `I-<number>`.
    pub const fn number(number: u8) -> Self {
        Self(number)
    }

    /// Every invariant.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGUE.into_iter().map(|(number, _, _)| Self(number))
    }

    fn entry(self) -> (&'static str, Option<&'static str>) {
        let found = CATALOGUE.into_iter().find(|(number, _, _)| *number == self.0);
        found.map_or(("unknown", None), |(_, says, unseen)| (says, unseen))
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I-{:02}", self.0)
    }
}

/// One invariant's result.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// How many rows or sums were held against it.
    pub checked: u64,
    /// How many broke it.
    pub broken: u64,
    /// The first few that broke it, one sentence each.
    pub examples: Vec<String>,
    /// How it was looked at, where that is not the same for every store.
    pub how: Option<String>,
}

/// Examples kept per invariant: enough to see a pattern, few enough to read.
const EXAMPLES_MAX: usize = 5;

/// Every invariant's result.
#[derive(Clone, Debug, Default)]
pub struct Report {
    lines: BTreeMap<Invariant, Line>,
    unexplained_fen: i128,
}

impl Report {
    /// Holds `holds` against an invariant; `example` says what broke it.
    pub fn check(&mut self, number: u8, holds: bool, example: impl FnOnce() -> String) {
        let line = self.lines.entry(Invariant(number)).or_default();
        line.checked = line.checked.saturating_add(1);
        if !holds {
            line.broken = line.broken.saturating_add(1);
            if line.examples.len() < EXAMPLES_MAX {
                line.examples.push(example());
            }
        }
    }

    /// Notes that an invariant was looked at, also where no row had to be held against it.
    pub fn looked_at(&mut self, number: u8) {
        self.lines.entry(Invariant(number)).or_default();
    }

    /// Notes that an invariant held for so many, and how that is known.
    pub fn vouched(&mut self, number: u8, checked: u64, how: String) {
        let line = self.lines.entry(Invariant(number)).or_default();
        line.checked = line.checked.saturating_add(checked);
        line.how = Some(how);
    }

    /// Takes in another report.
    pub fn merge(&mut self, other: Self) {
        self.unexplained_fen = self.unexplained_fen.saturating_add(other.unexplained_fen);
        for (invariant, theirs) in other.lines {
            let line = self.lines.entry(invariant).or_default();
            line.checked = line.checked.saturating_add(theirs.checked);
            line.broken = line.broken.saturating_add(theirs.broken);
            let room = EXAMPLES_MAX.saturating_sub(line.examples.len());
            line.examples.extend(theirs.examples.into_iter().take(room));
            line.how = theirs.how.or_else(|| line.how.take());
        }
    }

    /// Notes what all accounts add up to, which should be nothing.
    pub(super) const fn adds_up_to(&mut self, fen: i128) {
        self.unexplained_fen = fen;
    }

    /// Fen that all accounts, the outside world included, add up to: zero, or money that came from
    /// nowhere (above) or went nowhere (below).
    pub const fn unexplained_fen(&self) -> i128 {
        self.unexplained_fen
    }

    /// True when nothing broke.
    pub fn clean(&self) -> bool {
        self.broken().next().is_none()
    }

    /// The invariants that are broken.
    pub fn broken(&self) -> impl Iterator<Item = Invariant> {
        self.lines.iter().filter(|(_, line)| line.broken > 0).map(|(invariant, _)| *invariant)
    }

    /// The result of one invariant.
    pub fn line(&self, invariant: Invariant) -> Line {
        self.lines.get(&invariant).cloned().unwrap_or_default()
    }
}

/// One line per invariant, and one more per example.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for invariant in Invariant::all() {
            let (says, unseen) = invariant.entry();
            let unseen = unseen.filter(|_| !self.lines.contains_key(&invariant));
            let line = self.line(invariant);
            let verdict = match (line.broken, unseen) {
                (_, Some(_)) => "n/a ",
                (0, None) => "ok  ",
                _ => "FAIL",
            };
            write!(f, "{invariant} {verdict} {says}")?;
            match (unseen, &line.how) {
                (Some(why), _) => writeln!(f, " ({why})")?,
                (None, None) => writeln!(f, " ({} checked, {} broken)", line.checked, line.broken)?,
                (None, Some(how)) => {
                    writeln!(f, " ({} checked, {} broken; {how})", line.checked, line.broken)?;
                }
            }
            for example in line.examples {
                writeln!(f, "       {example}")?;
            }
        }
        Ok(())
    }
}
