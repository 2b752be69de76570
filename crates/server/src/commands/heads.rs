//! `hongbao heads`.

use std::{
    io::{self, BufWriter},
    sync::Arc,
};

use clap::Args;
use hongbao_app::ports::{Clock, SystemClock};

use super::{Done, StoreFlags};
use crate::{heads, running::open_store_read_only};

/// Print the head of every journal, to be kept away from the store.
#[derive(Debug, Args)]
pub(super) struct Heads {
    #[command(flatten)]
    store: StoreFlags,
}

impl Heads {
    pub(super) async fn run(self) -> Done {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let store = open_store_read_only(&self.store.url(), &clock).await?;
        let taken_at = clock.now();
        let mut source = store.audit_source().await?;
        let mut out = BufWriter::new(io::stdout());
        heads::export(source.as_mut(), taken_at, &mut out).await?;
        Ok(())
    }
}
