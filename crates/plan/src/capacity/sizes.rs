//! Bytes: of a packet, a claim and a user on disk, in the log and on the network.

use serde::Serialize;

use super::Store;

/// Bytes on disk, indexes and half-empty pages included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bytes {
    /// A packet that was sent: order, packet, its journal row, its line in the expiry index, and its
    /// message in an inbox.
    pub packet: f64,
    /// A claim: its journal row, what became of its packet, its line in a wallet's history, and what
    /// the day of a user costs where it is new.
    pub claim: f64,
    /// Of those, one journal row.
    pub journal_row: f64,
    /// A user: names, wallet, and their index.
    pub user: f64,
    /// Written to the log by a claim.
    pub log_claim: f64,
    /// Written to the log by a send.
    pub log_send: f64,
}

/// Where the bytes of SQLite come from.
pub const SQLITE_NOTE: &str = "measured with dbstat on a store of `hongbao bench` of 1,600,000 \
                               packets, 960,000 claims and 200,000 users; history lines and \
                               messages from the schema";
/// Where the bytes of PostgreSQL come from.
pub const POSTGRES_NOTE: &str = "from the schema: 28 bytes a row, 8 a number, texts as in the \
                                 benchmark, 16 and the key for each index, pages 80 % full";

/// Bytes of SQLite. Send: packet 236, journal 126, order 54, expiry 23, and a message of about 30.
/// Claim: journal 126, progress 28, user's day 23 the first time, and a history line of about 40. User:
/// names 91, their index 52, subject 22, wallet 19. Log: pages of 4 KiB, a third of one for a scattered
/// claim in a full batch, and a tenth of one for a send, whose rows lie together; told by what the
/// writer's thread wrote, 400,000 claims and as many sends. All of a packet with terms of its own: those
/// that share theirs with others of their batch are 158, but of many merchants each sends one in a batch.
const SQLITE: Bytes = Bytes {
    packet: 469.0,
    claim: 217.0,
    journal_row: 126.0,
    user: 184.0,
    log_claim: 1_200.0,
    log_send: 470.0,
};

/// A row of PostgreSQL: its numbers, the bytes of its texts, and for each index the bytes of a key.
struct Row {
    numbers: u32,
    texts: u32,
    keys: &'static [u32],
}

impl Row {
    /// Head of a row and its place in the page.
    const HEAD: u32 = 28;
    /// Head of an index line and its place in the page.
    const INDEX_HEAD: u32 = 16;

    fn bytes(&self) -> f64 {
        let row = Self::HEAD + 8 * self.numbers + self.texts;
        let index: u32 = self.keys.iter().map(|key| Self::INDEX_HEAD + key).sum();
        f64::from(row + index) / PAGES_FULL
    }
}

/// How full pages of tables and indexes are.
const PAGES_FULL: f64 = 0.8;

const ORDER: Row = Row { numbers: 3, texts: 29, keys: &[37] };
/// With terms of its own, as for SQLite.
const PACKET: Row = Row { numbers: 10, texts: 167, keys: &[16, 16] };
const PROGRESS: Row = Row { numbers: 6, texts: 0, keys: &[16] };
const JOURNAL: Row = Row { numbers: 19, texts: 33, keys: &[16] };
const MESSAGE: Row = Row { numbers: 5, texts: 0, keys: &[32] };
const HISTORY: Row = Row { numbers: 7, texts: 0, keys: &[16] };
const DAY: Row = Row { numbers: 6, texts: 0, keys: &[16] };
const USER: Row = Row { numbers: 5, texts: 70, keys: &[40, 30] };
const SUBJECT: Row = Row { numbers: 1, texts: 20, keys: &[20] };
const WALLET: Row = Row { numbers: 8, texts: 33, keys: &[8] };

/// Claims of which one makes a new row of a user's day: a user comes back to the same merchants.
const CLAIMS_PER_NEW_DAY: f64 = 2.0;
/// Bytes of log that every changed row adds to its own length, its index line included.
const LOG_HEAD: f64 = 80.0;
/// Pages of a claim that are written whole to the log, once after each checkpoint: the wallet's and
/// the day's, which lie anywhere. What becomes of packets lies together.
const WHOLE_PAGES: f64 = 2.0;
/// A page of 8 KiB with `wal_compression`.
const WHOLE_PAGE_BYTES: f64 = 8_192.0 * 0.4;

impl Bytes {
    /// Those of `store`.
    pub fn of(store: Store) -> Self {
        match store {
            Store::Sqlite => SQLITE,
            Store::Postgres | Store::Citus => postgres(),
        }
    }
}

fn postgres() -> Bytes {
    let sum = |rows: &[&Row]| rows.iter().map(|row| row.bytes()).sum::<f64>();
    let logged = |rows: &[&Row]| rows.iter().map(|row| row.bytes() + LOG_HEAD).sum::<f64>();
    Bytes {
        packet: sum(&[&ORDER, &PACKET, &JOURNAL, &MESSAGE]),
        claim: sum(&[&JOURNAL, &PROGRESS, &HISTORY]) + DAY.bytes() / CLAIMS_PER_NEW_DAY,
        journal_row: JOURNAL.bytes(),
        user: sum(&[&USER, &SUBJECT, &WALLET]),
        log_claim: logged(&[&JOURNAL, &PROGRESS, &WALLET, &DAY]) + WHOLE_PAGES * WHOLE_PAGE_BYTES,
        log_send: logged(&[&ORDER, &PACKET, &JOURNAL]),
    }
}

/// Bytes on the network of one command, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Wire {
    /// Between a user and the server: request with token, answer, heads, TLS.
    pub outside: f64,
    /// Between server and store; 0 where they are one process.
    pub inside: f64,
}

/// An opening is 500 bytes of request and 450 of answer on the wire, TLS and TCP heads 250.
const OUTSIDE: f64 = 1_200.0;
/// Rows loaded and rows written, as arrays.
const INSIDE: f64 = 1_500.0;

impl Wire {
    /// Those of `store`.
    pub const fn of(store: Store) -> Self {
        match store {
            Store::Sqlite => Self { outside: OUTSIDE, inside: 0.0 },
            Store::Postgres | Store::Citus => Self { outside: OUTSIDE, inside: INSIDE },
        }
    }
}
