//! `hongbao migrate`.

use clap::Args;

use super::{Done, StoreFlags, say};
use crate::running::{distribute_store, migrate_store};

/// Bring a store's schema up to date.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    store: StoreFlags,
    /// Also distribute the tables over the machines of a Citus cluster, by their owners
    #[arg(long)]
    distribute: bool,
}

impl Migrate {
    pub(super) async fn run(self) -> Done {
        let url = self.store.url();
        if self.distribute {
            distribute_store(&url).await?;
            say(&format!("{url} is up to date and distributed"))?;
        } else {
            migrate_store(&url).await?;
            say(&format!("{url} is up to date"))?;
        }
        Ok(())
    }
}
