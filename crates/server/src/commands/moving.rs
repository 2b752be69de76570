//! `hongbao move`.

use std::{
    io::{self, Write as _},
    ops::ControlFlow,
    sync::Arc,
};

use clap::Args;
use hongbao_app::ports::{Clock, SystemClock};
use hongbao_store::moving::{self, Place, Plan, Ready, Stage, Step, Survey};

use super::{Done, say};
use crate::config::StoreUrl;

/// Time between two lines about one table.
const EVERY_MILLIS: i64 = 2_000;

/// Move a store to another database: SQLite to PostgreSQL, or back.
#[derive(Debug, Args)]
pub(super) struct Move {
    /// The store to move; no server may run on it: `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(long, value_name = "URL")]
    from: StoreUrl,
    /// Where to: a database that is empty, or holds a part of the same move
    #[arg(long, value_name = "URL")]
    to: StoreUrl,
    /// Check both sides and say what would be moved; writes nothing, works beside a server
    #[arg(long)]
    dry_run: bool,
    /// Take back a move whose target was never served: that one is closed, and --from opens again
    #[arg(long, conflicts_with = "dry_run")]
    undo: bool,
    /// With --undo: the target is gone for good, and whatever was booked there with it
    #[arg(long, requires = "undo")]
    target_lost: bool,
}

impl Move {
    pub(super) async fn run(self) -> Done {
        let (from, to) = (place(&self.from), place(&self.to));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let mut progress = Progress::new(Arc::clone(&clock));
        let mut tell = |step: &Step<'_>| {
            progress.tell(step);
            ControlFlow::Continue(())
        };
        if self.undo {
            Box::pin(moving::undo(&from, &to, self.target_lost, &mut tell)).await?;
            return self.say_undone();
        }
        if self.dry_run {
            let plan = Box::pin(moving::dry_run(&from, &to, &clock, &mut tell)).await?;
            return self.say_plan(&plan);
        }
        let began = clock.now();
        let moved = Box::pin(moving::run(&from, &to, &clock, &mut tell)).await?;
        let Self { from, to, .. } = &self;
        let took = clock.now().millis().saturating_sub(began.millis()) / 1_000;
        say(&format!(
            "{to} holds everything that {from} holds: {}, moved in {took} s{}",
            counts(&moved.survey),
            if moved.resumed { " (after an earlier attempt)" } else { "" },
        ))?;
        say("Every value, balance and head is the source's, and the books add up.")?;
        say(&format!(
            "Serve {to} from now on. {from} opens for no server any more: it is a backup."
        ))?;
        Ok(())
    }

    fn say_undone(&self) -> Done {
        let Self { from, to, target_lost, .. } = self;
        say(&format!("The move is taken back: serve {from} as before."))?;
        if *target_lost {
            say(&format!("Never serve {to}, should it come back: it was not looked at."))?;
        } else {
            say(&format!("{to} opens for no server. Remove it before you move there again."))?;
        }
        Ok(())
    }

    fn say_plan(&self, plan: &Plan) -> Done {
        let Self { from, to, .. } = self;
        for table in plan.survey.tables.iter().filter(|table| table.rows > 0) {
            say(&format!("{:<24}{:>14} rows{:>16} bytes", table.table, table.rows, table.bytes))?;
        }
        say(&format!("{from} holds {}, and its books add up", counts(&plan.survey)))?;
        let target = match plan.target {
            Ready::Nothing => "is reachable and has no schema: the move makes it",
            Ready::Empty => "is reachable, has the schema and is empty",
            Ready::Half => "holds a part of this move, which the same command goes on with",
        };
        say(&format!("{to} {target}"))?;
        say("Nothing was written. Stop all servers before the move itself.")?;
        Ok(())
    }
}

fn place(url: &StoreUrl) -> Place {
    match url {
        StoreUrl::Sqlite(path) => Place::Sqlite(path.clone()),
        StoreUrl::Postgres(url) => Place::Postgres(url.clone()),
    }
}

fn counts(survey: &Survey) -> String {
    let (rows, bytes) = (survey.rows(), survey.bytes());
    format!("{rows} rows in {} tables, {bytes} bytes of values", survey.tables.len())
}

/// Tells what is done, a line a table, and oftener where one takes long.
struct Progress {
    clock: Arc<dyn Clock>,
    stage: Option<Stage>,
    /// The last table whose end was told.
    ended: String,
    /// When the stage began and how many rows were there then.
    began: (i64, u64),
    told_at: i64,
}

impl Progress {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, stage: None, ended: String::new(), began: (0, 0), told_at: 0 }
    }

    fn tell(&mut self, step: &Step<'_>) {
        let now = self.clock.now().millis();
        if self.stage != Some(step.stage) {
            self.stage = Some(step.stage);
            self.ended.clear();
            self.began = (now, step.all_rows);
            line(&format!("{} …", step.stage));
        }
        if step.table.is_empty() {
            return;
        }
        let ended = step.of_rows > 0 && step.rows >= step.of_rows && self.ended != step.table;
        let late = now.saturating_sub(self.told_at) >= EVERY_MILLIS;
        if !ended && !late {
            return;
        }
        if ended {
            step.table.clone_into(&mut self.ended);
        }
        self.told_at = now;
        line(&self.sentence(step, now));
    }

    fn sentence(&self, step: &Step<'_>, now: i64) -> String {
        let (since, from_row) = self.began;
        let millis = u64::try_from(now.saturating_sub(since)).unwrap_or(0).max(1);
        let done = step.all_rows.saturating_sub(from_row);
        let rate = done.saturating_mul(1_000) / millis;
        let Step { stage, table, rows, of_rows, all_rows, of_all_rows } = step;
        if *of_all_rows == 0 {
            return format!("{stage}: {table}: {rows} rows, {all_rows} in all, {rate} rows/s");
        }
        let share = all_rows.saturating_mul(100) / of_all_rows;
        format!("{stage}: {table}: {rows} of {of_rows} rows, {rate} rows/s, {share} % of all")
    }
}

/// With the terminal gone there is nobody to tell, and the move goes on.
fn line(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}
