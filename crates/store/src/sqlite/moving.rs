//! SQLite as a side of a move.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use hongbao_app::ports::StoreError;
use rusqlite::{Connection, params_from_iter, types::ValueRef};

use super::{audit::Snapshot, files, open, open::OpenError, schema};
use crate::{
    error::{Failure, Outcome},
    moving::{Cell, Found, Hold, MARK, MOVED, MoveError, Page, Reading, Side, Table, Target},
    settings::SettingsCache,
};

/// The tables that are moved, with columns and keys, from the schema itself: a table that a later
/// migration makes is moved without a word here.
pub(crate) fn tables() -> Result<Vec<Table>, OpenError> {
    let mut model = Connection::open_in_memory()?;
    schema::migrate(&mut model)?;
    let mut names = model.prepare(
        "SELECT name FROM sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             AND name <> 'refinery_schema_history'
         ORDER BY rowid",
    )?;
    let names = names.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    names.into_iter().map(|name| table(&model, name)).collect()
}

fn table(model: &Connection, name: String) -> Result<Table, OpenError> {
    let mut columns = Vec::new();
    let mut key = Vec::new();
    model.pragma(None, "table_info", &name, |row| {
        let place_in_key: i64 = row.get("pk")?;
        if place_in_key > 0 {
            key.push((place_in_key, columns.len()));
        }
        columns.push(row.get("name")?);
        Ok(())
    })?;
    key.sort_unstable();
    Ok(Table { name, columns, key: key.into_iter().map(|(_, place)| place).collect() })
}

/// The store at `path` as a source. Held still, its lock is taken: no server runs on it.
pub(crate) async fn source(path: &Path, hold: Hold) -> Result<Box<dyn Reading>, MoveError> {
    let refused = |error: OpenError| MoveError::open(Side::Source, error);
    files::check_modes(path).map_err(refused)?;
    open::check_version().map_err(refused)?;
    let lock = match hold {
        Hold::Still => Some(files::Lock::take(path).map_err(refused)?),
        Hold::Moment => None,
    };
    let settings = Arc::new(SettingsCache::default());
    let mut snapshot = Snapshot::open(path, settings).await.map_err(unread)?;
    let checked = snapshot.read(|connection, _| {
        // One that was moved away is told by its mark.
        Ok(schema::refuse_half(connection).and_then(|()| schema::check_made(connection)))
    });
    checked.await.map_err(unread)?.map_err(refused)?;
    Ok(Box::new(Source { path: path.to_owned(), snapshot: Some(snapshot), lock }))
}

const fn unread(error: StoreError) -> MoveError {
    MoveError::store(Side::Source, error)
}

struct Source {
    path: PathBuf,
    /// Given up before anything is written.
    snapshot: Option<Snapshot>,
    lock: Option<files::Lock>,
}

impl Source {
    async fn read<T: Send + 'static>(
        &mut self,
        query: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let closed = || Failure::unavailable("the source is not read any more");
        let snapshot = self.snapshot.as_mut().ok_or_else(closed)?;
        snapshot.read(|connection, _| query(connection)).await.map_err(Failure::Store)
    }

    /// Changes the mark, in the file itself, so that it is carried away with it.
    async fn write(
        &mut self,
        change: impl FnOnce(&Connection) -> Outcome<()> + Send + 'static,
    ) -> Outcome<()> {
        self.snapshot = None;
        if self.lock.is_none() {
            return Err(Failure::unavailable("the source is not held still"));
        }
        let path = self.path.clone();
        let writing = move || {
            let opened = open::mover(&path);
            let mut connection = opened.map_err(|error| Failure::unavailable(error.to_string()))?;
            let tx = connection.transaction()?;
            change(&tx)?;
            tx.commit()?;
            fold(&connection)
        };
        let written = tokio::task::spawn_blocking(writing).await;
        written.map_err(|error| Failure::unavailable(error.to_string()))?
    }
}

/// Everything into the file itself.
fn fold(connection: &Connection) -> Outcome<()> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_row| Ok(()))?)
}

