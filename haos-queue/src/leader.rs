//! The sender among contexts. Leases in the store keep contexts apart whatever this says; knowing more saves time.

/// A context's knowledge of others that may send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lead {
    /// Others may be sending: what they left behind is taken up when its lease has run out.
    #[default]
    Shared,
    /// No other context sends (a lock is held, or there is but one): what is left behind is taken up at
    /// once. Should that be wrong, rows are sent twice under one transaction id, which servers take once.
    Alone,
}

/// A lock among processes, held as long as this lives: a file beside the store.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub struct FileLeader(#[allow(dead_code, reason = "held open: the lock goes with it")] std::fs::File);

#[cfg(not(target_arch = "wasm32"))]
impl FileLeader {
    /// Takes the lock if nobody holds it; the file is created where it is missing, readable for its owner alone. The
    /// lock goes with the process, however that ends. `haos_store::Scheme::leader` names the file of a store.
    ///
    /// # Errors
    /// Those of the file system; `InvalidInput` if there is something else than a regular file, such as a link.
    pub fn try_acquire(path: impl AsRef<std::path::Path>) -> std::io::Result<Option<Self>> {
        use haos_store_api::ErrorKind;
        use haos_store_api::backend::files;
        let file = files::open("lead", path.as_ref()).map_err(|e| match e.kind() {
            ErrorKind::Invalid => std::io::Error::new(std::io::ErrorKind::InvalidInput, e),
            _ => std::io::Error::other(e),
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(e)) => Err(e),
        }
    }

    /// Takes the lock, asking once a second while somebody else holds it.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn acquire(path: impl AsRef<std::path::Path>, host: &dyn crate::Host) -> std::io::Result<Self> {
        loop {
            if let Some(leader) = Self::try_acquire(&path)? {
                return Ok(leader);
            }
            host.sleep(1000).await;
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn one_leads_and_a_link_is_not_followed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("s.leader"), folder.path().join("l.leader"));
        let first = FileLeader::try_acquire(&path).unwrap();
        assert!(first.is_some() && FileLeader::try_acquire(&path).unwrap().is_none());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(first);
        assert!(FileLeader::try_acquire(&path).unwrap().is_some());
        for victim in ["s.leader", "nothing"] {
            symlink(folder.path().join(victim), &link).unwrap();
            let error = FileLeader::try_acquire(&link).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
            assert!(error.to_string().contains("symbolic link"), "{error}");
            std::fs::remove_file(&link).unwrap();
        }
        assert!(!folder.path().join("nothing").exists());
    }
}
