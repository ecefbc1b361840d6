use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Expected, StoreId, create, refuse_odd};
use crate::Crc32;

/// The name of the file that signs a folder as ours.
pub const SIGN: &str = "HAOS";
/// Longer than any sign.
const LONGEST: u64 = 256;

/// One line in a folder of ours: its kind, its store, a checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The kind of folder.
    pub what: String,
    /// The store that it is or belongs to.
    pub id: StoreId,
}

impl Sign {
    /// Makes the sign of a folder of this kind.
    pub fn new(what: impl Into<String>, id: StoreId) -> Self {
        Self { what: what.into(), id }
    }

    /// Returns its line.
    pub fn line(&self) -> String {
        let text = format!("HAOS {}, store {}", self.what, self.id);
        let sum = Crc32::of(text.as_bytes());
        format!("{text}, {sum:08x}\n")
    }

    /// Parses its line; `None` unless it is exactly that.
    pub fn parse(line: &str) -> Option<Self> {
        let (rest, _) = line.strip_prefix("HAOS ")?.rsplit_once(", ")?;
        let (what, id) = rest.rsplit_once(", store ")?;
        let sign = Self::new(what, id.parse().ok()?);
        (sign.line() == line).then_some(sign)
    }

    /// Reads the sign of a folder; absent in a folder of somebody else.
    pub fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(SIGN);
        if !refuse_odd("open", folder, Expected::Folder).ok()?
            || !refuse_odd("open", &path, Expected::File).ok()?
        {
            return None;
        }
        let mut line = String::new();
        fs::File::open(path).ok()?.take(LONGEST).read_to_string(&mut line).ok()?;
        Self::parse(&line)
    }

    /// Signs a folder that has no sign, for good.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> std::io::Result<fs::File> {
        let mut file = create(&folder.join(SIGN))?;
        file.write_all(self.line().as_bytes())?;
        file.sync_all()?;
        Ok(file)
    }
}

/// Lists the folders beside a store whose name begins with that of the store and whose sign bears its id.
pub fn signed_beside(path: &Path, id: StoreId) -> Vec<(PathBuf, Sign)> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let begins = |entry: &fs::DirEntry| {
        let (own, name) = (entry.file_name(), name.as_encoded_bytes());
        own.as_encoded_bytes().strip_prefix(name).is_some_and(|rest| rest.starts_with(b"."))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter(begins)
        .filter_map(|entry| Some((entry.path(), Sign::read(&entry.path())?)))
        .filter(|(_, sign)| sign.id == id)
        .collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_nothing_else_is() {
        let sign = Sign::new("offline store on sled, format 1", StoreId([7; 16]));
        let line = sign.line();
        assert_eq!(Sign::parse(&line), Some(sign));
        for text in ["", "HAOS", "HAOS , store ", &line[..line.len() - 1], &line.replace('1', "2")] {
            assert_eq!(Sign::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_folder_beside_is_ours_by_its_sign_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let make = |name: &str, sign: Option<Sign>| {
            let made = folder.path().join(name);
            fs::create_dir(&made).unwrap();
            sign.map(|sign| sign.write(&made).unwrap());
            made
        };
        let (own, other) = (StoreId([1; 16]), StoreId([2; 16]));
        let ours = make("s.db.a", Some(Sign::new("x", own)));
        make("s.db.b", Some(Sign::new("x", other)));
        make("s.db.c", None);
        make("s.dbx", Some(Sign::new("x", own)));
        let elsewhere = make("t.db.a", Some(Sign::new("x", own)));
        #[cfg(unix)]
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("s.db.link")).unwrap();
        let _ = elsewhere;
        assert_eq!(signed_beside(&path, own), [(ours, Sign::new("x", own))]);
    }
}
