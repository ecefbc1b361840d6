use std::fs;
use std::time::{Duration, Instant};

/// How long killed processes may take to be gone.
const LIMIT: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// A process as /proc shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    zombie: bool,
}

/// The processes below this one, nearest first. Empty off Linux, where nothing says so in files.
pub(super) fn below(id: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all: Vec<Process> = entries.filter_map(|entry| look(entry.file_name().to_str()?)).collect();
    let mut found = vec![id];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(all.iter().filter(|process| process.parent == parent).map(|process| process.id));
        next += 1;
    }
    found.remove(0);
    found
}

/// A signal to a process.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    Kill,
    Stop,
    Continue,
}

/// Those that are gone already are left out.
#[cfg(unix)]
pub(super) fn signal(ids: &[u32], signal: Signal) {
    use rustix::process::{Pid, Signal as Unix, kill_process};
    let signal = match signal {
        Signal::Kill => Unix::KILL,
        Signal::Stop => Unix::STOP,
        Signal::Continue => Unix::CONT,
    };
    for id in ids.iter().filter_map(|id| Pid::from_raw(i32::try_from(*id).ok()?)) {
        // It fails only if the process is gone.
        let _ = kill_process(id, signal);
    }
}

/// There are no signals; a driver ends its browser.
#[cfg(not(unix))]
pub(super) fn signal(_: &[u32], _: Signal) {}

/// SIGKILL, and a wait until they are gone.
pub(super) fn kill(ids: &[u32]) {
    signal(ids, Signal::Kill);
    gone(ids);
}

/// Waits until none of them runs, or for a while; true if none does.
pub(super) fn gone(ids: &[u32]) -> bool {
    let started = Instant::now();
    let runs = |id: &u32| look(&id.to_string()).is_some_and(|process| !process.zombie);
    while ids.iter().any(runs) {
        if started.elapsed() > LIMIT {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

fn look(name: &str) -> Option<Process> {
    let id: u32 = name.parse().ok()?;
    parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// `id (name) state parent …`, where the name may have spaces and parentheses.
fn parse(id: u32, stat: &str) -> Option<Process> {
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    let state = words.next()?;
    Some(Process { id, parent: words.next()?.parse().ok()?, zombie: state == "Z" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_parentheses() {
        let expected = Process { id: 7, parent: 3, zombie: true };
        assert_eq!(parse(7, "7 (a) (b c) Z 3 1 1 0"), Some(expected));
        assert_eq!(parse(7, "7"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_is_below_and_gone_once_it_is_killed() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(below(std::process::id()).contains(&child.id()));
        signal(&[child.id()], Signal::Stop);
        kill(&[child.id()]);
        assert!(gone(&[child.id()]));
        child.wait().unwrap();
    }
}
