use std::error::Error as _;

use haos::{Error, ErrorKind};
use haos_matrix::MediaError;
use serde::Serialize;

/// What went wrong, as a frontend acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The kind.
    pub code: ErrorCode,
    /// The fault, and what to do about it, for the person.
    pub message: String,
    /// True if the same call may succeed later as it is.
    pub retryable: bool,
    /// At least so long it is to be waited, in milliseconds, where the server says so.
    pub retry_after_ms: Option<u64>,
    /// What lies below it, for developers.
    pub detail: Option<String>,
}

/// The kinds of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The call is none, or its input breaks the contract.
    Invalid,
    /// Nobody is logged in.
    NotLoggedIn,
    /// The store is another user's.
    OtherUser,
    /// The address of the homeserver cannot be used.
    Address,
    /// The homeserver refused.
    Refused,
    /// The homeserver refused the login.
    LoginRefused,
    /// The homeserver was not reached.
    Unreachable,
    /// The homeserver, or another holder of the store, asks to wait.
    Busy,
    /// The account is paused.
    Paused,
    /// The message can never be sent as it is.
    Unsendable,
    /// There is no such thing here.
    NotFound,
    /// The message was taken back meanwhile.
    Gone,
    /// It cannot be done with this item.
    NotPossible,
    /// A file cannot be sent.
    File,
    /// The backend or the platform has no such thing.
    Unsupported,
    /// The quota or the disk is full.
    Full,
    /// What is stored is damaged.
    Corrupt,
    /// The store is sealed, and no secret was given.
    Sealed,
    /// The store is sealed with another secret.
    WrongKey,
    /// A secret was given, and the store is not sealed.
    NotSealed,
    /// A newer version of the application wrote the store.
    NewerSchema,
    /// Another tab keeps an old version open.
    Blocked,
    /// There is no storage here, as in a private window.
    Unavailable,
    /// The chat is closed.
    Closed,
    /// Anything else.
    Other,
}

/// The result of a call.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure of a call that breaks the contract; the text says how to proceed.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: false, retry_after_ms: None, detail: None }
    }

    /// The same as JSON.
    pub fn to_json(&self) -> String {
        // Plain text and numbers: it does not fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(ErrorCode::Invalid, format!("this call is not one of this version: {error}"))
    }
}

impl From<haos_store_api::Error> for Failure {
    fn from(error: haos_store_api::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&haos_store_api::Error> for Failure {
    fn from(error: &haos_store_api::Error) -> Self {
        let mut failure = Self::new(code_of(error.kind()), error.to_string());
        failure.retryable = error.is_retryable();
        failure.detail = error.source().map(ToString::to_string);
        failure
    }
}

fn code_of(kind: ErrorKind) -> ErrorCode {
    match kind {
        ErrorKind::Invalid => ErrorCode::Invalid,
        ErrorKind::Busy | ErrorKind::Conflict => ErrorCode::Busy,
        ErrorKind::Full => ErrorCode::Full,
        ErrorKind::Corrupt => ErrorCode::Corrupt,
        ErrorKind::WrongKey => ErrorCode::WrongKey,
        ErrorKind::NotSealed => ErrorCode::NotSealed,
        ErrorKind::Sealed => ErrorCode::Sealed,
        ErrorKind::NewerSchema => ErrorCode::NewerSchema,
        ErrorKind::Blocked => ErrorCode::Blocked,
        ErrorKind::Unavailable => ErrorCode::Unavailable,
        ErrorKind::Closed => ErrorCode::Closed,
        ErrorKind::Unsupported => ErrorCode::Unsupported,
        _ => ErrorCode::Other,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (code, retryable) = match error {
            Error::Store(error) => return error.into(),
            Error::Busy { wait_ms } => {
                let failure = Self::new(ErrorCode::Busy, message);
                return Self { retryable: true, retry_after_ms: Some(wait_ms), ..failure };
            }
            Error::NotLoggedIn => (ErrorCode::NotLoggedIn, false),
            Error::OtherUser { .. } => (ErrorCode::OtherUser, false),
            Error::Address(_) => (ErrorCode::Address, false),
            Error::Refused(_) => (ErrorCode::Refused, false),
            Error::LoginRefused(_) => (ErrorCode::LoginRefused, false),
            Error::Unreachable(_) => (ErrorCode::Unreachable, true),
            Error::Paused(_) => (ErrorCode::Paused, false),
            Error::Unsendable(_) => (ErrorCode::Unsendable, false),
            Error::NotFound { .. } => (ErrorCode::NotFound, false),
            Error::Gone => (ErrorCode::Gone, false),
            Error::NotPossible(_) => (ErrorCode::NotPossible, false),
            Error::File { .. } => (ErrorCode::File, false),
            Error::Unsupported(_) => (ErrorCode::Unsupported, false),
            _ => (ErrorCode::Other, false),
        };
        Self { retryable, ..Self::new(code, message) }
    }
}

impl From<MediaError> for Failure {
    fn from(error: MediaError) -> Self {
        let (message, retryable) = (error.to_string(), error.is_retryable());
        let code = match error {
            MediaError::Store(error) => return (&*error).into(),
            MediaError::InvalidUri => ErrorCode::Invalid,
            MediaError::NotStored | MediaError::NotFound => ErrorCode::NotFound,
            MediaError::NotYetUploaded | MediaError::Unavailable { .. } => ErrorCode::Busy,
            MediaError::Refused { .. } => ErrorCode::Refused,
            MediaError::Paused(_) => ErrorCode::Paused,
            MediaError::Offline { .. } | MediaError::Incomplete { .. } => ErrorCode::Unreachable,
            MediaError::TooLarge { .. } | MediaError::OverLimit { .. } => ErrorCode::NotPossible,
            MediaError::Full => ErrorCode::Full,
            _ => ErrorCode::Other,
        };
        Self { retryable, ..Self::new(code, message) }
    }
}
