//! The replacement of the store in a folder by a new one: after a conversion, and after damage.
//!
//! The new store is made in a folder of its own within the old one's (`Scratch`), under the lock that is held anyway.
//! The file `switch` then declares it valid and names the old one's destination. From there on, the next process that
//! takes the folder completes the switch; before that, it removes the new store.

use std::fs;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use haos_store_api::Result;
use haos_store_api::backend::files::{self, Expected, Sign, StoreId};
use haos_store_api::backend::native::corrupt;

use crate::error::io;
use crate::home::{COMMITS, Home, KEYRING, SLED, sign};

/// The file that describes the switch under way.
const SWITCH: &str = "switch";
/// A name within a scratch, at which the old store waits to be removed.
const OLD: &str = "old";

/// A folder within the store's, with our sign, of a name that nobody can foresee; it is removed with its owner.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    name: String,
    kept: bool,
}

impl Scratch {
    pub(crate) fn create(home: &Home) -> Result<Self> {
        let name = files::random_name()?;
        let path = home.path().join(&name);
        files::create_folder(&path).map_err(|e| io("open", e))?;
        let scratch = Self { path, name, kept: false };
        sign(home.id()).write(&scratch.path).map_err(|e| io("open", e))?;
        Ok(scratch)
    }

    /// Returns the path of the new store.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, "the new store's folder is left over until the store is opened");
        }
    }
}

/// The fate of the old store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    Removed,
    /// Set aside under this number.
    Aside(u32),
}

impl Old {
    /// Sets it aside in a folder that was made for that.
    pub(crate) fn aside(path: &Path, folder: &Path) -> Result<Self> {
        let (path, folder) = (path.as_os_str().as_encoded_bytes(), folder.as_os_str().as_encoded_bytes());
        let nr = folder.strip_prefix(path).and_then(|end| end.strip_prefix(b".damaged-"));
        let nr = nr.and_then(|nr| str::from_utf8(nr).ok()?.parse().ok());
        nr.map(Self::Aside).ok_or_else(|| corrupt("open", "the folder of a damaged copy has no number"))
    }
}

/// The switch to a new store.
#[derive(Debug, PartialEq, Eq)]
struct Switch {
    /// The name of its scratch.
    to: String,
    sealed: bool,
    old: Old,
}

/// Puts a new store, whole and closed, in the place of the folder's content.
pub(crate) fn switch(home: &Home, mut scratch: Scratch, old: Old) -> Result<()> {
    let switch = Switch {
        to: scratch.name.clone(),
        sealed: files::refuse_odd("open", &scratch.path.join(KEYRING), Expected::File)?,
        old,
    };
    files::sync_folder(&scratch.path);
    files::replace("open", &home.path().join(SWITCH), switch.sign(home.id()).line().as_bytes())?;
    scratch.kept = true;
    finish(home)
}

/// Completes a switch, and removes the files of killed processes.
pub(crate) fn finish(home: &Home) -> Result<()> {
    if let Some(switch) = Switch::read(home)? {
        let fault = |e| io("open", e);
        if switch.old == Old::Removed {
            match files::create_folder(&switch.away(home)) {
                Err(e) if e.kind() != IoKind::AlreadyExists => return Err(fault(e)),
                _ => {}
            }
        }
        while let Some((from, to)) = switch.next(home) {
            fs::rename(from, to).map_err(fault)?;
        }
        for folder in [switch.away(home).as_path(), home.path()] {
            files::sync_folder(folder);
        }
        fs::remove_file(home.path().join(SWITCH)).map_err(fault)?;
        files::sync_folder(home.path());
    }
    sweep(home)
}

impl Switch {
    fn sign(&self, id: StoreId) -> Sign {
        let kind = if self.sealed { "sealed" } else { "plain" };
        let old = match self.old {
            Old::Removed => "the old one is removed".to_owned(),
            Old::Aside(nr) => format!("the old one is set aside as {nr}"),
        };
        Sign::new(format!("switch to {}, {kind}, {old}", self.to), id)
    }

