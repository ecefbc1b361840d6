//! Who sends. Leases in the store keep contexts apart whatever this says; knowing more saves time.

/// What a context knows of others that may send.
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
    /// Takes the lock if nobody holds it; the file is created where it is missing. The lock goes with the
    /// process, however that ends.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn try_acquire(path: impl AsRef<std::path::Path>) -> std::io::Result<Option<Self>> {
        let file = std::fs::File::options().create(true).append(true).open(path)?;
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
