use std::path::Path;

use clap::Args;

use crate::Result;
use crate::cmd::Cmd;

/// A package of its own does it, since it depends on a parser of Rust.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct MutantsArgs {
    /// `--help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl MutantsArgs {
    pub(crate) fn run(&self, root: &Path) -> Result {
        let mut args = vec!["run", "--quiet", "--package", "haos-mutants", "--"];
        args.extend(self.args.iter().map(String::as_str));
        let cmd = Cmd::new("cargo", &args);
        if cmd.run(root) { Ok(()) } else { Err(format!("mistakes survived, or could not be tried: {cmd}")) }
    }
}
