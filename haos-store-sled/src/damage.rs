//! What becomes of a damaged store: its folder is set aside under another name, never deleted.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use haos_store_api::{Error, Recovery, Result};

use crate::error::io;
use crate::home::{Home, sync_folder};
use crate::marker::Marker;
use crate::open::{connect, fresh_path, is_there};
use crate::options::SledOptions;
use crate::salvage::Salvage;
use crate::seal;

/// Puts a fresh store with the outbox of the damaged one in its place.
pub(crate) fn replace(options: &SledOptions, home: Home, cause: &Error) -> Result<Recovery> {
    let path = options.path();
    let mark = Marker::open(&home.commits()).ok().and_then(|(_, mark)| mark).unwrap_or_default();
    let salvage = Salvage::read(options, mark);

    let fresh = fresh_path(path);
    let fault = |e| io("open", e);
    if is_there(&fresh) {
        fs::remove_dir_all(&fresh).map_err(fault)?;
    }
    let made = options.clone().create(true).check(false).at(fresh.clone());
    let new_home = Home::take(&made)?;
    if let Some(record) = seal::read(&home.keyring())? {
        seal::write(&new_home.keyring(), &record)?;
    }
    let (mut opened, _) = connect(&made, new_home).map_err(|(_, error)| error)?;
    let written = salvage.write(&mut opened, &options.codec);
    opened.release();
    written?;

    let aside = free_name(path);
    // Some systems rename no folder with an open file in it.
    let home = (!cfg!(windows)).then_some(home);
    fs::rename(path, &aside).map_err(fault)?;
    fs::rename(&fresh, path).map_err(fault)?;
    sync_folder(path.parent().unwrap_or(path));
    drop(home);

    let recovery = Recovery {
        set_aside: Some(aside.display().to_string()),
        salvaged: salvage.pending.len() as u64,
        unreadable: salvage.unreadable,
        cause: cause.to_string(),
    };
    tracing::warn!(
        set_aside = %aside.display(),
        salvaged = recovery.salvaged,
        unreadable = recovery.unreadable,
        cause = %recovery.cause,
        "a damaged store was set aside"
    );
    Ok(recovery)
}

/// Ends a replacement that was cut off between its two renames.
pub(crate) fn finish(path: &Path) -> Result<()> {
    let fresh = fresh_path(path);
    if is_there(&fresh) && !is_there(path) {
        fs::rename(&fresh, path).map_err(|e| io("open", e))?;
        tracing::warn!(path = %path.display(), "a replacement of a damaged store was finished");
    }
    Ok(())
}

/// `<name>.damaged-<n>` with the first number that is free.
fn free_name(path: &Path) -> PathBuf {
    let mut names = (1_u32..).map(|n| beside(path, format!(".damaged-{n}")));
    names.find(|name| !is_there(name)).unwrap_or_else(|| beside(path, ".damaged"))
}

/// The path with something after its name.
pub(crate) fn beside(path: &Path, suffix: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
