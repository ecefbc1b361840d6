use haos_store_api::{Error as StoreError, ErrorKind};
use matrix_sdk_crypto::store::CryptoStoreError;

/// A failure of a [`KeyStore`](crate::KeyStore). It never carries a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another context wrote keys since this store was opened. Nothing was written, and nothing will be.
    #[error("another context wrote keys meanwhile: open the key store again, and make a new machine over it")]
    Stale,
    /// The store beneath failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value was written by a newer version.
    #[error("a key was written by a newer version of this library ({0}): update the application")]
    Newer(u8),
    /// A value cannot be read: it is not what this library writes.
    #[error("what is stored as {0} is not what this library writes: check the store")]
    Unreadable(&'static str),
    /// No account is stored yet.
    #[error("no account is stored yet: make a machine over this store, which saves one")]
    NoAccount,
    /// The store was closed by [`close`](matrix_sdk_crypto::store::CryptoStore::close).
    #[error("the key store is closed: reopen it")]
    Closed,
}

impl Error {
    /// Finds it in an error of a machine's store.
    ///
    /// ```
    /// use haos_crypto::Error;
    /// use matrix_sdk_crypto::store::CryptoStoreError;
    ///
    /// let told = CryptoStoreError::from(Error::Stale);
    /// assert!(matches!(Error::of(&told), Some(Error::Stale)));
    /// ```
    pub fn of(error: &CryptoStoreError) -> Option<&Self> {
        match error {
            CryptoStoreError::Backend(cause) => cause.downcast_ref(),
            _ => None,
        }
    }

    /// Tells whether the same call may succeed later without a change of its input.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }

    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind() == ErrorKind::Conflict)
    }
}

impl From<Error> for CryptoStoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NoAccount => Self::AccountUnset,
            other => Self::backend(other),
        }
    }
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;
