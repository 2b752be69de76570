//! The steps of a move.

use std::sync::Arc;

use hongbao_app::ports::{Clock, Store};

use super::{
    Found, MoveError, Moved, Place, Plan, Reading, Ready, Side, Stage, Step, Survey, Table, Target,
    Tell,
    cells::Page,
    digest::{Pass, read_mark, rows_of, survey},
    go_on, proof,
    side::Sided,
};
use crate::{OpenError, postgres, postgres::PostgresStore, sqlite, sqlite::SqliteStore};

/// Moves the store at `from` to `to`, or goes on with that. `to` must be empty, or hold a part of
/// the same move.
pub async fn run(
    from: &Place,
    to: &Place,
    clock: &Arc<dyn Clock>,
    tell: &mut Tell<'_>,
) -> Result<Moved, MoveError> {
    refuse_same(from, to)?;
    let tables = tables()?;
    let mut source = open_source(from, &tables, Hold::Still).await?;
    let mut target = open_target(to, true).await?;
    let found = target.look(&tables).await?;
    let closed = refuse_moved(source.as_mut(), to, &found).await?;
    refuse_filled(&found)?;
    let survey = survey(first_pass(to), source.as_mut(), &tables, tell).await?;
    let resumed = matches!(found, Found::Half(_));
    if let Found::Half(mark) = &found {
        same_source(mark, &survey)?;
    } else {
        go_on(tell(&at(Stage::Check)))?;
        proof::sound(look(Side::Source, from, clock).await?.as_ref()).await?;
        target.begin(&survey.to_string()).await?;
    }
    copy(source.as_mut(), target.as_mut(), &tables, &survey, tell).await?;
    go_on(tell(&at(Stage::Settle)))?;
    target.settle(&tables).await.of(Side::Target)?;
    arrived(target.as_mut(), &tables, &survey, tell).await?;
    prove(from, to, clock, tell).await?;
    go_on(tell(&at(Stage::Close)))?;
    if !closed {
        source.close(&to.to_string()).await.of(Side::Source)?;
    }
    go_on(tell(&at(Stage::Open)))?;
    target.end().await.of(Side::Target)?;
    Ok(Moved { survey, resumed })
}

async fn prove(
    from: &Place,
    to: &Place,
    clock: &Arc<dyn Clock>,
    tell: &mut Tell<'_>,
) -> Result<(), MoveError> {
    go_on(tell(&at(Stage::Prove)))?;
    let source = look(Side::Source, from, clock).await?;
    let target = look(Side::Target, to, clock).await?;
    proof::same(source.as_ref(), target.as_ref()).await
}

/// Looks at both sides as a move would, checks the books of the source, and writes nothing; works
/// beside a running server.
pub async fn dry_run(
    from: &Place,
    to: &Place,
    clock: &Arc<dyn Clock>,
    tell: &mut Tell<'_>,
) -> Result<Plan, MoveError> {
    refuse_same(from, to)?;
    let tables = tables()?;
    let mut source = open_source(from, &tables, Hold::Moment).await?;
    let mut target = open_target(to, false).await?;
    let found = target.look(&tables).await?;
    refuse_moved(source.as_mut(), to, &found).await?;
    refuse_filled(&found)?;
    let survey = survey(first_pass(to), source.as_mut(), &tables, tell).await?;
    let target = match &found {
        Found::Half(mark) => same_source(mark, &survey).map(|()| Ready::Half)?,
        Found::Nothing => Ready::Nothing,
        Found::Empty | Found::Filled(_) => Ready::Empty,
    };
    go_on(tell(&at(Stage::Check)))?;
    proof::sound(look(Side::Source, from, clock).await?.as_ref()).await?;
    Ok(Plan { survey, target })
}

/// Whether a source is kept from changing, or read as it is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nobody else may write.
    Still,
    /// Others may write.
    Moment,
}

pub(super) fn tables() -> Result<Vec<Table>, MoveError> {
    sqlite::moving::tables().map_err(|error| MoveError::open(Side::Source, error))
}

pub(super) async fn open_source(
    from: &Place,
    tables: &[Table],
    hold: Hold,
) -> Result<Box<dyn Reading>, MoveError> {
    match from {
        Place::Sqlite(path) => sqlite::moving::source(path, hold).await,
        Place::Postgres(url) => postgres::moving::source(url, tables, hold).await,
    }
}

pub(super) async fn open_target(to: &Place, write: bool) -> Result<Box<dyn Target>, MoveError> {
    match to {
        Place::Sqlite(path) => sqlite::moving::target(path, write),
        Place::Postgres(url) => postgres::moving::target(url, write).await,
    }
}

