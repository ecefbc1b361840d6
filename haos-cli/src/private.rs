//! A store is nobody else's to read: files that are made, and the files of a store with a session in it.

use std::path::Path;

use haos_store::Scheme;
use haos_store_api::backend::files::{beside, resolve};

use crate::error::{Error, Result};

/// Makes new files of this process unreadable for others.
pub(crate) fn mask() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// Makes the files of a store that is about to hold a session readable for their owner alone, where it is there
/// already: what the store makes itself is so.
pub(crate) fn prepare(url: &str) -> Result<()> {
    let scheme: Scheme = url.parse()?;
    let Some(path) = scheme.path() else { return Ok(()) };
    let path = resolve(path)?;
    let failed = |e: std::io::Error| {
        Error::Unhealthy(format!(
            "{}: others could read the session, and that cannot be changed: {e}",
            path.display()
        ))
    };
    let files = ["", "-wal", "-shm", "-journal", ".outbox", ".leader"].map(|ending| beside(&path, ending));
    files.iter().try_for_each(|file| tighten(file)).map_err(failed)
}

/// Takes everybody else's rights away; what is not there has none, and a link is not followed.
#[cfg(unix)]
fn tighten(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = match std::fs::symlink_metadata(path) {
        // Whoever opens it refuses it.
        Ok(about) if about.is_symlink() => return Ok(()),
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
    fn a_store_that_is_there_is_made_private() {
        let folder = tempfile::tempdir().unwrap();
        let (file, dir) = (folder.path().join("a.db"), folder.path().join("b"));
        let (wal, victim, link) =
            (beside(&file, "-wal"), folder.path().join("victim"), beside(&file, ".leader"));
        for file in [&file, &wal, &victim] {
            std::fs::write(file, "x").unwrap();
        }
        std::fs::create_dir(&dir).unwrap();
        std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        for (path, open) in [(&file, 0o644), (&wal, 0o664), (&dir, 0o755)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(open)).unwrap();
        }
        prepare(&format!("sqlite:{}", file.display())).unwrap();
        prepare(&format!("sled:{}", dir.display())).unwrap();
        assert_eq!((mode(&file), mode(&wal), mode(&dir)), (Some(0o600), Some(0o600), Some(0o700)));
        assert_eq!(mode(&victim), Some(0o644), "a link is not followed");
        prepare("memory:").unwrap();
    }
}
