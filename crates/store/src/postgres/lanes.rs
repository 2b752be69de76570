//! Lanes: how a server tells, after its connection broke during a commit, what became of it.
//!
//! Whoever runs a batch holds a lane, a row that counts the lane's batches and that a batch moves
//! on in its own transaction. If the answer to a commit is lost, the row says whether it took
//! place: it is read by a change of its own, and so not before the server has made up its mind.
//!
//! A batch moves the row on from the batch before it, of which it was told that it is durable. A
//! row that stands elsewhere means that an acknowledged commit is gone: the database was put back,
//! or a standby that lagged behind took over (C-4). Then money stops.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pool::{Client, Connections, Mode};
use crate::{
    columns::int,
    error::{Failure, Outcome},
    fields::Fields,
    session::{Session as _, values},
};

const OPEN: &str = "
INSERT INTO lane (lane_id, batch_no, opened_at)
VALUES ($1, 0, $2)";
const NEXT_LANE: &str = "SELECT nextval('lane_number')";
const MOVE_ON: &str = "
UPDATE lane
SET batch_no = $2
WHERE lane_id = $1 AND batch_no = $2::bigint - 1";
/// Changes nothing, but is a change: its commit waits for a synchronous standby, and so for all
/// commits before it.
const BATCH_NO: &str = "
UPDATE lane
SET batch_no = batch_no
WHERE lane_id = $1
RETURNING batch_no";

/// A lane that runs a batch.
#[derive(Debug)]
pub(super) struct Lane {
    id: i64,
    /// The newest batch that is durable.
    batch_no: u64,
}

impl Lane {
    /// Counts the batch that is about to be committed, in its transaction.
    pub(super) async fn move_on(&self, client: &Client) -> Outcome<()> {
        let next = int(self.batch_no.saturating_add(1))?;
        let statement = client.prepare_cached(MOVE_ON).await?;
        if client.execute(&statement, &[&self.id, &next]).await? == 1 {
            return Ok(());
        }
        Err(Failure::corrupt(format!(
            "batch {} of lane {} was acknowledged and is gone: the database was put back, or a \
             standby without it took over",
            self.batch_no, self.id
        )))
    }

    /// The batch is durable.
    pub(super) const fn committed(&mut self) {
        self.batch_no = self.batch_no.saturating_add(1);
    }

    /// Whether the batch whose commit was not answered took place. Waits until it is decided, and
    /// until it is as durable as an answer must be: a commit that its server wrote, but did not yet
    /// pass on to a synchronous standby, can be read there and be gone after a failover.
    pub(super) async fn took_place(&self, connections: &Connections) -> Outcome<bool> {
        let transaction = connections.begin(Mode::Change).await?;
        let key = values![self.id];
        let found = transaction.find(BATCH_NO, "lane", key, batch_no).await?;
        transaction.commit().await?;
        match found {
            Some(no) if no == self.batch_no => Ok(false),
            Some(no) if no == self.batch_no.saturating_add(1) => Ok(true),
            _ => Err(Failure::corrupt(format!("lane {} is not where it can be", self.id))),
        }
    }
}

fn batch_no(fields: &mut Fields<'_>) -> Outcome<u64> {
    fields.u64()
}

/// The lanes of one server that run nothing now.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<Vec<Lane>>);

impl Lanes {
    /// A lane that is idle, or a new one.
    pub(super) async fn take(&self, connections: &Connections) -> Outcome<Lane> {
        if let Some(lane) = self.idle().pop() {
            return Ok(lane);
        }
        let transaction = connections.begin(Mode::Change).await?;
        let id = super::session::scalar(&transaction, NEXT_LANE).await?;
        let now: i64 = super::session::scalar(&transaction, super::store::CLOCK).await?;
        transaction.execute(OPEN, values![id, now]).await?;
        transaction.commit().await?;
        Ok(Lane { id, batch_no: 0 })
    }

    /// Takes a lane back. One whose newest batch is not known is not given back.
    pub(super) fn give_back(&self, lane: Lane) {
        self.idle().push(lane);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
