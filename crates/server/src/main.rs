//! The program `hongbao`.

use std::process::ExitCode;

fn main() -> ExitCode {
    hongbao_server::commands::main()
}
