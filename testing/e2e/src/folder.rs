use std::io;

use tempfile::TempDir;

/// A memory file system: whoever waits for the disk at every message waits long.
const MEMORY: &str = "/dev/shm";
/// Containers may have little of it.
#[cfg(unix)]
const ROOM: u64 = 1 << 29;

/// A folder in memory where that can be had, else on disk, removed when dropped.
pub(crate) fn temporary() -> io::Result<TempDir> {
    in_memory().map_or_else(|| builder().tempdir(), Ok)
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("haos-e2e-");
    builder
}

/// `None` if it is absent, or small, or not ours to write.
fn in_memory() -> Option<TempDir> {
    #[cfg(unix)]
    {
        let status = rustix::fs::statvfs(MEMORY).ok()?;
        if status.f_bavail.saturating_mul(status.f_frsize) < ROOM {
            return None;
        }
    }
    builder().tempdir_in(MEMORY).ok()
}
