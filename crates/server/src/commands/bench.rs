//! `hongbao bench`.

use clap::Args;

use super::{Done, say};
use crate::bench::{self, Plan};

/// Measure this machine and print the figures.
#[derive(Debug, Args)]
pub(super) struct Bench {
    #[command(flatten)]
    plan: Plan,
}

impl Bench {
    pub(super) async fn run(self) -> Done {
        let figures = bench::run(&self.plan).await?;
        if let Some(directory) = self.plan.json.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(&self.plan.json, serde_json::to_string_pretty(&figures)?)?;
        say(&figures.to_string())?;
        say(&format!("as JSON: {}", self.plan.json.display()))?;
        Ok(())
    }
}