fn moved_to(connection: &Connection) -> Outcome<Option<String>> {
    schema::moved_to(connection).map_err(|error| Failure::unavailable(error.to_string()))
}

fn set_moved(connection: &Connection, to: &str) -> Outcome<()> {
    connection.execute_batch(MOVED)?;
    connection.execute("INSERT INTO moved (target) VALUES ($1)", (to,))?;
    Ok(())
}

fn unset_moved(connection: &Connection) -> Outcome<()> {
    Ok(connection.execute_batch("DROP TABLE moved")?)
}

#[async_trait]
impl Reading for Source {
    async fn page(&mut self, table: &Table, after: Option<Vec<Cell>>) -> Outcome<Page> {
        let table = table.clone();
        self.read(move |connection| page(connection, &table, after.as_deref())).await
    }

    async fn moved_to(&mut self) -> Outcome<Option<String>> {
        self.read(moved_to).await
    }

    async fn close(&mut self, to: &str) -> Outcome<()> {
        let to = to.to_owned();
        self.write(move |connection| set_moved(connection, &to)).await
    }

    async fn reopen(&mut self) -> Outcome<()> {
        self.write(unset_moved).await
    }
}

fn page(connection: &Connection, table: &Table, after: Option<&[Cell]>) -> Outcome<Page> {
    let mut statement = connection.prepare_cached(&table.page_sql(after.is_some()))?;
    let key = after.unwrap_or_default().iter().map(Cell::value);
    let mut rows = statement.query(params_from_iter(key))?;
    let mut page = Page::of(table);
    while let Some(row) = rows.next()? {
        for column in 0..table.columns.len() {
            page.push(cell(row.get_ref(column)?)?);
        }
    }
    Ok(page)
}

fn cell(value: ValueRef<'_>) -> Outcome<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(number) => Ok(Cell::Int(number)),
        ValueRef::Text(text) => match str::from_utf8(text) {
            Ok(text) => Ok(Cell::Text(text.to_owned())),
            Err(error) => Err(Failure::corrupt(format!("a text is not UTF-8: {error}"))),
        },
        ValueRef::Blob(bytes) => Ok(Cell::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(Failure::corrupt("a fraction where no column takes one")),
    }
}

/// The database at `path` as a target; it is made when the move begins.
pub(crate) fn target(path: &Path, write: bool) -> Result<Box<dyn Target>, MoveError> {
    let mut target = Taker { path: path.to_owned(), write, lock: None, connection: None };
    target.open_existing().map_err(refused)?;
    Ok(Box::new(target))
}

fn refused(error: OpenError) -> MoveError {
    MoveError::open(Side::Target, error)
}

/// A target.
struct Taker {
    path: PathBuf,
    write: bool,
    lock: Option<files::Lock>,
    connection: Option<Arc<Mutex<Connection>>>,
}

impl Taker {
    fn open_existing(&mut self) -> Result<(), OpenError> {
        open::check_version()?;
        // An empty file is what a move leaves that was interrupted before its first write.
        if !self.path.exists() || fs::metadata(&self.path).is_ok_and(|found| found.len() == 0) {
            return Ok(());
        }
        files::check_modes(&self.path)?;
        if self.write {
            self.lock = Some(files::Lock::take(&self.path)?);
        }
        let connection =
            if self.write { open::mover(&self.path)? } else { open::reader(&self.path)? };
        self.connection = Some(Arc::new(Mutex::new(connection)));
        Ok(())
    }

    /// Runs `work` on the connection, away from the async threads.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let unopened = || Failure::unavailable("the target is not open");
        let connection = Arc::clone(self.connection.as_ref().ok_or_else(unopened)?);
        let working = move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner));
        let worked = tokio::task::spawn_blocking(working).await;
        worked.map_err(|error| Failure::unavailable(error.to_string()))?
    }
}

#[async_trait]
impl Reading for Taker {
    async fn page(&mut self, table: &Table, after: Option<Vec<Cell>>) -> Outcome<Page> {
        let table = table.clone();
        self.with(move |connection| page(connection, &table, after.as_deref())).await
    }

