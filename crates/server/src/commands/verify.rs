//! `hongbao verify`.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use hongbao_app::{
    heads::{ToldHeads, compare},
    jobs::check_books,
    ports::{Clock, Store, SystemClock},
};

use super::{Done, StoreFlags, say};
use crate::{heads, running::open_store_read_only};

/// Check the books of a store.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    store: StoreFlags,
    /// Also fail when packets are not refunded ten minutes after their end; for a store whose
    /// server has been up that long
    #[arg(long)]
    up: bool,
    /// Heads that were exported by `hongbao heads`, a JSON log, or the manifest of a backup: also
    /// fail when a journal lacks what they tell of; may be given repeatedly
    #[arg(long, value_name = "FILE")]
    heads: Vec<PathBuf>,
}

impl Verify {
    pub(super) async fn run(self) -> Done {
        let url = self.store.url();
        let told = heads::read(&self.heads)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let store = open_store_read_only(&url, &clock).await?;
        let found = check_books(store.as_ref(), self.up.then(|| clock.now())).await?;
        say(found.report.to_string().trim_end())?;
        for sentence in &found.structure {
            say(&format!("store FAIL {sentence}"))?;
        }
        let lost = say_lost(store.as_ref(), &told).await?;
        if found.clean() && lost > 0 {
            let why = "the books add up, but this is an older store, or it was rewritten";
            Err(format!("{url}: {why} (journals that lack what was told: {lost})").into())
        } else if found.clean() {
            say(&format!("{url}: the books add up"))?;
            Ok(())
        } else if !found.stops_money() {
            Err(format!("{url}: the books add up, but refunds are late").into())
        } else {
            Err(format!("{url}: the books do not add up; stop money operations and look").into())
        }
    }
}

/// Compares the journals with what was told of them, and says what is lost; answers of how many.
async fn say_lost(
    store: &dyn Store,
    told: &ToldHeads,
) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    if told.is_empty() {
        return Ok(0);
    }
    let mut source = store.audit_source().await?;
    let lost = compare(source.as_mut(), told).await?;
    for lost in &lost {
        say(&format!("heads FAIL {lost}"))?;
    }
    if lost.is_empty() {
        say(&format!("heads OK {} journals have what was told of them", told.len()))?;
    }
    Ok(lost.len())
}
