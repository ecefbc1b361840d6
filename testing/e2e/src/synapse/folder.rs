use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Error, Result};

/// Set to anything: the folders stay, and are named when their server ends.
const KEEP: &str = "HAOS_E2E_KEEP";
/// A server's data, removed when dropped.
#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Result<Self> {
        crate::folder::temporary().map(Self).map_err(|e| Error::new("no folder for Synapse's data", e))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        std::fs::write(self.file(name), text).map_err(|e| Error::new(format!("cannot write {name}"), e))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os(KEEP).is_some() {
            self.0.disable_cleanup(true);
            eprintln!("kept: {}", self.path().display());
        }
    }
}
