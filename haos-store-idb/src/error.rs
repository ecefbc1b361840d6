//! Browsers' errors as those of the contract.
//!
//! A browser names a failure by the `name` of a `DOMException`. A caller's kind depends on that name and on whether the
//! database was being opened, for browsers use the same names for other things there:
//!
//! | name | while opening | later | what it means |
//! |---|---|---|---|
//! | `AbortError` | `Busy` | `Busy` | the browser gave up (it shut the database, the page goes away): nothing was stored, try again |
//! | `TimeoutError` | `Busy` | `Busy` | no lock in time |
//! | `QuotaExceededError` | `Full` | `Full` | also as the class of its own that newer browsers have |
//! | `NS_ERROR_FILE_NO_DEVICE_SPACE` | `Full` | `Full` | Firefox, the disk is full |
//! | `VersionError` | `NewerSchema` | `NewerSchema` | the database was written by a newer version |
//! | `SecurityError`, `NotAllowedError` | `Unavailable` | `Unavailable` | storage is blocked for this site, or the origin has none |
//! | `InvalidStateError` | `Unavailable` | `Closed` | Firefox's private windows of old; later a connection that was closed |
//! | `NotReadableError` | `Corrupt` | `Corrupt` | the stored file is there and cannot be read |
//! | `NS_ERROR_FILE_CORRUPTED` | `Corrupt` | `Corrupt` | Firefox, a damaged database file |
//! | `UnknownError` | `Io` | `Io` | a failing disk, a backend that crashed, WebKit's lost connection; not proof of damage |
//! | `NotFoundError` | `Invalid` | `Corrupt` | a store of ours is missing; at opening, the database is not ours |
//! | an absent database that is not to be made | `Io` | | the name is wrong, or the store was erased |
//! | no `indexedDB` at all | `Unavailable` | | an old browser, a private window, a frame without an origin |
//! | `ConstraintError` | `Conflict` | `Conflict` | the key is taken |
//! | `DataError` | `Invalid` | `Invalid` | no valid key or range |
//! | `NotSupportedError`, `TypeError` | `Unsupported` | `Unsupported` | the browser lacks a call |
//! | `TransactionInactiveError`, `ReadOnlyError`, `DataCloneError`, `InvalidAccessError`, `SyntaxError` | `Other` | `Other` | a mistake of this library |
//! | anything else | `Other` | `Other` | |
//!
//! `UnknownError` is `Io` and not `Corrupt`, because it goes away by itself more often than not: the caller tries again
//! and does not throw a history away.

use std::fmt;

use haos_store_api::{Error, ErrorKind};

/// The name of a failure for want of `indexedDB`, beside those of browsers.
pub(crate) const MISSING: &str = "MissingIndexedDb";

/// The name for an absent database that was not to be made.
pub(crate) const NO_STORE: &str = "NoStore";

/// The operation of opening, in which names mean other things.
pub(crate) const OPEN: &str = "open";

/// A failure and its reason, before it becomes an [`Error`]. Unlike that it can be cloned, for all callers that wait
/// for one opening.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    kind: ErrorKind,
    message: String,
    cause: Option<DomError>,
}

impl Failure {
    /// Makes a failure that this library finds.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    /// Makes a failure that the browser names.
    pub(crate) fn named(operation: &str, name: impl Into<String>, message: impl Into<String>) -> Self {
        let cause = DomError { name: name.into(), message: message.into() };
        let (kind, message) = kind_of(&cause.name, operation);
        Self { kind, message: message.to_owned(), cause: Some(cause) }
    }

    /// Returns the kind to act on.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the browser's name for it, if it was the browser that failed.
    pub(crate) fn name(&self) -> Option<&str> {
        self.cause.as_ref().map(|cause| cause.name.as_str())
    }

    /// Makes the error of the contract.
    pub(crate) fn during(self, operation: &'static str) -> Error {
        let error = Error::new(self.kind, operation, self.message);
        match self.cause {
            Some(cause) => error.with_source(cause),
            None => error,
        }
    }
}

/// The browser's own words, as the cause of an [`Error`].
#[derive(Debug, Clone)]
pub(crate) struct DomError {
    name: String,
    message: String,
}

impl fmt::Display for DomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for DomError {}

/// Returns the kind for the name of a `DOMException` during `operation`, and its remedy.
pub(crate) fn kind_of(name: &str, operation: &str) -> (ErrorKind, &'static str) {
    let opening = operation == OPEN;
    match name {
        "AbortError" => (ErrorKind::Busy, "the browser gave up and stored nothing: try again"),
        "TimeoutError" => (ErrorKind::Busy, "the browser's database gave no lock in time: try again"),
        "QuotaExceededError" | "NS_ERROR_FILE_NO_DEVICE_SPACE" => {
            (ErrorKind::Full, "the storage quota or the disk is full: free space, then try again")
        }
        "VersionError" => {
            (ErrorKind::NewerSchema, "the store was written by a newer version: update the application")
        }
        "SecurityError" | "NotAllowedError" => {
            (ErrorKind::Unavailable, "the browser allows no storage here: allow site data for this site")
        }
        MISSING => (ErrorKind::Unavailable, "this browser or window has no IndexedDB: keep data in memory"),
        NO_STORE => (ErrorKind::Io, "there is no store of this name: create it, or check the name"),
        "InvalidStateError" if opening => {
            (ErrorKind::Unavailable, "the browser refuses storage (a private window?): keep data in memory")
        }
        "InvalidStateError" => (ErrorKind::Closed, "the connection was closed: open the store again"),
        "NotReadableError" | "NS_ERROR_FILE_CORRUPTED" => {
            (ErrorKind::Corrupt, "the browser cannot read its own file: delete the store and sync again")
        }
        "UnknownError" => {
            (ErrorKind::Io, "the browser's storage failed: try again, restart the browser if it persists")
        }
        "NotFoundError" if opening => {
            (ErrorKind::Invalid, "the database of this name is not a store: use another name")
        }
        "NotFoundError" => (ErrorKind::Corrupt, "a part of the store is missing: delete it and sync again"),
        "ConstraintError" => (ErrorKind::Conflict, "the key is taken: read again, plan again"),
        "DataError" => (ErrorKind::Invalid, "not a valid key or range: check the input"),
        "NotSupportedError" | "TypeError" => {
            (ErrorKind::Unsupported, "this browser's IndexedDB lacks a call: update the browser")
        }
        "TransactionInactiveError"
        | "ReadOnlyError"
        | "DataCloneError"
        | "InvalidAccessError"
        | "SyntaxError" => (ErrorKind::Other, "a mistake of the store: please report it"),
        _ => (ErrorKind::Other, "the browser reported an error this version does not know: please report it"),
    }
}