    /// Reads the switch under way, if its line is one that this library writes.
    fn read(home: &Home) -> Result<Option<Self>> {
        let path = home.path().join(SWITCH);
        if !files::refuse_odd("open", &path, Expected::File)? {
            return Ok(None);
        }
        let line = fs::read(&path).map_err(|e| io("open", e))?;
        let sign = str::from_utf8(&line).ok().and_then(Sign::parse).filter(|sign| sign.id == home.id());
        let switch = sign.and_then(|sign| Self::parse(&sign.what)).filter(|switch| {
            let is_ours = |folder: &Path| Sign::read(folder).is_some_and(|sign| sign.id == home.id());
            is_ours(&home.path().join(&switch.to))
                && (switch.old == Old::Removed || is_ours(&switch.away(home)))
        });
        let damaged =
            || corrupt("open", "the file `switch` in the store's folder is not what this library writes");
        switch.map(Some).ok_or_else(damaged)
    }

    fn parse(text: &str) -> Option<Self> {
        let (to, rest) = text.strip_prefix("switch to ")?.split_once(", ")?;
        let (kind, old) = rest.split_once(", ")?;
        to.parse::<StoreId>().ok()?;
        let old = match old.strip_prefix("the old one is set aside as ") {
            Some(nr) => Old::Aside(nr.parse().ok()?),
            None if old == "the old one is removed" => Old::Removed,
            None => return None,
        };
        Some(Self { to: to.to_owned(), sealed: kind == "sealed", old })
    }

    /// Returns the destination of the old store.
    fn away(&self, home: &Home) -> PathBuf {
        match self.old {
            Old::Removed => home.path().join(&self.to).join(OLD),
            Old::Aside(nr) => files::set_aside_path(home.path(), nr),
        }
    }

    /// Returns the next renaming. Each is done or not, and the files' places tell the progress.
    fn next(&self, home: &Home) -> Option<(PathBuf, PathBuf)> {
        [KEYRING, COMMITS, SLED].into_iter().find_map(|name| {
            let (new, place) = (home.path().join(&self.to).join(name), home.path().join(name));
            let is_gone = name == KEYRING && !self.sealed;
            match (is_there(&new), is_there(&place)) {
                (true, true) => {
                    // A file that cannot keep its rights gets those of a new one.
                    let _ = files::keep_rights(&place, &new);
                    Some((place, self.away(home).join(name)))
                }
                (true, false) => Some((new, place)),
                (false, true) if is_gone => Some((place, self.away(home).join(name))),
                (false, _) => None,
            }
        })
    }
}

/// Removes scratches, and files that were to replace others. All have random names.
fn sweep(home: &Home) -> Result<()> {
    let fault = |e| io("open", e);
    for entry in fs::read_dir(home.path()).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else { continue };
        let is_random = |name: &str| name.parse::<StoreId>().is_ok();
        let is_half =
            |file| name.strip_prefix(file).and_then(|rest| rest.strip_prefix('.')).is_some_and(is_random);
        if is_random(name) {
            match Sign::read(&path) {
                Some(sign) if sign.id == home.id() => fs::remove_dir_all(&path).map_err(fault)?,
                // Killed before it was signed: it is empty, or it is not ours.
                _ => drop(fs::remove_dir(&path)),
            }
        } else if is_half(KEYRING) || is_half(SWITCH) {
            erase(&path).map_err(fault)?;
        }
    }
    Ok(())
}

/// Overwrites a file and removes it.
fn erase(path: &Path) -> std::io::Result<()> {
    files::overwrite(fs::File::options().write(true).open(path)?)?;
    fs::remove_file(path)
}

/// Refuses a folder with links, pipes or devices in it, at any depth: sled would follow and write them.
pub(crate) fn refuse_links(folder: &Path) -> Result<()> {
    let fault = |e| io("open", e);
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => refuse_links(&path)?,
            Ok(about) if about.is_file() => {}
            Ok(_) => drop(files::refuse_odd("open", &path, Expected::File)?),
            // sled removes files that it no longer needs.
            Err(e) if e.kind() == IoKind::NotFound => {}
            Err(e) => return Err(fault(e)),
        }
    }
    Ok(())
}

