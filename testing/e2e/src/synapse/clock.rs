use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Error, Result};

/// The variant for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
const PLACES: [&str; 4] = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib"];

/// A server's clock, ahead of the machine's by as much as a file says.
#[derive(Debug)]
pub(super) struct Clock {
    library: PathBuf,
    file: PathBuf,
    ahead: Duration,
}

impl Clock {
    /// Not ahead; `folder` is for its file.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let library = find().ok_or_else(|| {
            Error::new(
                "libfaketime is missing",
                "`cargo xtask e2e` installs it; by hand: apt-get install faketime, or your system's package",
            )
        })?;
        let clock = Self { library, file: folder.join("clock"), ahead: Duration::ZERO };
        clock.write()?;
        Ok(clock)
    }

    /// Makes a process read this clock.
    pub(super) fn pass_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            // The file is read at every look at the clock, and timers go on as they were.
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // A fix for another C library: with it Python's threads wait in a loop, and all is slow.
            .env("FAKETIME_FORCE_MONOTONIC_FIX", "0");
    }

    /// The files that libfaketime leaves of a process that was killed.
    pub(super) fn leavings(process: u32) -> [PathBuf; 2] {
        ["faketime_shm_", "sem.faketime_sem_"]
            .map(|name| Path::new("/dev/shm").join(format!("{name}{process}")))
    }

    /// Takes effect at once.
    pub(super) fn advance(&mut self, by: Duration) -> Result<()> {
        self.ahead += by;
        self.write()
    }

    /// By renaming: whoever reads sees the old time or the new one.
    fn write(&self) -> Result<()> {
        let new = self.file.with_extension("new");
        fs::write(&new, format!("+{}\n", self.ahead.as_secs()))
            .and_then(|()| fs::rename(&new, &self.file))
            .map_err(|e| Error::new("cannot set the clock", e))
    }
}

/// Right below one of the places, or below the folder of an architecture in it.
fn find() -> Option<PathBuf> {
    let places = PLACES.iter().map(PathBuf::from);
    let deeper = PLACES.iter().filter_map(|place| fs::read_dir(place).ok()).flatten().flatten();
    places
        .chain(deeper.map(|entry| entry.path()))
        .map(|place| place.join(LIBRARY))
        .find(|file| file.is_file())
}
