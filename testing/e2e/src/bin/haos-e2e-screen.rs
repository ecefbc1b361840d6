//! A chat under test as a process: see `haos_e2e::screen` for what it is told and what it says.

use std::process::ExitCode;

fn main() -> ExitCode {
    haos_e2e::screen::serve()
}