    async fn moved_to(&mut self) -> Outcome<Option<String>> {
        self.with(|connection| moved_to(connection)).await
    }

    async fn close(&mut self, to: &str) -> Outcome<()> {
        let to = to.to_owned();
        self.with(move |connection| {
            let change = connection.transaction()?;
            set_moved(&change, &to)?;
            change.commit()?;
            fold(connection)
        })
        .await
    }

    async fn reopen(&mut self) -> Outcome<()> {
        self.with(|connection| unset_moved(connection).and_then(|()| fold(connection))).await
    }
}

#[async_trait]
impl Target for Taker {
    async fn look(&mut self, tables: &[Table]) -> Result<Found, MoveError> {
        if self.connection.is_none() {
            return Ok(Found::Nothing);
        }
        let tables = tables.to_vec();
        let looked = self.with(move |connection| Ok(look(connection, &tables))).await;
        let found = looked.map_err(|failure| MoveError::store(Side::Target, failure.into_store()));
        found?.map_err(refused)
    }

    async fn begin(&mut self, mark: &str) -> Result<(), MoveError> {
        // The schema is made under a lock of its own.
        (self.connection, self.lock) = (None, None);
        open::migrate(&self.path).map_err(refused)?;
        self.open_existing().map_err(refused)?;
        let mark = mark.to_owned();
        let begun = self.with(move |connection| {
            let change = connection.transaction()?;
            change.execute_batch(MARK)?;
            change.execute("INSERT INTO moving (source) VALUES ($1)", (&mark,))?;
            Ok(change.commit()?)
        });
        begun.await.map_err(|failure| MoveError::store(Side::Target, failure.into_store()))
    }

    async fn last_key(&mut self, table: &Table) -> Outcome<Option<Vec<Cell>>> {
        let table = table.clone();
        self.with(move |connection| {
            let mut statement = connection.prepare_cached(&table.last_key_sql())?;
            let mut rows = statement.query(())?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let cells = (0..table.key.len()).map(|column| cell(row.get_ref(column)?));
            Ok(Some(cells.collect::<Outcome<_>>()?))
        })
        .await
    }

    async fn count(&mut self, table: &Table) -> Outcome<u64> {
        let sql = table.count_sql();
        let count: i64 = self
            .with(move |connection| Ok(connection.query_row(&sql, (), |row| row.get(0))?))
            .await?;
        u64::try_from(count).map_err(|_negative| Failure::corrupt("rows beyond counting"))
    }

    async fn write(&mut self, table: &Table, page: Page) -> Outcome<()> {
        let sql = table.insert_sql();
        self.with(move |connection| {
            let change = connection.transaction()?;
            let mut insert = change.prepare_cached(&sql)?;
            for row in page.rows() {
                insert.execute(params_from_iter(row.iter().map(Cell::value)))?;
            }
            drop(insert);
            Ok(change.commit()?)
        })
        .await
    }

    /// Numbers follow the rows here, and the planner asks for no statistics.
    async fn settle(&mut self, _tables: &[Table]) -> Outcome<()> {
        Ok(())
    }

    async fn end(&mut self) -> Outcome<()> {
        self.with(|connection| {
            connection.execute_batch("DROP TABLE moving")?;
            // So that it can be carried away.
            fold(connection)
        })
        .await
    }
}

fn look(connection: &Connection, tables: &[Table]) -> Result<Found, OpenError> {
    if schema::version(connection)? == 0 {
        return match connection
            .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?
        {
            0_i64 => Ok(Found::Nothing),
            _ => Err(OpenError::SchemaChanged("it holds tables of another program".to_owned())),
        };
    }
    schema::check_made(connection)?;
    if let Some(mark) = schema::mark(connection)? {
        return Ok(Found::Half(mark));
    }
    for table in tables {
        if connection.prepare(&table.any_sql())?.exists(())? {
            return Ok(Found::Filled(table.name.clone()));
        }
    }
    Ok(Found::Empty)
}
