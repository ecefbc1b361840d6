//! SQLite's errors as those of the contract.

use std::fs::File;
use std::io::ErrorKind as Kind;
use std::path::Path;

use haos_store_api::backend::native::read_only;
use haos_store_api::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// Makes the error of a call that SQLite refused.
pub(crate) fn fault(operation: &'static str, error: rusqlite::Error) -> Error {
    let (kind, message) = explain(&error);
    Error::new(kind, operation, message).with_source(error)
}

fn explain(error: &rusqlite::Error) -> (ErrorKind, &'static str) {
    match error {
        rusqlite::Error::SqliteFailure(..) | rusqlite::Error::SqlInputError { .. } => {
            error.sqlite_error_code().map_or((ErrorKind::Other, "SQLite failed"), explain_code)
        }
        rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => (ErrorKind::Corrupt, DAMAGED),
        rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_) => {
            (ErrorKind::Invalid, "the path cannot be given to SQLite: choose another one")
        }
        _ => (ErrorKind::Other, "SQLite was used in a way it does not allow: please report this"),
    }
}

const DAMAGED: &str =
    "the database file is damaged: close it and open it with the option `check`, which saves the outbox";

fn explain_code(code: ErrorCode) -> (ErrorKind, &'static str) {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => (
            ErrorKind::Busy,
            "another process held the store for longer than the option `busy_ms`: try again",
        ),
        ErrorCode::DiskFull => (ErrorKind::Full, "the disk is full: free some space, then try again"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (ErrorKind::Corrupt, DAMAGED),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => (
            ErrorKind::ReadOnly,
            "the file, its folder or the media is read-only: make it writable or choose another path",
        ),
        ErrorCode::CannotOpen => (
            ErrorKind::Io,
            "the file or one that SQLite keeps beside it cannot be opened: check their rights and their folder's, and \
             the limit of open files",
        ),
        ErrorCode::SystemIoFailure => (ErrorKind::Io, "the file system failed: check the device"),
        ErrorCode::TooBig => (ErrorKind::Invalid, "a row is larger than SQLite allows: split it"),
        ErrorCode::OutOfMemory => (ErrorKind::Other, "there is not enough memory"),
        ErrorCode::OperationInterrupted => (ErrorKind::Closed, "the store was closed meanwhile"),
        _ => (ErrorKind::Other, "SQLite failed"),
    }
}

/// Makes the error of a file that cannot be opened. SQLite does not report the system's reason, so this asks again.
pub(crate) fn cannot_open(path: &Path, error: rusqlite::Error) -> Error {
    use ErrorCode::{CannotOpen, PermissionDenied, ReadOnly, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(CannotOpen | PermissionDenied | ReadOnly | SystemIoFailure) => {
            obstacle(path).unwrap_or_else(|| fault("open", error))
        }
        _ => fault("open", error),
    }
}

/// Finds the obstacle. A handle of the file itself would drop this process's locks on it when closed.
fn obstacle(path: &Path) -> Option<Error> {
    let failed = |e| Some(Error::io("open", format_args!("{} cannot be opened", path.display()), e));
    let folder = path.parent().unwrap_or(path);
    match (path.metadata(), File::open(folder)) {
        (Err(e), _) if e.kind() != Kind::NotFound => failed(e),
        (_, Err(e)) if e.kind() != Kind::PermissionDenied => failed(e),
        (found, _) => rights(path, found.is_ok(), folder, failed),
    }
}

#[cfg(unix)]
fn rights(
    path: &Path,
    exists: bool,
    folder: &Path,
    failed: impl Fn(std::io::Error) -> Option<Error>,
) -> Option<Error> {
    use rustix::fs::{Access, access};
    let change = || access(folder, Access::WRITE_OK | Access::EXEC_OK);
    if !exists {
        return change().err().and_then(|e| failed(e.into()));
    }
    if let Err(e) = access(path, Access::READ_OK) {
        return failed(e.into());
    }
    access(path, Access::WRITE_OK).and_then(|()| change()).err().map(|e| read_only("open").with_source(e))
}

#[cfg(not(unix))]
fn rights(_: &Path, _: bool, _: &Path, _: impl Fn(std::io::Error) -> Option<Error>) -> Option<Error> {
    None
}

/// The effect of a failed COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The transaction is not in the database and never will be.
    NotCommitted,
    /// It may be in the database, or appear after a restart: nothing more may be written on top of it.
    Unknown,
}

/// Classifies a failed commit. In WAL mode a commit counts once its last frame is in the log, whole. A write that found
/// no space or no lock left that frame out; after any other failure it may be there.
pub(crate) fn outcome(error: &rusqlite::Error) -> Outcome {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Outcome::NotCommitted
        }
        _ => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn kinds() {
        for (code, kind) in [
            (ffi::SQLITE_FULL, ErrorKind::Full),
            (ffi::SQLITE_BUSY, ErrorKind::Busy),
            (ffi::SQLITE_BUSY_RECOVERY, ErrorKind::Busy),
            (ffi::SQLITE_CORRUPT, ErrorKind::Corrupt),
            (ffi::SQLITE_NOTADB, ErrorKind::Corrupt),
            (ffi::SQLITE_READONLY, ErrorKind::ReadOnly),
            (ffi::SQLITE_CANTOPEN, ErrorKind::Io),
            (ffi::SQLITE_IOERR_WRITE, ErrorKind::Io),
            (ffi::SQLITE_TOOBIG, ErrorKind::Invalid),
        ] {
            assert_eq!(fault("apply", sqlite(code)).kind(), kind, "{code}");
        }
        assert!(fault("apply", sqlite(ffi::SQLITE_FULL)).is_retryable());
    }

    #[test]
    fn only_space_and_locks_leave_a_commit_undone_for_sure() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED] {
            assert_eq!(outcome(&sqlite(code)), Outcome::NotCommitted, "{code}");
        }
        for code in [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOMEM,
        ] {
            assert_eq!(outcome(&sqlite(code)), Outcome::Unknown, "{code}");
        }
    }
}
