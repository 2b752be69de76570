//! `hongbao migrate`.

use clap::Args;
use hongbao_store::sqlite::SqliteStore;

use super::{Done, StoreFlags, say};
use crate::config::StoreUrl;

/// Bring a store's schema up to date.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    store: StoreFlags,
}

impl Migrate {
    pub(super) fn run(self) -> Done {
        let url = self.store.url();
        match &url {
            StoreUrl::Sqlite(path) => SqliteStore::migrate(path)?,
        }
        say(&format!("{url} is up to date"))?;
        Ok(())
    }
}
