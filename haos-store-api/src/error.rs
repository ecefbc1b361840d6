//! One opaque error for every adapter.

use std::error::Error as StdError;
use std::fmt;

/// The result of every fallible call of the contract.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of a failure, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input breaks the contract: an id too long, a position out of range, content that is not JSON.
    Invalid,
    /// A precondition failed or a place is taken: read again, plan again, apply again.
    Conflict,
    /// Another holder keeps the store for longer than the busy budget: try again later.
    Busy,
    /// The quota or the disk is full: free space, then try again.
    Full,
    /// The stored bytes were not written by this library.
    Corrupt,
    /// The store is sealed under another key.
    WrongKey,
    /// A key was given, and the store is plain.
    NotSealed,
    /// The store is sealed, and no key was given.
    Sealed,
    /// The store was written by a newer version: update the application.
    NewerSchema,
    /// Another context holds an old version open: close it.
    Blocked,
    /// Storage is absent here (private mode, no such backend).
    Unavailable,
    /// The store was closed, suspended, or poisoned by a commit of unknown outcome.
    Closed,
    /// The backend does not support the call.
    Unsupported,
    /// The operating system refused: permissions, a missing folder, too many open files, a failing device.
    Io,
    /// The target of a write is read-only: media, or a file or folder without the right to write.
    ReadOnly,
    /// Any other failure.
    Other,
}

impl ErrorKind {
    /// Tells whether the same call may succeed later without a change of its input.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Blocked | Self::Full)
    }
}

/// The error of the contract: a kind to act on, the operation, and a message that says how to proceed.
///
/// It never carries content, a key or a passphrase.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Makes an error of `kind` met during `operation`, with a message that says how to proceed.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, operation, message: message.into(), source: None }))
    }

    /// Adds its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns the kind to act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the operation that failed, such as `apply` or `open`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Tells whether the same call may succeed later without a change of its input.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    pub(crate) fn invalid(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, operation, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, "apply", message)
    }

    pub(crate) fn corrupt(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, operation, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("message", &self.0.message)
            .field("source", &self.0.source.as_ref().map(ToString::to_string))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
