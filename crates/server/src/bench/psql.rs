//! Statements of the benchmark that are none of the product's, through `psql`.

use std::process::Command;

use hongbao_store::postgres::PostgresUrl;

use super::BenchError;

/// Runs statements that a blank line parts, each by itself; answers what the last ones print.
pub(super) fn run(url: &PostgresUrl, sql: &str) -> Result<String, BenchError> {
    let mut command = Command::new("psql");
    command.args(["-qAt", "-v", "ON_ERROR_STOP=1"]).arg(url.for_programs());
    for statement in sql.split("\n\n") {
        command.arg("-c").arg(statement);
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(BenchError::Other(format!("psql: {}", String::from_utf8_lossy(&output.stderr))))
}
