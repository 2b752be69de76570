//! `hongbao backup`.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use hongbao_app::ports::{Clock, SystemClock};
use hongbao_store::sqlite::Copied;

use super::{Done, StoreFlags, say};
use crate::backup::{self, Secrets, Wanted};

/// Copy a store at one moment into a new folder, beside a running server.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(flatten)]
    store: StoreFlags,
    /// The folder to make
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Put master key, certificate authority and tokens of --data along, in a file of their own
    #[arg(long, requires = "data")]
    with_secrets: bool,
    /// Check everything of the copy as a restore would, before it counts as a backup; takes as long
    /// as `hongbao verify`
    #[arg(long)]
    verify: bool,
}

impl Backup {
    pub(super) async fn run(self) -> Done {
        let data = self.store.data.as_deref();
        let secrets = data.filter(|_| self.with_secrets).map(Secrets::read).transpose()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let wanted = Wanted { secrets: secrets.as_ref(), verify: self.verify };
        let url = self.store.url();
        let mut told = Tenths::default();
        let tell = move |copied| told.tell(copied);
        let taken = backup::take(&url, &self.to, &wanted, &clock, tell).await?;
        let manifest = &taken.manifest;
        say(&format!(
            "{} holds {url} as of {}: {} bytes, {} merchants, {} journals of users",
            self.to.display(),
            manifest.taken_at,
            manifest.database.bytes,
            manifest.heads.merchants.len(),
            manifest.heads.users.journals,
        ))?;
        if self.verify {
            say("Its books add up, and a restore would take it.")?;
        }
        self.say_secrets()?;
        Ok(())
    }

    fn say_secrets(&self) -> io::Result<()> {
        if self.with_secrets {
            say("SECRETS ARE IN IT: secrets.json opens everything that the store has sealed.")?;
            return say("Move it away from the rest, and keep it as you keep a key.");
        }
        say(
            "NO SECRETS ARE IN IT. Without them a restored store opens no key and knows no caller.",
        )?;
        let Some(data) = &self.store.data else {
            return say(
                "Copy master.key and its neighbours from the data directory to another place.",
            );
        };
        let names = Secrets::names(data).join(", ");
        say(&format!("Copy these from {} to another place: {names}", data.display()))?;
        if !data.join("master.key").exists() {
            say("master.key is not there: if it comes from HONGBAO_MASTER_KEY, keep that.")?;
        }
        Ok(())
    }
}

/// Tells every tenth of a large store.
#[derive(Debug, Default)]
struct Tenths(i32);

impl Tenths {
    /// 64 MiB; less is copied before anybody asks.
    const LARGE_PAGES: i32 = 16_384;

    fn tell(&mut self, copied: Copied) {
        let Copied { pages, of_pages } = copied;
        let tenth = pages / (of_pages / 10).max(1);
        if of_pages < Self::LARGE_PAGES || tenth <= self.0 {
            return;
        }
        self.0 = tenth;
        // With the terminal gone there is nobody to tell, and the backup goes on.
        drop(writeln!(io::stderr(), "copied {pages} of {of_pages} pages"));
    }
}
