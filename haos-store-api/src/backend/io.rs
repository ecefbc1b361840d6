//! Errors of the operating system, and their remedies.

use std::io;

use crate::{Error, ErrorKind};

/// Error numbers without a kind in the standard library: too many open files, in the process (EMFILE) or in the system
/// (ENFILE).
#[cfg(unix)]
const TOO_MANY_FILES: [i32; 2] = [24, 23];
#[cfg(windows)]
const TOO_MANY_FILES: [i32; 1] = [4];
#[cfg(not(any(unix, windows)))]
const TOO_MANY_FILES: [i32; 0] = [];

/// Returns the kind of a file system's error, and its remedy.
pub fn explain_io(error: &io::Error) -> (ErrorKind, &'static str) {
    use io::ErrorKind as Kind;
    if error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code)) {
        return (ErrorKind::Io, "too many files are open: close some, or raise the limit of open files");
    }
    match error.kind() {
        Kind::StorageFull | Kind::QuotaExceeded => (ErrorKind::Full, "the disk is full: free some space"),
        Kind::ReadOnlyFilesystem => {
            (ErrorKind::ReadOnly, "the media is read-only: use a path that can be written")
        }
        Kind::PermissionDenied => (
            ErrorKind::Io,
            "permission is denied: change the rights of it and of its folders, or use another path",
        ),
        Kind::NotFound => (ErrorKind::Io, "it or its folder does not exist: check the path"),
        Kind::NotADirectory => (ErrorKind::Io, "a part of the path is a file and no folder: check the path"),
        Kind::IsADirectory => (ErrorKind::Io, "it is a folder: give the path of a file"),
        Kind::InvalidFilename => {
            (ErrorKind::Io, "the name is too long, or not allowed there: use another one")
        }
        Kind::FileTooLarge => {
            (ErrorKind::Full, "it is larger than the file system or a limit allows: use another disk")
        }
        _ => (ErrorKind::Io, "the file system failed: check the device"),
    }
}

impl Error {
    /// Makes an error of the file system's; `what` names the failure, such as "the file cannot be read".
    pub fn io(operation: &'static str, what: impl std::fmt::Display, error: io::Error) -> Self {
        let (kind, advice) = explain_io(&error);
        Self::new(kind, operation, format!("{what}: {advice}")).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn each_says_what_it_is() {
        let cases = [
            (1, "permission"),
            (2, "does not exist"),
            (5, "device"),
            (13, "permission"),
            (20, "no folder"),
            (21, "is a folder"),
            (23, "open files"),
            (24, "open files"),
            (27, "larger"),
            (28, "full"),
            (30, "read-only"),
            (36, "too long"),
            (122, "full"),
        ];
        // The numbers are Linux's.
        for (code, said) in cases.into_iter().filter(|(code, _)| cfg!(target_os = "linux") || *code <= 30) {
            let error = Error::io("open", "x cannot be opened", io::Error::from_raw_os_error(code));
            let text = error.to_string();
            assert!(text.starts_with("open: x cannot be opened: ") && text.contains(said), "{code}: {text}");
            assert!(!text.contains("check that its folder exists"), "{text}");
        }
    }
}
