//! Taking a move back: the target is closed, and the source opens again.
//!
//! Only a target that is what the source is may be closed so: what was booked there would be lost.

use super::{
    Found, MoveError, Place, Reading, Side, Stage, Table, Target, Tell,
    carry::{Hold, at, first_pass, open_source, open_target, refuse_same, tables},
    digest::{Pass, survey},
    go_on,
    side::Sided as _,
};

/// Takes back the move of the store at `from` to `to`. Without a `to` that is still there it opens
/// the source all the same, if `lost` says that a person knows it is gone for good.
pub async fn undo(
    from: &Place,
    to: &Place,
    lost: bool,
    tell: &mut Tell<'_>,
) -> Result<(), MoveError> {
    refuse_same(from, to)?;
    let tables = tables()?;
    let mut source = open_source(from, &tables, Hold::Still).await?;
    match source.moved_to().await.of(Side::Source)? {
        None => return Err(MoveError::NotMoved),
        Some(place) if place == to.to_string() => {}
        Some(place) => {
            return Err(MoveError::MovedElsewhere { to: place, given: to.to_string() });
        }
    }
    // Held until the source is open, so that no server starts on it in between.
    let mut target = if lost { None } else { Some(open_target(to, true).await?) };
    if let Some(target) = &mut target {
        close(source.as_mut(), target.as_mut(), (from, to), &tables, tell).await?;
    }
    go_on(tell(&at(Stage::Open)))?;
    source.reopen().await.of(Side::Source)
}

/// Closes the target, if anything is there that could be served.
async fn close(
    source: &mut dyn Reading,
    target: &mut dyn Target,
    (from, to): (&Place, &Place),
    tables: &[Table],
    tell: &mut Tell<'_>,
) -> Result<(), MoveError> {
    let found = target.look(tables).await?;
    if matches!(found, Found::Nothing | Found::Half(_)) {
        return Ok(());
    }
    match target.moved_to().await.of(Side::Target)? {
        // This was cut off behind here before.
        Some(place) if place == from.to_string() => return Ok(()),
        Some(place) => {
            return Err(MoveError::Served { changes: format!("it was moved to {place}") });
        }
        None => {}
    }
    if matches!(found, Found::Filled(_)) {
        let sent = survey(first_pass(to), source, tables, tell).await?;
        let (side, stage) = (Side::Target, Stage::Compare);
        let pass = Pass { side, stage, expected: Some(&sent), nul: true };
        let changes = sent.differences(&survey(pass, target, tables, tell).await?);
        if !changes.is_empty() {
            return Err(MoveError::Served { changes: changes.join("; ") });
        }
    }
    go_on(tell(&at(Stage::Close)))?;
    target.close(&from.to_string()).await.of(Side::Target)
}
