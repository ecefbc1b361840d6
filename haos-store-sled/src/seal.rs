//! A store's keyring, in a file of its own, which sled's log would keep for ever.

use std::fs::{self, File};
use std::io::ErrorKind as IoKind;
use std::path::Path;

use haos_store_api::Result;
use haos_store_api::backend::files::{self, Expected};
use haos_store_api::backend::native::{KeyringPlace, Mirror, Options};

use crate::error::io;
use crate::home::{Home, MIRROR};

impl KeyringPlace for Home {
    fn record(&self) -> Result<Option<Vec<u8>>> {
        read(&self.keyring())
    }

    fn is_new(&self) -> Result<bool> {
        Ok(!self.sled().exists())
    }

    fn store_first(&self, record: &[u8]) -> Result<()> {
        write(&self.keyring(), record)
    }

    fn copy(&self, _: &Options) -> Option<Vec<u8>> {
        let mirror = Mirror::read(self.path(), MIRROR);
        let is_own = mirror.id() == Some(self.id());
        mirror.keyring().filter(|_| is_own).map(<[u8]>::to_vec)
    }

    fn restore(&self, record: &[u8]) -> Result<()> {
        write(&self.keyring(), record)
    }
}

/// Reads the record of a store's keyring; absent in a plain one.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(record) => Ok(Some(record)),
        Err(e) if e.kind() == IoKind::NotFound => Ok(None),
        Err(e) => Err(io("open", e)),
    }
}

/// Puts a record in the place of the one before, and writes zeros over that.
pub(crate) fn write(path: &Path, record: &[u8]) -> Result<()> {
    let is_there = files::refuse_odd("keys", path, Expected::File)?;
    let old = is_there.then(|| File::options().write(true).open(path)).and_then(std::io::Result::ok);
    files::replace("keys", path, record)?;
    // It has no name any more: as far as the device allows.
    let _ = old.map(files::overwrite);
    Ok(())
}
