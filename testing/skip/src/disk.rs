use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{skipped, skipped_without_need};

/// The capability to mount, `CAP_SYS_ADMIN`, as `/proc` has it.
const MAY_MOUNT: u64 = 1 << 21;

/// A small file system of its own, in memory, that goes with the value, also when a test panics.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// One of this size, as `mount` takes it; none where this process may not mount, which is said as a test that
    /// is skipped.
    pub fn mount(size: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("haos-disk-{}-{number}", std::process::id()));
        let made = fs::create_dir(&folder).map_err(|e| e.to_string());
        let options = format!("size={size}");
        match made.and_then(|()| mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], &folder)) {
            Ok(()) => Some(Self(folder)),
            Err(why) => {
                let _ = fs::remove_dir(&folder);
                let why = format!("no file system can be mounted ({why})");
                let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
                if may_mount(&status) {
                    skipped_without_need(why, "find out why this process, which may mount, cannot");
                } else {
                    skipped(why, "run the tests as root, outside of a container that takes that right away");
                }
                None
            }
        }
    }

    /// Mounts it again with these options; tells if that succeeded.
    pub fn remount(&self, options: &str) -> bool {
        mount(&["-o", &format!("remount,{options}")], &self.0).is_ok()
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

fn mount(args: &[&str], at: &Path) -> Result<(), String> {
    let output = Command::new("mount").args(args).arg(at).output().map_err(|e| format!("mount: {e}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let text = String::from_utf8_lossy(&output.stderr).replace(&*at.to_string_lossy(), "tmpfs");
            Err(text.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

/// Tells if a process with this `/proc/self/status` may mount.
fn may_mount(status: &str) -> bool {
    let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    rights
        .and_then(|rights| u64::from_str_radix(rights.trim(), 16).ok())
        .is_some_and(|all| all & MAY_MOUNT != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_read_of_the_process() {
        for (rights, may) in
            [("000001ffffffffff", true), ("00000000a80425fb", false), ("0000000000200000", true)]
        {
            assert_eq!(
                may_mount(&format!("Name:\tx\nCapPrm:\tffff\nCapEff:\t{rights}\nSeccomp:\t0\n")),
                may,
                "{rights}"
            );
        }
        assert!(!may_mount("") && !may_mount("CapEff:\tx\n"));
    }
}
