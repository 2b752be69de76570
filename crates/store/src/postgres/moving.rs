//! PostgreSQL as a side of a move.

use std::{collections::BTreeMap, pin::pin};

use async_trait::async_trait;
use tokio_postgres::{
    Client, Row, Statement, binary_copy::BinaryCopyInWriter, error::SqlState, types::Type,
};

use super::{PostgresUrl, open, open::OpenError, schema};
use crate::{
    error::{Failure, Outcome},
    moving::{Cell, Found, Hold, MARK, MOVED, MoveError, Page, Reading, Side, Table, Target},
};

/// Pages are read by the primary key whatever the planner believes of a table; nothing is given up
/// because the other side takes long.
const SESSION: &str = "
SET idle_in_transaction_session_timeout = 0;
SET enable_seqscan = off;
SET enable_sort = off;
SET jit = off";
/// The snapshot is taken by the first read, so behind the locks.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Held by a move, on either side, until its connection ends, which PostgreSQL may notice a moment
/// later. The namespace is called as the URL calls it, for it may not be there yet.
const ALONE: &str = "
SET lock_timeout = '3s';
SELECT pg_advisory_lock(4716120, hashtext(current_setting('search_path')))";
/// Held by a server, by a connection that is kept for nothing else.
const AT_WORK: &str =
    "SELECT pg_advisory_lock_shared(4716120, hashtext(current_setting('search_path')))";
/// Numbers that were told are never told again; a sequence that is ahead stays there.
const SEQUENCES: &str = "
SELECT setval('user_number', greatest(
    (SELECT last_value FROM user_number), (SELECT max(user_id) FROM wallet)))
WHERE EXISTS (SELECT FROM wallet)";
const OBJECTS: &str = "
SELECT count(*)
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace";

/// The store at `url` as a source. Held still, its tables are locked against writing.
pub(crate) async fn source(
    url: &PostgresUrl,
    tables: &[Table],
    hold: Hold,
) -> Result<Box<dyn Reading>, MoveError> {
    let side = Side::Source;
    let ready = async {
        let client = connect(url).await?;
        schema::refuse_half(&client).await?;
        schema::check_made(&client).await?;
        Ok::<_, OpenError>(client)
    };
    let client = ready.await.map_err(|error| MoveError::open(side, error))?;
    if hold == Hold::Still {
        be_alone(side, &client).await?;
    }
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let lock = match hold {
        Hold::Still => format!("LOCK TABLE {} IN SHARE MODE", names.join(", ")),
        Hold::Moment => "SELECT 1".to_owned(),
    };
    // Before the transaction, which would lock the mark against its change.
    let moved = schema::moved_to(&client).await.map_err(|error| MoveError::open(side, error))?;
    let begun = client.batch_execute(&format!("{BEGIN}; {lock}; SELECT 1")).await;
    begun.map_err(|error| failed(side, error.into()))?;
    Ok(Box::new(End::of(url, client, moved)))
}

/// The database at `url` as a target.
pub(crate) async fn target(url: &PostgresUrl, write: bool) -> Result<Box<dyn Target>, MoveError> {
    let side = Side::Target;
    let client = connect(url).await.map_err(|error| MoveError::open(side, error))?;
    if write {
        be_alone(side, &client).await?;
    }
    let moved = schema::moved_to(&client).await.map_err(|error| MoveError::open(side, error))?;
    Ok(Box::new(End::of(url, client, moved)))
}

async fn connect(url: &PostgresUrl) -> Result<Client, OpenError> {
    let (client, _ends_with_its_client) = url.hosts()?.connect().await?;
    open::check_server(&client).await?;
    client.batch_execute(SESSION).await?;
    Ok(client)
}

/// Keeps servers and other moves away, or says that one is there.
async fn be_alone(side: Side, client: &Client) -> Result<(), MoveError> {
    match client.batch_execute(ALONE).await {
        Ok(()) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            Err(MoveError::Busy { side })
        }
        Err(error) => Err(failed(side, error.into())),
    }
}

/// Tells moves that a server is at work; refused while one is under way. Best effort: the lock goes
/// with its connection. What a move reads cannot change anyway, for it locks the tables.
pub(super) async fn be_at_work(client: &Client) -> Result<(), OpenError> {
    match client.batch_execute(AT_WORK).await {
        Ok(()) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            Err(OpenError::BeingMoved)
        }
        Err(error) => Err(error.into()),
    }
}

fn failed(side: Side, failure: Failure) -> MoveError {
    MoveError::store(side, failure.into_store())
}

/// A side, by a connection of its own.
struct End {
    url: PostgresUrl,
    client: Client,
    prepared: BTreeMap<String, Statement>,
    moved: Option<String>,
}

impl End {
    fn of(url: &PostgresUrl, client: Client, moved: Option<String>) -> Self {
        Self { url: url.clone(), client, prepared: BTreeMap::new(), moved }
    }

    /// Another connection, beside the one that holds a source still.
    async fn another(&self) -> Outcome<Client> {
        let connected = connect(&self.url).await;
        connected.map_err(|error| Failure::unavailable(error.to_string()))
    }

