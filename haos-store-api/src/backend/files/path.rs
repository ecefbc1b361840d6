use std::ffi::OsStr;
use std::io::ErrorKind as IoKind;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Returns the real path of a store: absolute, with every link followed. For a new store the links of its folder are
/// followed. A path whose folder is absent is made absolute.
///
/// # Errors
/// `Invalid` for a dangling link and for a path that cannot be made absolute, `Io` where the system does not tell.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path)
        .map_err(|e| Error::invalid("open", "the path cannot be made absolute").with_source(e))?;
    match std::fs::symlink_metadata(&path) {
        Ok(about) => match canonical(&path) {
            Ok(real) => Ok(real),
            Err(e) if about.is_symlink() => {
                let shown = path.display();
                let text = format!(
                    "{shown} is a symbolic link that leads nowhere: give the path of the store itself"
                );
                Err(Error::invalid("open", text).with_source(e))
            }
            // Some file systems cannot tell; a path without links is its own real path.
            Err(_) => Ok(path),
        },
        Err(e) if e.kind() == IoKind::NotFound => Ok(match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => {
                canonical(folder).map_or_else(|_| path.clone(), |real| real.join(name))
            }
            _ => path,
        }),
        Err(e) => Err(Error::io("open", format!("{} cannot be looked at", path.display()), e)),
    }
}

/// Appends an ending to the path's name.
pub fn beside(path: &Path, ending: impl AsRef<OsStr>) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    let real = std::fs::canonicalize(path)?;
    // Windows gives `\\?\C:\...`, which is not valid in a URI.
    let short = real.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    let short = short.filter(|text| text.as_bytes().get(1) == Some(&b':')).map(PathBuf::from);
    Ok(short.unwrap_or(real))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_link_and_what_it_leads_to_are_one_path() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir(at("real")).unwrap();
        std::fs::write(at("real/s.db"), "x").unwrap();
        symlink(at("real/s.db"), at("link.db")).unwrap();
        symlink("real", at("dir")).unwrap();
        for name in ["real/s.db", "link.db", "dir/s.db", "dir/../real/./s.db"] {
            assert_eq!(resolve(&at(name)).unwrap(), at("real/s.db"), "{name}");
        }
        assert_eq!(resolve(&at("dir/new.db")).unwrap(), at("real/new.db"));
        assert_eq!(resolve(&at("none/new.db")).unwrap(), at("none/new.db"));
        assert_eq!(beside(&at("a.db"), "-wal"), at("a.db-wal"));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (gone, loops) = (folder.path().join("gone"), folder.path().join("loop"));
        symlink(folder.path().join("nothing"), &gone).unwrap();
        symlink(&loops, &loops).unwrap();
        for path in [gone, loops] {
            let error = resolve(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("leads nowhere"), "{error}");
        }
        assert!(!folder.path().join("nothing").exists());
    }
}
