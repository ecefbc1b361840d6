//! Questions to the operating system.

use std::fs::File;
use std::path::Path;

use rustix::fs::{Advice, fadvise};
use rustix::time::{ClockId, clock_gettime};

/// The processor time of this process, of every thread, in microseconds.
pub fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// A figure of `/proc/self/status` in bytes, such as `VmHWM`, the most that was resident; 0 without one.
pub fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// Has the files of a folder written to disk and dropped from the page cache; says whether that went well.
pub fn forget(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().map(|entry| entry.path()).all(|path| match path.is_dir() {
        true => forget(&path),
        false => File::open(&path)
            .is_ok_and(|file| file.sync_all().is_ok() && fadvise(&file, 0, None, Advice::DontNeed).is_ok()),
    })
}
