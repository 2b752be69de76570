//! Distribution: the tables of one database over many machines, by the Citus extension.
//!
//! Every table that grows lies on the shard of its owner. Tables of the same kind of owner lie
//! together, so that what one merchant or one user has is on one machine, and joins of their tables
//! go nowhere else. Two small tables stay on the coordinator: `lane`, whose row then tells the
//! coordinator's own decision about a commit over several machines, and `job_lease`.

use hongbao_app::ports::Spread;
use tokio_postgres::Client;

use super::open::OpenError;
use crate::error::{Outcome, told};

/// Tables and their distribution columns, in the order in which they are distributed.
pub(super) const TABLES: [Table; 22] = [
    Table::first("merchant", "merchant_id"),
    Table::with("merchant", "merchant_book", "merchant_id"),
    Table::with("merchant", "certificate", "merchant_id"),
    Table::with("merchant", "provider_authorization", "provider_id"),
    Table::with("merchant", "change_record", "merchant_id"),
    Table::with("merchant", "merchant_journal", "merchant_id"),
    Table::with("merchant", "merchant_posted", "merchant_id"),
    Table::with("merchant", "send_order", "caller_id"),
    Table::with("merchant", "refused_order", "merchant_id"),
    Table::with("merchant", "packet", "merchant_id"),
    Table::with("merchant", "packet_progress", "merchant_id"),
    Table::with("merchant", "group_claim", "merchant_id"),
    Table::with("merchant", "user_day", "merchant_id"),
    Table::with("merchant", "expiry_cursor", "merchant_id"),
    Table::with("merchant", "follow_cursor", "merchant_id"),
    Table::first("wallet", "user_id"),
    Table::with("wallet", "wallet_entry", "user_id"),
    Table::with("wallet", "inbox_message", "user_id"),
    Table::with("wallet", "payout", "user_id"),
    Table::with("wallet", "user_journal", "user_id"),
    Table::with("wallet", "user_posted", "user_id"),
    Table::first("subject", "subject"),
];
/// By openid, which is neither a merchant nor a user.
pub(super) const PEOPLE: Table = Table::first("app_user", "openid");
/// What stays on the coordinator.
#[cfg(test)]
pub(super) const LOCAL: [&str; 2] = ["lane", "job_lease"];

/// A table to be distributed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// Its owner's column.
    pub(super) column: &'static str,
    /// The table that it lies together with.
    with: &'static str,
}

impl Table {
    const fn first(name: &'static str, column: &'static str) -> Self {
        Self { name, column, with: "none" }
    }

    const fn with(with: &'static str, name: &'static str, column: &'static str) -> Self {
        Self { name, column, with }
    }
}

/// Append-only triggers refuse every change, so they need no other shard: what Citus warns of.
const ALLOW_TRIGGERS: &str = "SET citus.enable_unsafe_triggers = on";
const EXTENSION: &str = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";
const IS_DISTRIBUTED: &str =
    "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = $1::text::regclass)";
const DISTRIBUTE: &str = "SELECT create_distributed_table($1::text, $2, colocate_with => $3)";

/// Distributes the tables that are not distributed yet; rows go with them.
pub(super) async fn tables(client: &Client) -> Result<(), OpenError> {
    if !extension(client).await? {
        return Err(OpenError::NoCitus);
    }
    let failed = |error: tokio_postgres::Error| OpenError::Distribution(told(&error));
    client.batch_execute(ALLOW_TRIGGERS).await.map_err(failed)?;
    for table in TABLES.iter().chain([&PEOPLE]) {
        let known = client.query_one(IS_DISTRIBUTED, &[&table.name]).await.map_err(failed)?;
        if !known.try_get::<_, bool>(0)? {
            let by: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
                [&table.name, &table.column, &table.with];
            client.query_one(DISTRIBUTE, &by).await.map_err(failed)?;
        }
    }
    Ok(())
}

/// Whether the database is distributed.
pub(super) async fn is_distributed(client: &Client) -> Result<bool, OpenError> {
    if !extension(client).await? {
        return Ok(false);
    }
    Ok(client.query_one(IS_DISTRIBUTED, &[&"merchant_book"]).await?.try_get(0)?)
}

async fn extension(client: &Client) -> Result<bool, OpenError> {
    Ok(client.query_one(EXTENSION, &[]).await?.try_get(0)?)
}

/// Over what the tables lie.
pub(super) async fn spread(client: &Client) -> Outcome<Spread> {
    let row = client.query_one(SPREAD, &[]).await?;
    let count = |column| row.try_get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Spread { tables: count(0)?, shards: count(1)?, machines: count(2)? })
}

const SPREAD: &str = "
SELECT count(DISTINCT logicalrelid), count(DISTINCT shardid), count(DISTINCT groupid)
FROM pg_dist_shard
JOIN pg_dist_placement USING (shardid)
JOIN pg_class ON pg_class.oid = logicalrelid
WHERE relnamespace = current_schema()::regnamespace";

/// Waits until no commit of this platform is under way, and lets none begin before
/// [`fix_view`] is done: a writer holds the lock until its commit is through on every machine.
/// Platforms in other namespaces of the database are not held up.
pub(super) async fn hold_up_writers(client: &Client) -> Outcome<()> {
    Ok(client.batch_execute(HOLD_UP_WRITERS).await?)
}

const HOLD_UP_WRITERS: &str =
    "SELECT pg_advisory_lock(471612, current_schema()::regnamespace::oid::integer)";

/// Fixes what a snapshot sees, on all machines at one moment. Each fixes its own view when it is
/// first read, and no clock is common to them: so writers are held up until all have.
pub(super) async fn fix_view(client: &Client) -> Outcome<()> {
    Ok(client.batch_execute(FIX_VIEW).await?)
}

/// One connection to each machine, for each would have a view of its own.
const FIX_VIEW: &str = "
SET LOCAL citus.max_adaptive_executor_pool_size = 1;
SELECT merchant_id FROM merchant_book LIMIT 1;
SELECT user_id FROM wallet LIMIT 1;
SELECT pg_advisory_unlock(471612, current_schema()::regnamespace::oid::integer)";
