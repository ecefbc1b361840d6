//! The files of a new store before it takes its place: in a folder of their own, with our sign and the store's id.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use haos_store_api::backend::files::{
    SIGN, Sign, StoreId, beside, create_folder, random_name, refuse_odd, set_asides, signed_beside,
    sync_folder,
};
use haos_store_api::{Error, ErrorKind, Result};

use crate::companions;

/// The fate of a scratch whose maker is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The next process that opens the store removes it: it may hold plain rows.
    Passing,
    /// The next conversion resumes with it: it holds sealed rows alone.
    Sealing,
}

impl Purpose {
    fn what(self) -> &'static str {
        match self {
            Self::Passing => "scratch",
            Self::Sealing => "being sealed",
        }
    }
}

/// A folder that is removed with its owner, unless it is kept. Nobody can foresee its name.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    name: String,
    /// Locked: its owner lives.
    _sign: File,
    kept: bool,
}

impl Scratch {
    pub(crate) fn create(path: &Path, id: StoreId, purpose: Purpose) -> Result<Self> {
        let name = random_name()?;
        let folder = folder_of(path, &name);
        let fault = |e| crate::damage::io("a folder beside the store cannot be made", e);
        create_folder(&folder).map_err(fault)?;
        let make = || {
            let sign = Sign::new(purpose.what(), id).write(&folder)?;
            sign.try_lock()?;
            Ok(sign)
        };
        match make() {
            Ok(sign) => Ok(Self { folder, name, _sign: sign, kept: false }),
            Err(e) => {
                let _ = fs::remove_dir_all(&folder);
                Err(fault(e))
            }
        }
    }

    /// Lists those of a purpose whose owners are gone.
    pub(crate) fn left_over(path: &Path, id: StoreId, purpose: Purpose) -> Vec<Self> {
        let found = signed_beside(path, id).into_iter().filter(|(_, sign)| sign.what == purpose.what());
        found.filter_map(|(folder, _)| Self::take(path, folder)).collect()
    }

    fn take(path: &Path, folder: PathBuf) -> Option<Self> {
        let start = beside(path, ".").into_os_string().into_encoded_bytes();
        let name = folder.as_os_str().as_encoded_bytes().strip_prefix(start.as_slice())?;
        let name = str::from_utf8(name).ok().filter(|name| name.parse::<StoreId>().is_ok())?.to_owned();
        let sign = File::options().read(true).write(true).open(folder.join(SIGN)).ok()?;
        match sign.try_lock() {
            Ok(()) => Some(Self { folder, name, _sign: sign, kept: false }),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
        }
    }

    /// Returns its name within those of the store.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of the new store in it.
    pub(crate) fn store(&self) -> PathBuf {
        store_in(&self.folder)
    }

    /// Refuses a folder into which somebody else has put links.
    pub(crate) fn check(&self) -> Result<()> {
        refuse_odd("convert", &self.store(), haos_store_api::backend::files::Expected::File)?;
        companions::check(&self.store())
    }

    /// Makes it survive power loss.
    pub(crate) fn sync(&self) {
        sync_folder(&self.folder);
        sync_folder(self.folder.parent().unwrap_or(&self.folder));
    }

    /// Keeps it when its owner is dropped.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// Removes it with its owner again.
    pub(crate) fn release(mut self) {
        self.kept = false;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.folder)
        {
            tracing::warn!(%error, folder = %self.folder.display(), "a folder made beside the store is left over");
        }
    }
}

/// Returns the store in the scratch of this name.
pub(crate) fn store_of(path: &Path, name: &str) -> Result<PathBuf> {
    let damaged = || Error::new(ErrorKind::Corrupt, "open", "the store does not say what takes its place");
    name.parse::<StoreId>().map_err(|()| damaged())?;
    Ok(store_in(&folder_of(path, name)))
}

/// Removes the scratches of killed processes; lists the copies that were set aside.
pub(crate) fn tidy(path: &Path, id: Option<StoreId>) -> Vec<String> {
    let Some(id) = id else { return Vec::new() };
    drop(Scratch::left_over(path, id, Purpose::Passing));
    set_asides(path, id).iter().map(|folder| folder.display().to_string()).collect()
}

fn folder_of(path: &Path, name: &str) -> PathBuf {
    beside(path, format!(".{name}"))
}

fn store_in(folder: &Path) -> PathBuf {
    folder.join("store.db")
}
