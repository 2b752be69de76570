//! `hongbao verify`.

use std::sync::Arc;

use clap::Args;
use hongbao_app::{
    jobs::check_books,
    ports::{Clock, SystemClock},
};

use super::{Done, StoreFlags, say};
use crate::running::open_store_read_only;

/// Check the books of a store.
#[derive(Debug, Args)]
pub(super) struct Verify {
    #[command(flatten)]
    store: StoreFlags,
    /// Also fail when packets are not refunded ten minutes after their end; for a store whose
    /// server has been up that long
    #[arg(long)]
    up: bool,
}

impl Verify {
    pub(super) async fn run(self) -> Done {
        let url = self.store.url();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let store = open_store_read_only(&url, &clock)?;
        let found = check_books(store.as_ref(), self.up.then(|| clock.now())).await?;
        say(found.report.to_string().trim_end())?;
        for sentence in &found.structure {
            say(&format!("store FAIL {sentence}"))?;
        }
        if found.clean() {
            say(&format!("{url}: the books add up"))?;
            Ok(())
        } else if !found.stops_money() {
            Err(format!("{url}: the books add up, but refunds are late").into())
        } else {
            Err(format!("{url}: the books do not add up; stop money operations and look").into())
        }
    }
}
