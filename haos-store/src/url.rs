use std::path::PathBuf;
use std::str::FromStr;

use haos_store_api::{Error, ErrorKind, Result};

/// Every scheme of a store url, whether or not this build opens it.
pub const SCHEMES: [&str; 4] = ["sqlite", "sled", "idb", "memory"];

/// Where a store lives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// `sqlite:path`: a SQLite file.
    Sqlite(PathBuf),
    /// `memory:`: nowhere; it is gone with the process.
    Memory,
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, "open", message));
        let Some((scheme, rest)) = url.split_once(':') else {
            return invalid(format!("{url:?} is no store url: write `sqlite:PATH` or `memory:`"));
        };
        match scheme {
            "sqlite" if rest.is_empty() => invalid("`sqlite:` needs a path: write `sqlite:PATH`".to_owned()),
            "sqlite" => Ok(Self::Sqlite(PathBuf::from(rest))),
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => invalid("`memory:` takes no path".to_owned()),
            "sled" | "idb" => Err(Error::new(
                ErrorKind::Unsupported,
                "open",
                format!("this build has no {scheme} backend: use `sqlite:PATH` or `memory:`"),
            )),
            _ => invalid(format!("unknown scheme {scheme:?}: write `sqlite:PATH` or `memory:`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        assert_eq!("sqlite:a:b.db".parse::<Scheme>().unwrap(), Scheme::Sqlite("a:b.db".into()));
        assert_eq!("memory:".parse::<Scheme>().unwrap(), Scheme::Memory);
        for (url, kind) in [
            ("chat.db", ErrorKind::Invalid),
            ("sqlite:", ErrorKind::Invalid),
            ("memory:x", ErrorKind::Invalid),
            ("postgres:x", ErrorKind::Invalid),
            ("sled:x", ErrorKind::Unsupported),
            ("idb:x", ErrorKind::Unsupported),
        ] {
            assert_eq!(url.parse::<Scheme>().unwrap_err().kind(), kind, "{url}");
        }
    }
}
