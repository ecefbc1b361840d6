//! A store is nobody else's to read: files that are made, and the files of a store with a session in it.

use std::path::{Path, PathBuf};

use haos_store::Scheme;

use crate::error::{Error, Result};

/// What this process makes, others cannot read.
pub(crate) fn mask() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// The file beside a store whose lock says which process sends and syncs; none for a store in memory.
pub(crate) fn leader(url: &str) -> Result<Option<PathBuf>> {
    let scheme: Scheme = url.parse()?;
    Ok(scheme.path().map(|path| beside(path, ".leader")))
}

/// Makes the files of a store that is about to hold a session readable for their owner alone: those that
/// are there, and the store's own before there is anything in it.
pub(crate) fn prepare(url: &str) -> Result<()> {
    let scheme: Scheme = url.parse()?;
    let Some(path) = scheme.path() else { return Ok(()) };
    let failed = |e: std::io::Error| {
        Error::Unhealthy(format!(
            "{}: others could read the session, and that cannot be changed: {e}",
            path.display()
        ))
    };
    // Where the store cannot be made, opening it says so in its own words.
    let _ = create(&scheme, path);
    let files = ["", "-wal", "-shm", "-journal", ".leader"].map(|ending| beside(path, ending));
    files.iter().try_for_each(|file| tighten(file)).map_err(failed)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(unix)]
fn create(scheme: &Scheme, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    match scheme {
        Scheme::Sqlite(_) => {
            std::fs::File::options().write(true).create_new(true).mode(0o600).open(path).map(drop)
        }
        Scheme::Sled(_) => std::fs::DirBuilder::new().mode(0o700).create(path),
        _ => Ok(()),
    }
}

/// Takes everybody else's rights away; what is not there has none.
#[cfg(unix)]
fn tighten(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    let (mode, own) = (about.permissions().mode(), if about.is_dir() { 0o700 } else { 0o600 });
    if mode & 0o777 & !own == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & own))
}

#[cfg(not(unix))]
fn create(_: &Scheme, _: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn tighten(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> Option<u32> {
        std::fs::metadata(path).ok().map(|about| about.permissions().mode() & 0o777)
    }

    #[test]
    fn a_store_is_made_private_and_kept_so() {
        let folder = tempfile::tempdir().unwrap();
        let (file, dir) = (folder.path().join("a.db"), folder.path().join("b"));
        prepare(&format!("sqlite:{}", file.display())).unwrap();
        prepare(&format!("sled:{}", dir.display())).unwrap();
        assert_eq!((mode(&file), mode(&dir)), (Some(0o600), Some(0o700)));
        let wal = beside(&file, "-wal");
        std::fs::write(&wal, "x").unwrap();
        for (path, open) in [(&file, 0o644), (&wal, 0o664), (&dir, 0o755)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(open)).unwrap();
        }
        prepare(&format!("sqlite:{}", file.display())).unwrap();
        prepare(&format!("sled:{}", dir.display())).unwrap();
        assert_eq!((mode(&file), mode(&wal), mode(&dir)), (Some(0o600), Some(0o600), Some(0o700)));
        prepare("memory:").unwrap();
        assert_eq!(leader("sqlite:x/a.db").unwrap(), Some("x/a.db.leader".into()));
        assert_eq!(leader("memory:").unwrap(), None);
    }
}
