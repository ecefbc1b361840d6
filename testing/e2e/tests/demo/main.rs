//! `cargo demo --homeserver` on a real Synapse: `cargo xtask e2e`.
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod passes;
mod refused;

use std::io::Write as _;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::process::Command;

/// A run's output and exit code.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the demo of this workspace, and waits for its end.
async fn demo(args: &[&str]) -> Run {
    // Cargo puts the programs of a profile above the folder of its tests.
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join(format!("haos-demo{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "build it first: cargo build -p haos-demo");
    let mut command = Command::new(program);
    command.args(args).kill_on_drop(true);
    // Far more than it takes.
    let output = tokio::time::timeout(Duration::from_secs(600), command.output()).await;
    let output = output.unwrap().unwrap();
    let run = Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    println!("{}{}", run.stdout, run.stderr);
    run
}

impl Run {
    /// Fails with this code and a message that has all of these in it.
    #[track_caller]
    fn fails(&self, code: i32, has: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for part in has {
            assert!(self.stderr.contains(part), "no {part:?} in {}", self.stderr);
        }
    }
}

/// A file that nobody else can read.
fn password_file(password: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    writeln!(file, "{password}").unwrap();
    file
}