#[cfg(target_arch = "wasm32")]
mod js {
    use super::Failure;
    use haos_store_api::Error;
    use wasm_bindgen::JsValue;

    /// Makes the failure of a thrown or reported JavaScript value.
    ///
    /// It reads `name` and `message` and asks for no class: a `QuotaExceededError` may be a class of its own, and a
    /// value from another realm is an instance of nothing here.
    pub(crate) fn js_failure(operation: &str, e: &JsValue) -> Failure {
        let text = |key: &str| {
            let value = js_sys::Reflect::get(e, &JsValue::from_str(key)).ok();
            value.and_then(|value| value.as_string())
        };
        let message = text("message").or_else(|| e.as_string()).unwrap_or_default();
        Failure::named(operation, text("name").unwrap_or_else(|| "Error".to_owned()), message)
    }

    /// Makes the error of the contract of a thrown or reported JavaScript value.
    pub(crate) fn js_error(operation: &'static str, e: &JsValue) -> Error {
        js_failure(operation, e).during(operation)
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use js::{js_error, js_failure};

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    /// Name, kind while opening, kind later.
    const KINDS: [(&str, ErrorKind, ErrorKind); 23] = [
        ("AbortError", ErrorKind::Busy, ErrorKind::Busy),
        ("TimeoutError", ErrorKind::Busy, ErrorKind::Busy),
        ("QuotaExceededError", ErrorKind::Full, ErrorKind::Full),
        ("NS_ERROR_FILE_NO_DEVICE_SPACE", ErrorKind::Full, ErrorKind::Full),
        ("VersionError", ErrorKind::NewerSchema, ErrorKind::NewerSchema),
        ("SecurityError", ErrorKind::Unavailable, ErrorKind::Unavailable),
        ("NotAllowedError", ErrorKind::Unavailable, ErrorKind::Unavailable),
        (MISSING, ErrorKind::Unavailable, ErrorKind::Unavailable),
        (NO_STORE, ErrorKind::Io, ErrorKind::Io),
        ("InvalidStateError", ErrorKind::Unavailable, ErrorKind::Closed),
        ("NotReadableError", ErrorKind::Corrupt, ErrorKind::Corrupt),
        ("NS_ERROR_FILE_CORRUPTED", ErrorKind::Corrupt, ErrorKind::Corrupt),
        ("UnknownError", ErrorKind::Io, ErrorKind::Io),
        ("NotFoundError", ErrorKind::Invalid, ErrorKind::Corrupt),
        ("ConstraintError", ErrorKind::Conflict, ErrorKind::Conflict),
        ("DataError", ErrorKind::Invalid, ErrorKind::Invalid),
        ("NotSupportedError", ErrorKind::Unsupported, ErrorKind::Unsupported),
        ("TypeError", ErrorKind::Unsupported, ErrorKind::Unsupported),
        ("TransactionInactiveError", ErrorKind::Other, ErrorKind::Other),
        ("ReadOnlyError", ErrorKind::Other, ErrorKind::Other),
        ("DataCloneError", ErrorKind::Other, ErrorKind::Other),
        ("InvalidAccessError", ErrorKind::Other, ErrorKind::Other),
        ("SyntaxError", ErrorKind::Other, ErrorKind::Other),
    ];

    #[test]
    fn every_name_has_a_kind_and_says_what_to_do() {
        for (name, opening, later) in KINDS {
            assert_eq!(kind_of(name, OPEN).0, opening, "{name}");
            assert_eq!(kind_of(name, "apply").0, later, "{name}");
            for operation in [OPEN, "apply"] {
                let message = kind_of(name, operation).1;
                assert!(message.contains(": ") && !message.contains("does not know"), "{name}: {message}");
            }
        }
        assert_eq!(kind_of("SomethingNew", "apply").0, ErrorKind::Other);
    }

    #[test]
    fn an_error_names_the_operation_and_the_browsers_words() {
        let error = Failure::named("apply", "QuotaExceededError", "over it").during("apply");
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Full, "apply"));
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("QuotaExceededError: over it"));
        let own = Failure::new(ErrorKind::Busy, "later");
        assert_eq!((own.kind(), own.name()), (ErrorKind::Busy, None));
        assert!(own.during("open").source().is_none());
    }
}
