use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

static PLAIN: AtomicBool = AtomicBool::new(false);

/// Makes every later command leave out colours and progress bars.
pub(crate) fn plain_output() {
    PLAIN.store(true, Ordering::Relaxed);
}

/// A command that prints as the line to type for it.
pub(crate) struct Cmd {
    program: String,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl Cmd {
    pub(crate) fn new(program: &str, args: &[&str]) -> Self {
        Self {
            program: program.to_owned(),
            args: args.iter().map(ToString::to_string).collect(),
            env: Vec::new(),
        }
    }

    /// `line` is split at spaces.
    pub(crate) fn cargo(line: &str) -> Self {
        Self::new("cargo", &line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl ToString) -> Self {
        self.env.push((name, value.to_string()));
        self
    }

    /// Runs in `dir` with the output going where ours goes; false when it fails or cannot start.
    pub(crate) fn run(&self, dir: &Path) -> bool {
        match self.command().current_dir(dir).status() {
            Ok(status) => status.success(),
            Err(e) => {
                eprintln!("{} did not start: {e}", self.program);
                false
            }
        }
    }

    /// Runs silently, to learn whether the program is there and works.
    pub(crate) fn works(&self) -> bool {
        self.command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Standard output without the line end, when the command succeeds.
    pub(crate) fn output(&self) -> Option<String> {
        Some(String::from_utf8_lossy(&self.bytes()?).trim_end().to_owned())
    }

    /// Standard output as it is, when the command succeeds.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        let output = self.command().output().ok().filter(|output| output.status.success())?;
        Some(output.stdout)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program(&self.program));
        command.args(&self.args);
        if PLAIN.load(Ordering::Relaxed) {
            command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The cargo that runs us, so that a chosen toolchain stays the chosen one.
fn program(name: &str) -> OsString {
    match name {
        "cargo" => std::env::var_os("CARGO").unwrap_or_else(|| name.into()),
        _ => name.into(),
    }
}

impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        write!(f, "{}", quoted(&self.program))?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(arg)))
    }
}

fn quoted(word: &str) -> String {
    match word.contains([' ', '"', '$', '*']) {
        true => format!("'{word}'"),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_the_line_to_type() {
        let cmd = Cmd::cargo("doc --workspace").env("RUSTDOCFLAGS", "-D warnings").env("N", 3);
        assert_eq!(cmd.to_string(), "RUSTDOCFLAGS='-D warnings' N=3 cargo doc --workspace");
    }

    #[test]
    fn a_missing_program_is_a_failure_not_a_panic() {
        let cmd = Cmd::new("no-such-program-anywhere", &[]);
        assert!(!cmd.works());
        assert!(!cmd.run(Path::new(".")));
        assert_eq!(cmd.output(), None);
    }
}
