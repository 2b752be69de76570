//! Transactions that are prepared and not decided: what a commit over several machines leaves
//! behind when one of them, or the way to it, dies in between.
//!
//! Citus ends its own by itself (`citus.recover_2pc_interval`). Until then each keeps its locks, and
//! what it wrote is seen on some machines and not on others.

use std::{collections::BTreeSet, time::Duration};

use hongbao_app::ports::Prepared;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use super::pool::Connections;
use crate::error::{Failure, Outcome};

/// The same asked here and of every worker. The coordinator asks itself without a connection: it
/// need not be able to reach itself by one.
macro_rules! everywhere {
    ($asked:expr) => {
        concat!(
            "SELECT success, result FROM run_command_on_workers($command$",
            $asked,
            "$command$) UNION ALL SELECT true, (",
            $asked,
            ")"
        )
    };
}

/// Anybody's, in this database: whoever prepared it, it keeps locks.
macro_rules! count {
    () => {
        "SELECT count(*) || ' ' ||
                greatest(max(extract(epoch FROM clock_timestamp() - prepared)), 0)::bigint
         FROM pg_prepared_xacts
         WHERE database = current_database()"
    };
}

const HERE: &str = concat!("SELECT true, (", count!(), ")");
const EVERYWHERE: &str = everywhere!(count!());

/// How many there are, on all machines that answer.
pub(super) async fn count(connections: &Connections) -> Outcome<Prepared> {
    let client = connections.connection().await?;
    let sql = if connections.distributed() { EVERYWHERE } else { HERE };
    let statement = client.prepare_cached(sql).await?;
    let mut all = Prepared::default();
    for row in client.query(&statement, &[]).await? {
        let (answered, told): (bool, &str) = (row.try_get(0)?, row.try_get(1)?);
        if !answered {
            continue;
        }
        let (count, seconds) = told.split_once(' ').unwrap_or((told, ""));
        let number = |text: &str| {
            text.parse::<u64>().map_err(|error| Failure::corrupt(format!("{told:?}: {error}")))
        };
        all.count = all.count.saturating_add(number(count)?);
        all.oldest_seconds = all.oldest_seconds.max(number(seconds)?);
    }
    Ok(all)
}

/// Parts of commits over several machines. Their names are Citus's, and differ from part to part.
const PARTS: &str = everywhere!(
    r"SELECT coalesce(string_agg(gid, ' '), '')
      FROM pg_prepared_xacts
      WHERE database = current_database() AND gid LIKE 'citus\_%'"
);
/// Platforms in other namespaces commit meanwhile. What is still there after so long hangs: writers
/// are held up for as long.
const OTHERS_COMMIT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// Fails when a commit hangs between machines. Asked while writers are held up, so that it is none
/// that goes through.
pub(super) async fn none_hangs(client: &Client) -> Outcome<()> {
    let until = Instant::now() + OTHERS_COMMIT;
    let mut hanging = parts(client).await?;
    while let Some(one) = hanging.first() {
        if Instant::now() >= until {
            return Err(Failure::unavailable(format!(
                "a commit over several machines is not through on all ({} prepared, one is {one}), \
                 so that nothing can be said about the books: Citus ends its own within its \
                 recover_2pc_interval once all machines are up",
                hanging.len()
            )));
        }
        sleep(PAUSE).await;
        let still = parts(client).await?;
        hanging.retain(|part| still.contains(part));
    }
    Ok(())
}

async fn parts(client: &Client) -> Outcome<BTreeSet<String>> {
    let mut parts = BTreeSet::new();
    for row in client.query(PARTS, &[]).await? {
        let (answered, told): (bool, &str) = (row.try_get(0)?, row.try_get(1)?);
        if !answered {
            return Err(Failure::unavailable(format!("a machine does not answer: {told}")));
        }
        parts.extend(told.split_whitespace().map(str::to_owned));
    }
    Ok(parts)
}
