use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::Result;
use crate::cmd::Cmd;

/// How many commands run at once: what they start takes most of a core each, and waits much.
const AT_ONCE: usize = 3;

/// Runs commands that do not depend on each other side by side, all of them. What one prints is shown
/// whole when it has ended, and `read`. The error is the lines that repeat what failed.
pub(crate) fn run(root: &Path, commands: &[Cmd], read: impl Fn(&str) + Sync) -> Result {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(cmd) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
            let begun = Instant::now();
            let passed = match captured(root, cmd) {
                Ok((passed, text)) => {
                    println!("$ {cmd}\n{}\n{:.1} s\n", text.trim_end(), begun.elapsed().as_secs_f64());
                    read(&text);
                    passed
                }
                Err(e) => {
                    eprintln!("$ {cmd}\ndid not start: {e}\n");
                    false
                }
            };
            if !passed && let Ok(mut failed) = failed.lock() {
                failed.push(cmd.to_string());
            }
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    match failed.into_inner() {
        Ok(failed) if failed.is_empty() => Ok(()),
        Ok(failed) => Err(failed.join("\n    ")),
        Err(_) => Err("a thread of this program panicked: run the step again".into()),
    }
}

/// Runs it; returns if it succeeded, and all it printed, in the order in which it did.
fn captured(root: &Path, cmd: &Cmd) -> std::io::Result<(bool, String)> {
    let (mut ours, theirs) = std::io::pipe()?;
    let mut command = cmd.command();
    command.stdin(Stdio::null()).stdout(theirs.try_clone()?).stderr(theirs).current_dir(root);
    let mut child = command.spawn()?;
    // It holds the other end: reading would not end.
    drop(command);
    let mut bytes = Vec::new();
    ours.read_to_end(&mut bytes)?;
    Ok((child.wait()?.success(), String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_told() {
        let commands = ["no-such-program-a", "cargo", "no-such-program-b", "cargo"]
            .map(|program| Cmd::new(program, &["--version"]));
        let read = Mutex::new(String::new());
        let note = |text: &str| read.lock().unwrap().push_str(text);
        let message = run(Path::new("."), &commands, note).unwrap_err();
        assert!(message.contains("no-such-program-a --version"), "{message}");
        assert!(message.contains("no-such-program-b --version"), "{message}");
        assert_eq!(message.lines().count(), 2, "{message}");
        assert_eq!(read.lock().unwrap().matches("cargo 1").count(), 2, "what the others print is read");
        assert_eq!(run(Path::new("."), &commands[3..], |_| {}), Ok(()));
        assert_eq!(run(Path::new("."), &[], |_| {}), Ok(()));
    }

    #[test]
    fn both_outputs_are_kept() {
        let (passed, text) = captured(Path::new("."), &Cmd::cargo("no-such-command")).unwrap();
        assert!(!passed && text.contains("no-such-command"), "{text}");
    }
}
