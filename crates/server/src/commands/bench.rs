//! `hongbao bench`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

use super::{Done, say};
use crate::bench::{self, Figures, Plan, Validation};

/// Measure this machine and print the figures.
#[derive(Debug, Args)]
pub(super) struct Bench {
    #[command(flatten)]
    plan: Plan,
}

impl Bench {
    pub(super) async fn run(self) -> Done {
        if self.plan.validate_simulator {
            let validation = bench::validate(&self.plan).await?;
            say(&validation.to_string())?;
            let json = self.plan.json.as_deref();
            return json.map_or(Ok(()), |path| write(path, &beside(path, &validation)?));
        }
        let mut figures = Figures::new(&self.plan);
        let ended = bench::run(&self.plan, &mut figures).await;
        say(&figures.to_string())?;
        let json = self.plan.json.as_deref();
        json.map_or(Ok(()), |path| write(path, &serde_json::to_value(&figures)?))?;
        Ok(ended?)
    }
}

fn write(path: &Path, json: &Value) -> Done {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, serde_json::to_string_pretty(json)?)?;
    say(&format!("as JSON: {}", path.display()))?;
    Ok(())
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
    validation: &Validation,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let mut figures = match fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => serde_json::Map::new(),
        Err(error) => return Err(format!("{}: {error}", path.display()).into()),
    };
    figures.insert("simulator".to_owned(), serde_json::to_value(validation)?);
    Ok(Value::Object(figures))
}
