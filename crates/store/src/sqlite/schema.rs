//! The schema: bringing it up to date, and telling whether it still is what the migrations made.

use std::{collections::BTreeMap, fmt::Write as _};

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::open::OpenError;

mod embedded {
    //! Migrations compiled in, `V<number>__<what>.sql`.
    refinery::embed_migrations!("migrations/sqlite");
}

/// Brings the schema up to date, each migration in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    // refinery would only say "missing migration" here.
    let found = version(connection)?;
    let needed = newest();
    if found > needed {
        return Err(OpenError::SchemaTooNew { found, needed });
    }
    embedded::migrations::runner()
        .run(connection)
        .map(|_report| ())
        .map_err(|error| OpenError::Migration(error.to_string()))
}

/// Refuses a schema that is not exactly this program's, a store that a move has not filled, and one
/// that was moved away.
pub(super) fn check(connection: &Connection) -> Result<(), OpenError> {
    refuse_half(connection)?;
    if let Some(to) = moved_to(connection)? {
        return Err(OpenError::Moved { to });
    }
    check_made(connection)
}

/// Where the store was moved to: the mark that a move leaves on its source.
pub(super) fn moved_to(connection: &Connection) -> Result<Option<String>, OpenError> {
    if !connection.table_exists(None, "moved")? {
        return Ok(None);
    }
    let mut mark = connection.prepare("SELECT coalesce(max(target), '') FROM moved")?;
    Ok(Some(mark.query_row((), |row| row.get(0))?))
}

/// Refuses a store that a move has not filled.
pub(super) fn refuse_half(connection: &Connection) -> Result<(), OpenError> {
    if mark(connection)?.is_some() { Err(OpenError::Moving) } else { Ok(()) }
}

/// The mark of a move into this store that has not ended.
pub(super) fn mark(connection: &Connection) -> Result<Option<String>, OpenError> {
    if !connection.table_exists(None, "moving")? {
        return Ok(None);
    }
    let mut mark = connection.prepare("SELECT coalesce(max(source), '') FROM moving")?;
    Ok(Some(mark.query_row((), |row| row.get(0))?))
}

/// Refuses a schema that is not exactly this program's.
pub(super) fn check_made(connection: &Connection) -> Result<(), OpenError> {
    let (found, needed) = (version(connection)?, newest());
    if found > needed {
        return Err(OpenError::SchemaTooNew { found, needed });
    }
    if found < needed {
        return Err(OpenError::SchemaTooOld { found, needed });
    }
    match differences(connection)?.first() {
        None => Ok(()),
        Some(difference) => Err(OpenError::SchemaChanged(difference.clone())),
    }
}

/// What stands in the database and not in the migrations, or the other way round: one sentence
/// each.
pub(super) fn differences(connection: &Connection) -> Result<Vec<String>, OpenError> {
    let mut model = Connection::open_in_memory()?;
    migrate(&mut model)?;
    let (wanted, found) = (objects(&model)?, objects(connection)?);
    if fingerprint(&wanted) == fingerprint(&found) {
        return Ok(Vec::new());
    }
    let missing = wanted.iter().filter_map(|(name, sql)| match found.get(name) {
        None => Some(format!("{name} is missing")),
        Some(other) if other != sql => Some(format!("{name} was altered")),
        Some(_) => None,
    });
    let added = found
        .keys()
        .filter(|name| !wanted.contains_key(*name))
        .map(|name| format!("{name} was added"));
    Ok(missing.chain(added).collect())
}

/// SHA-256 over the normalized schema, lower-case hex.
fn fingerprint(objects: &BTreeMap<String, String>) -> String {
    let mut sha = Sha256::new();
    for (name, sql) in objects {
        sha.update(name);
        sha.update([0]);
        sha.update(sql);
        sha.update([0]);
    }
    let digest: [u8; 32] = sha.finalize().into();
    hongbao_domain::ids::Hex(&digest).to_string()
}

/// Every object with its text, blanks and case of no account. The marks of a move are looked for by
/// themselves.
fn objects(connection: &Connection) -> Result<BTreeMap<String, String>, OpenError> {
    let mut statement = connection.prepare(
        "SELECT type || ' ' || name, sql
         FROM sqlite_schema
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             AND name NOT IN ('moving', 'moved')",
    )?;
    let rows = statement.query_map((), |row| {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((name, normalized(&sql)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn normalized(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    for line in sql.lines() {
        let code = line.split_once("--").map_or(line, |(code, _comment)| code);
        for word in code.split_whitespace() {
            // Writing to a String cannot fail.
            write!(text, "{} ", word.to_ascii_lowercase()).unwrap_or_default();
        }
    }
    text
}

/// The newest migration that was applied; 0 before the first.
pub(super) fn version(connection: &Connection) -> Result<i64, OpenError> {
    if !connection.table_exists(None, "refinery_schema_history")? {
        return Ok(0);
    }
    let version = connection.query_row(
        "SELECT coalesce(max(version), 0) FROM refinery_schema_history",
        (),
        |row| row.get(0),
    )?;
    Ok(version)
}

/// The newest migration of this program.
pub(super) fn newest() -> i64 {
    let versions = embedded::migrations::runner();
    let versions = versions.get_migrations().iter();
    versions.map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}