    async fn prepare(&mut self, sql: String) -> Outcome<Statement> {
        if let Some(statement) = self.prepared.get(&sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&sql).await?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// How wide each column is.
    async fn types(&mut self, table: &Table) -> Outcome<Vec<Type>> {
        let statement = self.prepare(table.page_sql(false)).await?;
        Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
    }

    async fn has_rows(&self, tables: &[Table]) -> Outcome<Option<String>> {
        for table in tables {
            if self.client.query_opt(&table.any_sql(), &[]).await?.is_some() {
                return Ok(Some(table.name.clone()));
            }
        }
        Ok(None)
    }

    /// Refuses tables that no migration made.
    async fn refuse_strange(&self) -> Result<(), OpenError> {
        match self.client.query_one(OBJECTS, &[]).await?.try_get(0)? {
            0_i64 => Ok(()),
            _ => Err(OpenError::SchemaChanged("it holds tables of another program".to_owned())),
        }
    }

    async fn mark(&mut self, mark: &str) -> Result<(), OpenError> {
        if schema::version(&self.client).await? == 0 {
            schema::migrate(&mut self.client).await?;
        }
        let change = self.client.transaction().await?;
        change.batch_execute(MARK).await?;
        change.execute("INSERT INTO moving (source) VALUES ($1)", &[&mark]).await?;
        Ok(change.commit().await?)
    }
}

#[async_trait]
impl Reading for End {
    async fn page(&mut self, table: &Table, after: Option<Vec<Cell>>) -> Outcome<Page> {
        let statement = self.prepare(table.page_sql(after.is_some())).await?;
        let key = after.unwrap_or_default();
        let values: Vec<_> = key.iter().map(Cell::value).collect();
        let values: Vec<_> = values.iter().map(|value| value as _).collect();
        let rows = self.client.query(&statement, &values).await?;
        let mut page = Page::of(table);
        for row in &rows {
            for column in 0..row.len() {
                page.push(cell(row, column)?);
            }
        }
        Ok(page)
    }

    async fn moved_to(&mut self) -> Outcome<Option<String>> {
        Ok(self.moved.clone())
    }

    /// With the lanes goes what every batch rests on: a server that was not seen, because it lost
    /// the connection that shows it, stops at its next batch.
    async fn close(&mut self, to: &str) -> Outcome<()> {
        let mut client = self.another().await?;
        let change = client.transaction().await?;
        change.batch_execute(MOVED).await?;
        change.execute("INSERT INTO moved (target) VALUES ($1)", &[&to]).await?;
        change.batch_execute("DELETE FROM lane").await?;
        Ok(change.commit().await?)
    }

    async fn reopen(&mut self) -> Outcome<()> {
        Ok(self.another().await?.batch_execute("DROP TABLE moved").await?)
    }
}

fn cell(row: &Row, column: usize) -> Outcome<Cell> {
    let kind = row.columns().get(column).map(tokio_postgres::Column::type_);
    let cell = match kind {
        Some(&Type::INT2) => row.try_get::<_, Option<i16>>(column)?.map(|it| Cell::Int(it.into())),
        Some(&Type::INT4) => row.try_get::<_, Option<i32>>(column)?.map(|it| Cell::Int(it.into())),
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(column)?.map(Cell::Int),
        Some(&Type::BYTEA) => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Cell::Bytes),
        _ => row.try_get::<_, Option<String>>(column)?.map(Cell::Text),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

#[async_trait]
impl Target for End {
    async fn look(&mut self, tables: &[Table]) -> Result<Found, MoveError> {
        let side = Side::Target;
        let refused = |error| MoveError::open(side, error);
        if schema::version(&self.client).await.map_err(refused)? == 0 {
            self.refuse_strange().await.map_err(refused)?;
            return Ok(Found::Nothing);
        }
        schema::check_made(&self.client).await.map_err(refused)?;
        if let Some(mark) = schema::mark(&self.client).await.map_err(refused)? {
            return Ok(Found::Half(mark));
        }
        let filled = self.has_rows(tables).await.map_err(|failure| failed(side, failure))?;
        Ok(filled.map_or(Found::Empty, Found::Filled))
    }

    async fn begin(&mut self, mark: &str) -> Result<(), MoveError> {
        self.mark(mark).await.map_err(|error| MoveError::open(Side::Target, error))
    }

    async fn last_key(&mut self, table: &Table) -> Outcome<Option<Vec<Cell>>> {
        let row = self.client.query_opt(&table.last_key_sql(), &[]).await?;
        let key = row.map(|row| (0..row.len()).map(|column| cell(&row, column)).collect());
        key.transpose()
    }

    async fn count(&mut self, table: &Table) -> Outcome<u64> {
        let count: i64 = self.client.query_one(&table.count_sql(), &[]).await?.try_get(0)?;
        u64::try_from(count).map_err(|_negative| Failure::corrupt("rows beyond counting"))
    }

    /// One `COPY`, which is a transaction by itself.
    async fn write(&mut self, table: &Table, page: Page) -> Outcome<()> {
        let types = self.types(table).await?;
        let sink = self.client.copy_in(&table.copy_sql()).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for row in page.rows() {
            writer.as_mut().write_raw(row.iter().map(Cell::value)).await?;
        }
        writer.as_mut().finish().await?;
        Ok(())
    }

    async fn settle(&mut self, tables: &[Table]) -> Outcome<()> {
        self.client.batch_execute(SEQUENCES).await?;
        // Without a name it would go through every table of the database.
        for table in tables {
            self.client.batch_execute(&format!("ANALYZE {}", table.name)).await?;
        }
        Ok(())
    }

    async fn end(&mut self) -> Outcome<()> {
        Ok(self.client.batch_execute("DROP TABLE moving").await?)
    }
}
