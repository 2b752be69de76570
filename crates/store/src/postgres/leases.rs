//! Leases: one server at a time does a job that more than one could do, and another takes over
//! when it falls silent. Jobs are safe without them (every step is decided again under locks, or
//! conditional on what it read); with them, servers do not do each other's work twice.

use super::pool::{Connections, Mode};
use crate::{
    error::Outcome,
    session::{Session as _, values},
};

/// A server that falls silent is replaced after so long, by the database's clock.
const LEASE_MILLIS: i64 = 10_000;
/// A lease is made longer when less is left: a job that runs twenty times a second then writes
/// once in five.
const RENEW_MILLIS: i64 = LEASE_MILLIS / 2;

const LEFT: &str = "
SELECT holder = $2, until - (extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM job_lease
WHERE job = $1";
const TAKE: &str = "
INSERT INTO job_lease (job, holder, until)
VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3)
ON CONFLICT (job) DO UPDATE
SET holder = excluded.holder, until = excluded.until
WHERE job_lease.holder = excluded.holder
    OR job_lease.until < (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const GIVE_UP: &str = "
UPDATE job_lease
SET until = 0
WHERE job = $1 AND holder = $2";

/// Whether `holder` may do `job` now; takes the lease or makes it longer.
pub(super) async fn take(
    connections: &Connections,
    job: &'static str,
    holder: i64,
) -> Outcome<bool> {
    let client = connections.connection().await?;
    let statement = client.prepare_cached(LEFT).await?;
    if let Some(row) = client.query_opt(&statement, &[&job, &holder]).await? {
        let (ours, left): (bool, i64) = (row.try_get(0)?, row.try_get(1)?);
        if left > if ours { RENEW_MILLIS } else { 0 } {
            return Ok(ours);
        }
    }
    drop(client);
    let transaction = connections.begin(Mode::Change).await?;
    let taken = transaction.execute(TAKE, values![job, holder, LEASE_MILLIS]).await? == 1;
    transaction.commit().await?;
    Ok(taken)
}

/// Lets the lease run out now, if it is `holder`'s.
pub(super) async fn give_up(
    connections: &Connections,
    job: &'static str,
    holder: i64,
) -> Outcome<()> {
    let transaction = connections.begin(Mode::Change).await?;
    transaction.execute(GIVE_UP, values![job, holder]).await?;
    transaction.commit().await
}
