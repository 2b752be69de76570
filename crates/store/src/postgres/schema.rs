//! The schema: bringing it up to date, and telling whether it still is what the migrations made.

use std::collections::BTreeSet;

use tokio_postgres::{Client, GenericClient};

use super::open::OpenError;
use crate::error::told;

mod embedded {
    //! Migrations compiled in, `V<number>__<what>.sql`.
    refinery::embed_migrations!("migrations/postgres");
}

/// What the migrations make, one line an object; a test keeps it in step.
const DESCRIPTION: &str = include_str!("../../migrations/postgres/schema.txt");

/// Any number that no other program takes: two servers that start at once migrate in turn.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(4716120247)";
const MIGRATION_UNLOCK: &str = "SELECT pg_advisory_unlock(4716120247)";

/// Everything that protects money: columns, constraints, indexes, triggers, functions, views'
/// columns. In words of the server's own, which are the same for all versions that are known. The
/// marks of a move are looked for by themselves.
const OBJECTS: &str = "
SELECT format('column %s.%s %s%s', relname, attname, format_type(atttypid, atttypmod),
              CASE WHEN attnotnull THEN ' not null' ELSE '' END)
FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
    AND attnum > 0 AND NOT attisdropped
    AND relname NOT IN
        ('refinery_schema_history', 'moving', 'moved', 'citus_tables', 'citus_schemas')
UNION ALL
SELECT format('constraint %s.%s %s', relname, conname, pg_get_constraintdef(pg_constraint.oid))
FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE relnamespace = current_schema()::regnamespace AND relname <> 'refinery_schema_history'
UNION ALL
SELECT format('index %s.%s %s%s', heap.relname, pg_class.relname,
              regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', ''),
              CASE WHEN indisunique THEN ' unique' ELSE '' END
                  || CASE WHEN indisvalid THEN '' ELSE ' invalid' END)
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
JOIN pg_class AS heap ON heap.oid = indrelid
WHERE heap.relnamespace = current_schema()::regnamespace
    AND heap.relname <> 'refinery_schema_history'
UNION ALL
SELECT format('trigger %s.%s type %s calls %s%s', relname, tgname, tgtype, proname,
              CASE tgenabled WHEN 'O' THEN '' ELSE ' disabled' END)
FROM pg_trigger
JOIN pg_class ON pg_class.oid = tgrelid
JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal
UNION ALL
SELECT format('function %s %s', proname, md5(prosrc))
FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace
    AND proname IN ('refuse_change', 'utc_text')
UNION ALL
SELECT format('sequence %s', relname)
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'
ORDER BY 1";

/// Brings the schema up to date, each migration in one transaction.
pub(super) async fn migrate(client: &mut Client) -> Result<(), OpenError> {
    client.batch_execute(MIGRATION_LOCK).await?;
    let migrated = migrate_locked(client).await;
    client.batch_execute(MIGRATION_UNLOCK).await?;
    migrated
}

async fn migrate_locked(client: &mut Client) -> Result<(), OpenError> {
    make_namespace(client).await?;
    // refinery would only say "missing migration" here.
    let (found, needed) = (version(client).await?, newest());
    if found > needed {
        return Err(OpenError::SchemaTooNew { found, needed });
    }
    let migrated = embedded::migrations::runner().run_async(client).await;
    migrated.map(|_report| ()).map_err(|error| OpenError::Migration(causes(&error)))
}

/// An error with its causes: the last one is the server's own sentence.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Makes the namespace that the URL names by `options=-c search_path=NAME`, if it is not there: so
/// several platforms can lie in one database.
async fn make_namespace(client: &Client) -> Result<(), OpenError> {
    let missing = "SELECT format('CREATE SCHEMA %I', current_setting('search_path'))
                   WHERE current_schema() IS NULL";
    match client.query_opt(missing, &[]).await? {
        Some(row) => Ok(client.batch_execute(row.try_get(0)?).await?),
        None => Ok(()),
    }
}

/// Refuses a schema that is not exactly this program's, a store that a move has not filled, and one
/// that was moved away.
pub(super) async fn check(client: &Client) -> Result<(), OpenError> {
    refuse_half(client).await?;
    refuse_moved(client).await?;
    check_made(client).await
}

/// Refuses a store that was moved away.
pub(super) async fn refuse_moved(client: &Client) -> Result<(), OpenError> {
    moved_to(client).await?.map_or(Ok(()), |to| Err(OpenError::Moved { to }))
}

/// Refuses a store that a move has not filled.
pub(super) async fn refuse_half(client: &Client) -> Result<(), OpenError> {
    if mark(client).await?.is_some() { Err(OpenError::Moving) } else { Ok(()) }
}

/// The mark of a move into this store that has not ended.
pub(super) async fn mark(client: &Client) -> Result<Option<String>, OpenError> {
    if !exists(client, "moving").await? {
        return Ok(None);
    }
    let row = client.query_one("SELECT coalesce(max(source), '') FROM moving", &[]).await?;
    Ok(Some(row.try_get(0)?))
}

/// Where the store was moved to: the mark that a move leaves on its source.
pub(super) async fn moved_to(client: &Client) -> Result<Option<String>, OpenError> {
    if !exists(client, "moved").await? {
        return Ok(None);
    }
    let row = client.query_one("SELECT coalesce(max(target), '') FROM moved", &[]).await?;
    Ok(Some(row.try_get(0)?))
}

async fn exists(client: &Client, table: &str) -> Result<bool, OpenError> {
    let there = "SELECT EXISTS (
        SELECT FROM pg_class
        WHERE relname = $1::text AND relnamespace = current_schema()::regnamespace
    )";
    Ok(client.query_one(there, &[&table]).await?.try_get(0)?)
}

/// Refuses a schema that is not exactly this program's.
pub(super) async fn check_made(client: &Client) -> Result<(), OpenError> {
    let (found, needed) = (version(client).await?, newest());
    if found > needed {
        return Err(OpenError::SchemaTooNew { found, needed });
    }
    if found < needed {
        return Err(OpenError::SchemaTooOld { found, needed });
    }
    match differences(client).await?.first() {
        None => Ok(()),
        Some(difference) => Err(OpenError::SchemaChanged(difference.clone())),
    }
}

/// What stands in the database and not in the migrations, or the other way round: one sentence
/// each.
pub(super) async fn differences(client: &Client) -> Result<Vec<String>, OpenError> {
    let found = description(client).await?;
    let wanted: BTreeSet<&str> = DESCRIPTION.lines().collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let missing = wanted.difference(&found).map(|line| format!("missing or altered: {line}"));
    let added = found.difference(&wanted).map(|line| format!("added: {line}"));
    Ok(missing.chain(added).collect())
}

/// Every object, one line each, in order.
pub(super) async fn description(client: &Client) -> Result<Vec<String>, OpenError> {
    let rows = client.query(OBJECTS, &[]).await?;
    rows.iter().map(|row| row.try_get(0).map_err(OpenError::from)).collect()
}

/// The newest migration that was applied; 0 before the first.
pub(super) async fn version(client: &impl GenericClient) -> Result<i64, OpenError> {
    let history = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
    if !client.query_one(history, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0)::bigint FROM refinery_schema_history";
    let row = client.query_one(newest, &[]).await;
    let row = row.map_err(|error| OpenError::Migration(told(&error)))?;
    Ok(row.try_get(0)?)
}

fn newest() -> i64 {
    let versions = embedded::migrations::runner();
    let versions = versions.get_migrations().iter();
    versions.map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}
