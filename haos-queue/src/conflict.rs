//! Commits that another writer may overtake.

use haos_store_api::{ErrorKind, Result};

/// The tries that are left to a change which is planned again when another writer was faster.
///
/// ```
/// use haos_queue::Retries;
/// # use haos_store_api::{MemoryStore, Result, StorageAdapter, WriteBatch};
/// # async fn plan(_: &dyn StorageAdapter) -> Result<WriteBatch> { Ok(WriteBatch::strict()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let store = MemoryStore::new();
/// let mut retries = Retries::default();
/// let commit = loop {
///     let batch = plan(&store).await?; // reads the store, and expects in the batch what it read
///     if let Some(commit) = retries.committed(store.apply(batch).await)? {
///         break commit;
///     }
/// };
/// # assert!(!commit.changed);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Retries(u32);

impl Default for Retries {
    fn default() -> Self {
        Self(32)
    }
}

impl Retries {
    /// Returns the commit, or `None` if the change must be planned again.
    ///
    /// # Errors
    /// Those of the store; `Conflict` once no tries are left.
    pub fn committed<T>(&mut self, done: Result<T>) -> Result<Option<T>> {
        match (done, self.0.checked_sub(1)) {
            (Err(e), Some(left)) if e.kind() == ErrorKind::Conflict => {
                self.0 = left;
                Ok(None)
            }
            (done, _) => done.map(Some),
        }
    }
}

/// Returns the commit, or `None` if another writer was faster.
///
/// # Errors
/// Those of the store but `Conflict`.
pub fn unless_conflict<T>(done: Result<T>) -> Result<Option<T>> {
    match done {
        Err(e) if e.kind() == ErrorKind::Conflict => Ok(None),
        done => done.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::Error;

    use super::*;

    #[test]
    fn a_conflict_is_tried_again_a_bounded_number_of_times() {
        let failed = |kind| Err::<(), _>(Error::new(kind, "apply", "x"));
        let mut retries = Retries::default();
        assert_eq!(retries.committed(Ok(7)).unwrap(), Some(7));
        assert!(retries.committed(failed(ErrorKind::Full)).is_err());
        for _ in 0..32 {
            assert_eq!(retries.committed(failed(ErrorKind::Conflict)).unwrap(), None);
        }
        assert!(retries.committed(failed(ErrorKind::Conflict)).is_err());
        assert_eq!(unless_conflict(failed(ErrorKind::Conflict)).unwrap(), None);
        assert!(unless_conflict(failed(ErrorKind::Full)).is_err());
    }
}