/// A side as the rest of the product reads it. A target has its mark, with which it opens for
/// nobody else.
async fn look(
    side: Side,
    place: &Place,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, MoveError> {
    let opened: Result<Arc<dyn Store>, OpenError> = match place {
        Place::Sqlite(path) => SqliteStore::look(path, Arc::clone(clock))
            .map(|store| Arc::new(store) as _)
            .map_err(Into::into),
        Place::Postgres(url) => {
            PostgresStore::look(url).await.map(|store| Arc::new(store) as _).map_err(Into::into)
        }
    };
    opened.map_err(|error| MoveError::open(side, error))
}

pub(super) const fn first_pass(to: &Place) -> Pass<'static> {
    let nul = matches!(to, Place::Sqlite(_));
    Pass { side: Side::Source, stage: Stage::Survey, expected: None, nul }
}

pub(super) fn refuse_same(from: &Place, to: &Place) -> Result<(), MoveError> {
    if from == to { Err(MoveError::Same) } else { Ok(()) }
}

/// A source that was moved stays so, but for the move that closed it and did not come to open its
/// target. Answers whether it is closed.
async fn refuse_moved(
    source: &mut dyn Reading,
    to: &Place,
    found: &Found,
) -> Result<bool, MoveError> {
    match source.moved_to().await.of(Side::Source)? {
        None => Ok(false),
        Some(place) if place == to.to_string() && matches!(found, Found::Half(_)) => Ok(true),
        Some(to) => Err(MoveError::Moved { to }),
    }
}

fn refuse_filled(found: &Found) -> Result<(), MoveError> {
    match found {
        Found::Filled(table) => Err(MoveError::NotEmpty { table: table.clone() }),
        Found::Nothing | Found::Empty | Found::Half(_) => Ok(()),
    }
}

/// The part that is there must come from exactly what the source is now.
fn same_source(mark: &str, survey: &Survey) -> Result<(), MoveError> {
    let began = read_mark(mark).unwrap_or_default();
    if began == *survey {
        return Ok(());
    }
    let mut changes = began.differences(survey).join("; ");
    if changes.is_empty() {
        "the program that began it moves other tables".clone_into(&mut changes);
    }
    Err(MoveError::Changed { changes })
}

async fn copy(
    source: &mut dyn Reading,
    target: &mut dyn Target,
    tables: &[Table],
    survey: &Survey,
    tell: &mut Tell<'_>,
) -> Result<(), MoveError> {
    let mut done = 0_u64;
    for table in tables {
        let of_rows = rows_of(survey, &table.name);
        let mut rows = target.count(table).await.at(Side::Target, &table.name)?;
        let after = target.last_key(table).await.at(Side::Target, &table.name)?;
        let mut page = source.page(table, after).await.at(Side::Source, &table.name)?;
        while page.len() > 0 {
            rows = rows.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
            page = hand_over(source, target, table, page).await?;
            let (all_rows, of_all_rows) = (done.saturating_add(rows), survey.rows());
            let table = &table.name;
            let step = Step { stage: Stage::Copy, table, rows, of_rows, all_rows, of_all_rows };
            go_on(tell(&step))?;
        }
        done = done.saturating_add(rows);
    }
    Ok(())
}

/// Writes a page while the next one is read; answers the next one.
async fn hand_over(
    source: &mut dyn Reading,
    target: &mut dyn Target,
    table: &Table,
    page: Page,
) -> Result<Page, MoveError> {
    if !page.is_full() {
        target.write(table, page).await.at(Side::Target, &table.name)?;
        return Ok(Page::of(table));
    }
    let after = page.last_key(table);
    let (next, written) = tokio::join!(source.page(table, after), target.write(table, page));
    written.at(Side::Target, &table.name)?;
    next.at(Side::Source, &table.name)
}

/// Every value of every row must be there.
async fn arrived(
    target: &mut dyn Target,
    tables: &[Table],
    sent: &Survey,
    tell: &mut Tell<'_>,
) -> Result<(), MoveError> {
    let (side, stage) = (Side::Target, Stage::Compare);
    let pass = Pass { side, stage, expected: Some(sent), nul: true };
    let found = survey(pass, target, tables, tell).await?;
    let differences = sent.differences(&found);
    if differences.is_empty() { Ok(()) } else { Err(MoveError::Unfaithful(differences.join("\n"))) }
}

pub(super) const fn at(stage: Stage) -> Step<'static> {
    Step { stage, table: "", rows: 0, of_rows: 0, all_rows: 0, of_all_rows: 0 }
}