/// Tells whether a path is taken.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use haos_store_api::ErrorKind;

    use super::*;
    use crate::options::SledOptions;

    fn write(folder: &Path, text: &str, keyring: bool) {
        fs::create_dir_all(folder.join(SLED)).unwrap();
        let names = ["sled/db", COMMITS].into_iter().chain(keyring.then_some(KEYRING));
        names.for_each(|name| fs::write(folder.join(name), text).unwrap());
    }

    fn read(folder: &Path) -> Vec<(String, String)> {
        let names = [KEYRING, COMMITS, "sled/db"].into_iter();
        names
            .filter_map(|name| Some((name.to_owned(), fs::read_to_string(folder.join(name)).ok()?)))
            .collect()
    }

    /// A kill after any number of renamings.
    #[test]
    fn a_switch_that_was_cut_off_is_finished_by_whoever_takes_the_folder() {
        let kinds = [(false, true), (true, false), (true, true), (false, false)];
        for ((was_sealed, is_sealed), cut, aside) in kinds
            .into_iter()
            .flat_map(|kind| (0..7).flat_map(move |cut| [(kind, cut, false), (kind, cut, true)]))
        {
            let what = format!("{was_sealed}, {is_sealed}, cut off after {cut}, {aside}");
            let folder = tempfile::tempdir().unwrap();
            let options = SledOptions::new(folder.path().join("s"));
            let home = Home::take(&options).unwrap();
            write(home.path(), "old", was_sealed);
            let mut scratch = Scratch::create(&home).unwrap();
            write(scratch.path(), "new", is_sealed);
            let old = if aside {
                let folder = files::set_aside(home.path(), home.id()).unwrap();
                Old::aside(home.path(), &folder).unwrap()
            } else {
                fs::create_dir(scratch.path().join(OLD)).unwrap();
                Old::Removed
            };
            let (old_store, new_store) = (read(home.path()), read(scratch.path()));
            let switch = Switch { to: scratch.name.clone(), sealed: is_sealed, old };
            fs::write(home.path().join(SWITCH), switch.sign(home.id()).line()).unwrap();
            assert_eq!(Switch::read(&home).unwrap().as_ref(), Some(&switch), "{what}");
            for _ in 0..cut {
                if let Some((from, to)) = switch.next(&home) {
                    fs::rename(from, to).unwrap();
                }
            }
            scratch.kept = true;
            drop((scratch, home));
            let home = Home::take(&options).unwrap();
            assert_eq!(read(home.path()), new_store, "{what}");
            let mut names: Vec<_> =
                fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            let expected = ["HAOS", COMMITS].into_iter().chain(is_sealed.then_some(KEYRING)).chain([SLED]);
            assert_eq!(names, expected.collect::<Vec<_>>(), "{what}: nothing is left over");
            if aside {
                assert_eq!(read(&folder.path().join("s.damaged-1")), old_store, "{what}");
            }
        }
    }

    #[test]
    fn what_is_not_ours_is_not_swept_and_a_foreign_switch_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let options = SledOptions::new(folder.path().join("s"));
        let home = Home::take(&options).unwrap();
        let (id, path) = (home.id(), home.path().to_owned());
        drop(home);
        let make = |whose: Option<StoreId>| {
            let made = path.join(files::random_name().unwrap());
            fs::create_dir(&made).unwrap();
            fs::write(made.join("letter"), "x").unwrap();
            whose.map(|id| sign(id).write(&made).unwrap());
            made
        };
        let (ours, other, unsigned) = (make(Some(id)), make(Some(StoreId([9; 16]))), make(None));
        let half = path.join(format!("{KEYRING}.{}", files::random_name().unwrap()));
        fs::write(&half, "keys").unwrap();
        drop(Home::take(&options).unwrap());
        assert_eq!([&ours, &other, &unsigned, &half].map(|path| path.exists()), [false, true, true, false]);

        let foreign = files::set_aside(&path, StoreId([9; 16])).unwrap();
        let sign = |to: &str, old, id| Switch { to: to.to_owned(), sealed: true, old }.sign(id);
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let ours = make(Some(id));
        for sign in [
            sign(&name(&ours), Old::Removed, StoreId([9; 16])),
            sign(&name(&other), Old::Removed, id),
            sign("../s", Old::Removed, id),
            sign(&name(&ours), Old::Aside(1), id),
            sign(&name(&ours), Old::Aside(2), id),
            Sign::new("switch to nowhere", id),
        ] {
            fs::write(path.join(SWITCH), sign.line()).unwrap();
            assert_eq!(Home::take(&options).unwrap_err().kind(), ErrorKind::Corrupt, "{}", sign.what);
        }
        assert!(ours.exists());
        assert_eq!(fs::read_dir(foreign).unwrap().count(), 1, "its sign");
    }
}
