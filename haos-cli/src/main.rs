//! `haos`: chat, import, browse and inspect.

use std::process::ExitCode;

fn main() -> ExitCode {
    haos_cli::main()
}
