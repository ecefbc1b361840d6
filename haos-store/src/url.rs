use std::path::PathBuf;
use std::str::FromStr;

use haos_store_api::{Error, ErrorKind, Result};

/// Every scheme of a store url, whether or not this build opens it.
pub const SCHEMES: [&str; 4] = ["sqlite", "sled", "idb", "memory"];

/// The urls that can be written here.
const WRITE: &str = if cfg!(target_arch = "wasm32") {
    "write `idb:NAME` or `memory:`"
} else {
    "write `sqlite:PATH`, `sled:PATH` or `memory:`"
};

/// The place of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `sqlite:path`: a SQLite file.
    Sqlite(PathBuf),
    /// `sled:path`: the folder of a sled database.
    Sled(PathBuf),
    /// `idb:name`: an IndexedDB database of this origin, in a browser.
    Idb(String),
    /// `memory:`: nowhere; it is gone with the process.
    Memory,
}

impl Scheme {
    /// The name before the colon.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Sled(_) => "sled",
            Self::Idb(_) => "idb",
            Self::Memory => "memory",
        }
    }

    /// The path of the file or folder, if it lives in one.
    pub fn path(&self) -> Option<&std::path::Path> {
        match self {
            Self::Sqlite(path) | Self::Sled(path) => Some(path),
            Self::Idb(_) | Self::Memory => None,
        }
    }

    /// The file whose lock says which process sends (`haos_queue::FileLeader`): beside the real path of the store, so
    /// that a link to a store and the store itself have one leader. None for a store that no other process has.
    ///
    /// # Errors
    /// `Invalid` for a link that leads nowhere, `Io` where that cannot be told.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn leader(&self) -> Result<Option<PathBuf>> {
        use haos_store_api::backend::files::{beside, resolve};
        self.path().map(|path| Ok(beside(&resolve(path)?, ".leader"))).transpose()
    }

    /// Tells if only browsers have it.
    pub(crate) fn is_of_browsers(&self) -> bool {
        matches!(self, Self::Idb(_))
    }
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, "open", message));
        let Some((scheme, rest)) = url.split_once(':') else {
            return invalid(format!("{url:?} is no store url: {WRITE}"));
        };
        match scheme {
            "sqlite" | "sled" if rest.is_empty() => {
                invalid(format!("`{scheme}:` needs a path: write `{scheme}:PATH`"))
            }
            "idb" if rest.is_empty() => invalid("`idb:` needs a name: write `idb:NAME`".to_owned()),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "sled" => Ok(Self::Sled(PathBuf::from(rest))),
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => invalid("`memory:` takes no path".to_owned()),
            "idb" => Ok(Self::Idb(rest.to_owned())),
            _ => invalid(format!("unknown scheme {scheme:?}: {WRITE}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        assert_eq!("sqlite:a:b.db".parse::<Scheme>().unwrap(), Scheme::Sqlite("a:b.db".into()));
        assert_eq!("sled:a/b".parse::<Scheme>().unwrap(), Scheme::Sled("a/b".into()));
        assert_eq!("idb:chat".parse::<Scheme>().unwrap(), Scheme::Idb("chat".into()));
        assert_eq!("memory:".parse::<Scheme>().unwrap(), Scheme::Memory);
        for (url, kind) in [
            ("chat.db", ErrorKind::Invalid),
            ("sqlite:", ErrorKind::Invalid),
            ("sled:", ErrorKind::Invalid),
            ("memory:x", ErrorKind::Invalid),
            ("postgres:x", ErrorKind::Invalid),
            ("idb:", ErrorKind::Invalid),
        ] {
            assert_eq!(url.parse::<Scheme>().unwrap_err().kind(), kind, "{url}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_store_and_the_store_have_one_leader() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) =
            (folder.path().canonicalize().unwrap().join("s.db"), folder.path().join("link.db"));
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let expected = real.with_file_name("s.db.leader");
        for path in [real, link] {
            for scheme in [Scheme::Sqlite(path.clone()), Scheme::Sled(path)] {
                assert_eq!(scheme.leader().unwrap(), Some(expected.clone()));
            }
        }
        assert_eq!(Scheme::Memory.leader().unwrap(), None);
    }

    #[test]
    fn a_scheme_has_the_name_that_it_was_parsed_from() {
        for url in ["sqlite:x", "sled:x", "idb:x", "memory:"] {
            let name = url.parse::<Scheme>().unwrap().name();
            assert!(SCHEMES.contains(&name) && url.starts_with(name));
        }
    }
}
