//! `hongbao bench`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

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
        let (json, said) = if self.plan.validate_simulator {
            let validation = bench::validate(&self.plan).await?;
            (beside(&self.plan.json, serde_json::to_value(&validation)?)?, validation.to_string())
        } else {
            let figures = bench::run(&self.plan).await?;
            (serde_json::to_value(&figures)?, figures.to_string())
        };
        if let Some(directory) = self.plan.json.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&self.plan.json, serde_json::to_string_pretty(&json)?)?;
        say(&said)?;
        say(&format!("as JSON: {}", self.plan.json.display()))?;
        Ok(())
    }
}

/// One process of several that claim together.
#[derive(Debug, Args)]
pub(super) struct BenchClaims {
    /// A claim a line: the packet's code and the number of the user
    file: PathBuf,
}

impl BenchClaims {
    pub(super) async fn run(self) -> Done {
        Ok(bench::claim_for(&self.file).await?)
    }
}

/// The figures that are in the file, if there is one, with the validation beside them.
fn beside(
    path: &Path,
    validation: Value,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let mut figures = match fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => serde_json::Map::new(),
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    figures.insert("simulator".to_owned(), validation);
    Ok(Value::Object(figures))
}
