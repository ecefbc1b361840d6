//! sled's errors, and its panics, as those of the contract.

use std::panic::{AssertUnwindSafe, catch_unwind};

use haos_store_api::{Error, ErrorKind, Result};

const DAMAGED: &str =
    "the store's files are damaged: close it and open it with the option `check`, which saves the outbox";

/// Makes the error of a call that sled refused.
pub(crate) fn fault(operation: &'static str, error: sled::Error) -> Error {
    let (kind, message) = match &error {
        sled::Error::Io(e) => explain_io(e),
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => (ErrorKind::Corrupt, DAMAGED),
        _ => (ErrorKind::Other, "sled was used in a way it does not allow: please report this"),
    };
    // sled's own text may print rows; a file system's error does not.
    match error {
        sled::Error::Io(source) => Error::new(kind, operation, message).with_source(source),
        _ => Error::new(kind, operation, message),
    }
}

/// Makes the error of a call to the file system.
pub(crate) fn io(operation: &'static str, error: std::io::Error) -> Error {
    let (kind, message) = explain_io(&error);
    Error::new(kind, operation, message).with_source(error)
}

/// Makes the error of a file of ours, with sled's needs.
pub(crate) fn explained(error: Error) -> Error {
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match cause.map(explain_io) {
        Some((kind, message)) => Error::new(kind, error.operation(), message).with_source(error),
        None => error,
    }
}

fn explain_io(error: &std::io::Error) -> (ErrorKind, &'static str) {
    use std::io::ErrorKind as Kind;
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => {
            (ErrorKind::Full, "the disk is full: free some space, close the store and open it again")
        }
        // sled writes when it opens a store, and when it closes one.
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => (
            ErrorKind::ReadOnly,
            "the folder or its files cannot be read and written, which sled has to do: change their rights, or copy the \
             folder to where it can",
        ),
        Kind::UnexpectedEof | Kind::InvalidData => (ErrorKind::Corrupt, DAMAGED),
        _ => haos_store_api::backend::explain_io(error),
    }
}

/// Runs a call into sled; a panic of it becomes `Corrupt`.
pub(crate) fn guarded<T>(operation: &'static str, run: impl FnOnce() -> Result<T>) -> Result<T> {
    // After a panic, what it left behind is only closed, not used.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::Corrupt,
            operation,
            "sled panicked, as it does over damaged files: close the store and open it with the option `check`",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let io = |kind: std::io::ErrorKind| fault("apply", sled::Error::Io(kind.into())).kind();
        assert_eq!(io(std::io::ErrorKind::StorageFull), ErrorKind::Full);
        assert_eq!(io(std::io::ErrorKind::PermissionDenied), ErrorKind::ReadOnly);
        assert_eq!(io(std::io::ErrorKind::UnexpectedEof), ErrorKind::Corrupt);
        let bug = sled::Error::ReportableBug("row: secret".into());
        let told = fault("apply", bug);
        assert_eq!(told.kind(), ErrorKind::Corrupt);
        assert!(!format!("{told:?}").contains("secret"), "no content is told");
    }

    #[test]
    fn a_panic_is_an_error() {
        let panicked: Result<()> = guarded("read", || panic!("as sled does"));
        assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(guarded("read", || Ok(7)).unwrap(), 7);
    }
}
