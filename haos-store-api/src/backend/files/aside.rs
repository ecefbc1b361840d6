//! Copies of a store that were set aside as damaged: `<name>.damaged-<n>`, a folder with our sign.

use std::fs;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use super::{Sign, StoreId, beside, create_folder, overwrite, signed_beside, sync_folder};
use crate::{Error, ErrorKind, Result};

/// The kind that the sign of a copy set aside tells.
pub const SET_ASIDE: &str = "set aside";

/// Makes the folder for a damaged store that is set aside, under the first free number.
///
/// # Errors
/// Those of the file system.
pub fn set_aside(path: &Path, id: StoreId) -> std::io::Result<PathBuf> {
    let mut nr = 1_u32;
    loop {
        let folder = set_aside_path(path, nr);
        match create_folder(&folder) {
            Ok(()) => {
                Sign::new(SET_ASIDE, id).write(&folder)?;
                return Ok(folder);
            }
            Err(e) if e.kind() == IoKind::AlreadyExists && nr < u32::MAX => nr += 1,
            Err(e) => return Err(e),
        }
    }
}

/// Returns the folder of the copy of this number.
pub fn set_aside_path(path: &Path, nr: u32) -> PathBuf {
    beside(path, format!(".damaged-{nr}"))
}

/// Lists the folders of a store's copies that were set aside and still exist.
pub fn set_asides(path: &Path, id: StoreId) -> Vec<PathBuf> {
    let ours = signed_beside(path, id).into_iter().filter(|(_, sign)| sign.what == SET_ASIDE);
    ours.map(|(folder, _)| folder).collect()
}

/// Overwrites every copy of a store that was set aside, as far as the device allows, and removes it.
///
/// # Errors
/// `Io`, with the name of the copy that remains.
pub fn wipe(path: &Path, id: StoreId) -> Result<()> {
    for folder in set_asides(path, id) {
        overwrite_all(&folder).and_then(|()| fs::remove_dir_all(&folder)).map_err(|e| {
            let text = format!(
                "{} holds a damaged copy of the store and cannot be removed: delete it",
                folder.display()
            );
            Error::new(ErrorKind::Io, "keys", text).with_source(e)
        })?;
    }
    sync_folder(path.parent().unwrap_or(path));
    Ok(())
}

/// Writes zeros over every regular file; links are not followed.
fn overwrite_all(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            overwrite_all(&entry.path())?;
        } else if kind.is_file() {
            overwrite(fs::File::options().write(true).open(entry.path())?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_found_and_wiped_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let (own, other) = (StoreId([1; 16]), StoreId([2; 16]));
        fs::create_dir(folder.path().join("s.db.damaged-1")).unwrap();
        let copies = [own, own, other].map(|id| set_aside(&path, id).unwrap());
        assert!(copies[2].ends_with("s.db.damaged-4"), "a name that is taken is not used");
        fs::write(folder.path().join("victim"), "untouched").unwrap();
        for copy in &copies {
            fs::create_dir(copy.join("sled")).unwrap();
            fs::write(copy.join("sled/db"), vec![7; 100_000]).unwrap();
            #[cfg(unix)]
            std::os::unix::fs::symlink(folder.path().join("victim"), copy.join("link")).unwrap();
        }
        let second_name = folder.path().join("kept");
        fs::hard_link(copies[0].join("sled/db"), &second_name).unwrap();
        assert_eq!(set_asides(&path, own), copies[..2]);
        wipe(&path, own).unwrap();
        assert!(set_asides(&path, own).is_empty());
        assert_eq!(fs::read(second_name).unwrap(), vec![0; 100_000], "overwritten, not only removed");
        assert_eq!(fs::read(folder.path().join("victim")).unwrap(), b"untouched");
        assert!(copies[2].exists() && folder.path().join("s.db.damaged-1").exists());
    }
}
