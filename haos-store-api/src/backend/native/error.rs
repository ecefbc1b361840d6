//! The errors that all native stores share.

use crate::{Error, ErrorKind};

/// Makes the error of a call to a store that is not open.
pub fn closed(operation: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Closed, operation, message)
}

/// Makes the error of a call whose thread is gone.
pub fn ended(operation: &'static str) -> Error {
    closed(operation, "the store's thread has ended: close the store and open it again")
}

/// Copies an error for another batch of the same group.
pub(super) fn again(error: &Error) -> Error {
    let text = error.to_string();
    let message = text.strip_prefix(error.operation()).and_then(|rest| rest.strip_prefix(": "));
    Error::new(error.kind(), error.operation(), message.unwrap_or(&text))
}

/// Makes the error of a write to a read-only store.
pub fn read_only(operation: &'static str) -> Error {
    let message = "the store can only be read, since its file, its folder or the media is read-only: copy it to where \
                   it can be written";
    Error::new(ErrorKind::ReadOnly, operation, message)
}

/// Makes the error for a sealed store without a secret.
pub fn sealed() -> Error {
    Error::new(ErrorKind::Sealed, "open", "the store is sealed: give its passphrase or key")
}

/// Makes the error for a secret with a plain store.
pub(super) fn not_sealed() -> Error {
    let message = "the store is plain and a key was given: seal it first, or open it without a key";
    Error::new(ErrorKind::NotSealed, "open", message)
}

/// Makes the error for a query of a later version of the contract.
pub fn unknown_query(backend: &str, operation: &'static str) -> Error {
    let message = format!("this version of the {backend} backend does not know this query: update it");
    Error::new(ErrorKind::Unsupported, operation, message)
}
