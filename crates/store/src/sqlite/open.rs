//! Opening: what must hold before the first command is taken.
//!
//! | checked | because |
//! | --- | --- |
//! | SQLite ≥ 3.51.3 | older ones can corrupt a WAL when it is reset |
//! | modes 0600 and 0700 | the file holds everybody's money and names |
//! | the lock file | one server process owns a database |
//! | journal mode, synchronous | an answer given must survive a power cut |
//! | schema version and fingerprint | a constraint that somebody dropped protects nobody |

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{files, schema};

/// The first version without the WAL-reset bug of 3.7.0 to 3.51.2.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// Only checkpoints and a `verify` beside the server ever hold a lock that another wants.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// What a claim costs is the pages it dirties, each written into the log and into the database: this is
/// a block of most disks. With half of it claims were a tenth slower, twice as much wrote half as many
/// bytes again.
const PAGE_BYTES: i32 = 4_096;
/// The most memory that the writer's page cache takes. A full batch of claims, scattered over ten
/// million packets and a million users, dirties some 10,000 pages, and a page that does not
/// fit is written twice. More is not better: below 1 GiB of database SQLite walks through the
/// whole cache after a commit that split a page.
const WRITER_CACHE_KIB: i32 = 131_072;
/// A reader's page cache: the few pages that its queries share.
const READER_CACHE_KIB: i32 = 8_192;
/// Statements kept prepared: all of this store's fit.
const STATEMENTS: usize = 96;
/// Once the WAL is reset it is cut to this many bytes, so that one long read does not leave a
/// large file for ever. More than it grows to without such a read: what is cut has to be made
/// anew.
const WAL_BYTES_KEPT: i64 = 640 * 1024 * 1024;

/// Why a database cannot be opened. Says what, why and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no database.
    #[error("there is no database at {path}: make one with `hongbao migrate`", path = .path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another server process has it.
    #[error(
        "the database {path} is open in another server process, and two would not see each \
         other's decisions: stop that one first, or give this one a database of its own",
        path = .path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// Others than the owner can read it.
    #[error(
        "{path} can be opened by other users of this machine (mode {mode:04o}): \
         run `chmod {wanted} {path}`",
        path = .path.display()
    )]
    Mode {
        /// The file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it should have.
        wanted: &'static str,
    },
    /// SQLite itself is too old.
    #[error(
        "SQLite {found} can damage a database when it resets its log: 3.51.3 or newer is needed"
    )]
    SqliteTooOld {
        /// The version that is linked.
        found: &'static str,
    },
    /// A setting is not what durability needs.
    #[error(
        "{setting} is {found:?}, and only {wanted:?} keeps what was answered: another program changed it"
    )]
    Setting {
        /// The pragma.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The value it must have.
        wanted: &'static str,
    },
    /// The schema is older than this program.
    #[error(
        "the database has schema {found} and this program needs {needed}: run `hongbao migrate`"
    )]
    SchemaTooOld {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        needed: i64,
    },
    /// The schema is newer than this program.
    #[error(
        "the database has schema {found}, newer than this program's {needed}: run a newer `hongbao`"
    )]
    SchemaTooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        needed: i64,
    },
    /// The schema is not what the migrations made.
    #[error("the schema was changed by hand, so its constraints protect nobody: {0}")]
    SchemaChanged(String),
    /// A move into it has not ended.
    #[error(
        "a move into this store has not ended, and half a store must not be served: run the same \
         `hongbao move` again, or remove it and move from the start"
    )]
    Moving,
    /// It was moved away.
    #[error(
        "this store was moved to {to}, and two stores that go on from one moment cannot be put \
         together: serve that one. If that one was never served, `hongbao move --undo` with the \
         --from and --to of the move takes it back"
    )]
    Moved {
        /// Where to.
        to: String,
    },
    /// A migration failed; it left nothing.
    #[error("a migration failed and left nothing: {0}")]
    Migration(String),
    /// A file could not be reached.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// SQLite could not open it.
    #[error("the database could not be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl OpenError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.into(), error }
    }
}

/// Makes the database if it is missing and brings its schema up to this program's.
pub(super) fn migrate(path: &Path) -> Result<(), OpenError> {
    check_version()?;
    files::create(path)?;
    files::check_modes(path)?;
    let _lock = files::Lock::take(path)?;
    let mut connection = Connection::open_with_flags(path, writing())?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Only of a new database; one that is there keeps what it has.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    set(&connection, "journal_mode", "wal")?;
    set(&connection, "synchronous", "full")?;
    schema::migrate(&mut connection)
}

/// The connection that writes, checked.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    check_version()?;
    let connection = Connection::open_with_flags(path, writing())?;
    prepare(&connection, WRITER_CACHE_KIB)?;
    set(&connection, "synchronous", "full")?;
    // Copying the log is a step of its own, so that a failed one is seen (see `checkpoint`).
    set(&connection, "wal_autocheckpoint", "0")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    check_settings(&connection)?;
    expect_setting(&connection, "synchronous", "2")?;
    schema::check(&connection)?;
    Ok(connection)
}

/// A connection that fills a store before it opens for anybody else.
pub(super) fn mover(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, writing())?;
    prepare(&connection, WRITER_CACHE_KIB)?;
    set(&connection, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    Ok(connection)
}

/// A connection that copies the log and does nothing else.
pub(super) fn copier(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, writing())?;
    prepare(&connection, READER_CACHE_KIB)?;
    set(&connection, "synchronous", "full")?;
    set(&connection, "wal_autocheckpoint", "0")?;
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, READER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that checks everything and changes nothing. SQLite leaves `CHECK` constraints out
/// of `integrity_check` on a file that it opened for reading only, so this one is opened for
/// writing and then forbidden to.
pub(super) fn auditor(path: &Path) -> Result<Connection, OpenError> {
    let Ok(connection) = Connection::open_with_flags(path, writing()) else {
        return reader(path);
    };
    prepare(&connection, READER_CACHE_KIB)?;
    set(&connection, "query_only", "on")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// Settings that stand in the file.
pub(super) fn check_settings(connection: &Connection) -> Result<(), OpenError> {
    expect_setting(connection, "journal_mode", "wal")?;
    expect_setting(connection, "mmap_size", "0")
}

/// Refuses a SQLite that can lose data.
pub(super) fn check_version() -> Result<(), OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { found: rusqlite::version() });
    }
    Ok(())
}

/// Flags of a connection that writes.
pub(super) fn writing() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn prepare(connection: &Connection, cache_kib: i32) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise a statement that a partial index may serve is compiled anew for every value bound
    // to it, which took a quarter of a small batch's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    set(connection, "mmap_size", "0")?;
    set(connection, "temp_store", "memory")
}

fn set(connection: &Connection, setting: &str, value: &str) -> Result<(), OpenError> {
    Ok(connection.pragma_update(None, setting, value)?)
}

fn expect_setting(
    connection: &Connection,
    setting: &'static str,
    wanted: &'static str,
) -> Result<(), OpenError> {
    let value: rusqlite::types::Value =
        connection.pragma_query_value(None, setting, |row| row.get(0))?;
    let found = match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => format!("{other:?}"),
    };
    if found == wanted {
        return Ok(());
    }
    Err(OpenError::Setting { setting, found, wanted })
}
