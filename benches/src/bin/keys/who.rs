//! The contenders: two, each with a store for every lock.

use std::path::{Path, PathBuf};
use std::process::Command;

use haos_benches::account::run;
use haos_contest::Lock;
use haos_contest::keys::{Kept, Paged};
use serde::Deserialize;

/// A contender with one of its stores.
pub(crate) struct Who {
    lock: Lock,
    /// The rival's program; none is ours.
    peer: Option<PathBuf>,
    /// Where its store is.
    pub(crate) folder: PathBuf,
}

impl Who {
    pub(crate) fn new(lock: Lock, peer: Option<&Path>, folder: &Path) -> Self {
        let name = format!("{}-{}", if peer.is_some() { "sdk" } else { "haos" }, lock.name());
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self { lock, peer: peer.map(Path::to_owned), folder }
    }

    fn call<T: for<'de> Deserialize<'de>>(&self, call: &str, file: &Path, words: &[&str]) -> T {
        let program = self.peer.clone().unwrap_or_else(|| std::env::current_exe().unwrap());
        let mut command = Command::new(program);
        run(command.args([call, self.lock.name()]).arg(&self.folder).arg(file).args(words))
    }

    /// Stores the page's room keys, and others until there are so many.
    pub(crate) fn fill(&self, file: &Path, count: usize) -> Kept {
        self.call("fill", file, &[&count.to_string()])
    }

    /// Decrypts the page.
    pub(crate) fn page(&self, file: &Path) -> Paged {
        self.call("page", file, &[])
    }
}
