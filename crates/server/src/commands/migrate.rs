//! `hongbao migrate`.

use clap::Args;

use super::{Done, StoreFlags, say};
use crate::running::migrate_store;

/// Bring a store's schema up to date.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    store: StoreFlags,
}

impl Migrate {
    pub(super) async fn run(self) -> Done {
        let url = self.store.url();
        migrate_store(&url).await?;
        say(&format!("{url} is up to date"))?;
        Ok(())
    }
}
