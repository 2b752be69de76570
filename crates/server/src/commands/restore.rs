//! `hongbao restore`.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use hongbao_app::ports::SystemClock;

use super::{Done, StoreFlags, say};
use crate::{
    backup::{self, Restored, Target},
    heads,
};

/// Put a backup in place: checked in full first, and never over anything.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The folder of the backup
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    #[command(flatten)]
    store: StoreFlags,
    /// Heads that were exported later, or a JSON log: tells what is lost; may be given repeatedly
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,
}

impl Restore {
    pub(super) async fn run(self) -> Done {
        let told = heads::read(&self.heads)?;
        let target = Target { data: self.store.data.clone(), store: self.store.url() };
        let clock = Arc::new(SystemClock::start());
        let restored = backup::restore(&self.from, &target, &told, clock).await?;
        let Restored { manifest, proved, lost, secrets } = &restored;
        let url = &target.store;
        if !proved {
            say(&format!(
                "{url} is in place, its bytes are those of the backup, and its books are NOT \
                 checked: it has schema {}. Run `hongbao migrate`, then `hongbao verify --heads \
                 {}/manifest.json`",
                manifest.schema,
                self.from.display()
            ))?;
            return Ok(());
        }
        say(&format!(
            "{url} is in place as of {}: the books add up, every head is that of the manifest",
            manifest.taken_at
        ))?;
        for lost in lost {
            say(&format!("LOST {lost}"))?;
        }
        match (lost.is_empty(), self.heads.is_empty()) {
            (false, _) => say(
                "Numbers that were used in these rows are free again: a caller that repeats one \
                 pays once more. Look at docs/guide/backup.md before serving.",
            )?,
            (true, false) => say("Nothing that was told by --heads is lost")?,
            (true, true) => say(&format!(
                "What came after {} is lost; --heads FILE would have told how much",
                manifest.taken_at
            ))?,
        }
        if !secrets {
            say("No secrets were restored: put master.key and its neighbours into the data \
                 directory before serving")?;
        }
        Ok(())
    }
}
