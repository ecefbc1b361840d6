use std::sync::Arc;

use haos_queue::{Answer, PauseReason, Verdict};
use haos_store_api::{Error, ErrorKind};

/// The reason why there is no media. Everybody who waited for one download gets the same.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// No server can be asked for such a uri.
    #[error("not a media uri: expected mxc://server/id as events have it")]
    InvalidUri,
    /// Bytes that only the store can have are not there.
    #[error(
        "these bytes are no longer in the store: if they were sent, use the uri in the message that came \
         back; if they were being read, ask again"
    )]
    NotStored,
    /// The server has no such item, or no longer.
    #[error("the server does not have it: show a placeholder, and ask again only when the user does")]
    NotFound,
    /// Its uri exists, its bytes are still on the way from whoever sends them.
    #[error("its sender has not uploaded it yet: ask again in a while")]
    NotYetUploaded,
    /// The server will not give it.
    #[error("the server refused it ({error}): ask for another variant, or show a placeholder")]
    Refused {
        /// The server's words.
        error: String,
    },
    /// The account must do something first.
    #[error("the account is paused ({0}): log in again, then ask again")]
    Paused(PauseReason),
    /// No connection, or no answer.
    #[error("it is not in the store and the server cannot be reached ({error}): ask again once online")]
    Offline {
        /// A description of the failure.
        error: String,
    },
    /// The server, or one that it must ask, cannot now.
    #[error("the server cannot give it now ({error}): ask again in {wait_ms} ms or later")]
    Unavailable {
        /// At least so long, in milliseconds; 0 if the server did not say.
        wait_ms: u64,
        /// The server's words.
        error: String,
    },
    /// Not as many bytes came as were announced.
    #[error("{received} bytes came of {expected} that were announced: ask again")]
    Incomplete {
        /// Bytes that were announced.
        expected: u64,
        /// Bytes that came.
        received: u64,
    },
    /// They are not the bytes that the sender encrypted. Nothing of them is kept.
    #[error("these are not the bytes that were sent: show a placeholder, and have it sent again")]
    Altered,
    /// It is larger than what the cache keeps of one item.
    #[error("it has {size} bytes or more and the cache keeps {limit} an item: read it with `stream`")]
    TooLarge {
        /// Its size in bytes as announced, or what had come when it was given up.
        size: u64,
        /// The most that is kept, in bytes.
        limit: u64,
    },
    /// It is larger than what is downloaded of one item. Nothing of it is kept.
    #[error(
        "it has more than {limit} bytes, which is the most that is downloaded: raise \
         `HttpOptions::max_media_bytes` if the item is wanted all the same"
    )]
    OverLimit {
        /// The most that is downloaded, in bytes.
        limit: u64,
    },
    /// The store has no room for it, whatever else is evicted; what had come is gone.
    #[error(
        "the storage has no room for it, although cached media was given up: free space on the device or \
         raise the quota, then ask again, or read it with `stream`"
    )]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(Arc<Error>),
}

impl MediaError {
    /// Tells if the same request may succeed later, without anybody doing something about it.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotYetUploaded
            | Self::Offline { .. }
            | Self::Unavailable { .. }
            | Self::Incomplete { .. } => true,
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl From<Error> for MediaError {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Full => Self::Full,
            _ => Self::Store(Arc::new(error)),
        }
    }
}

impl From<Answer> for MediaError {
    /// By the table of answers in `docs/semantics.md`, but for what only downloads answer.
    fn from(answer: Answer) -> Self {
        let code = match &answer {
            Answer::TooLarge { limit } => return Self::OverLimit { limit: *limit },
            Answer::Refused(refusal) => refusal.code.as_deref(),
            _ => None,
        };
        match code {
            Some("M_NOT_YET_UPLOADED") => return Self::NotYetUploaded,
            // A gateway's status, but the file will not become smaller.
            Some(code @ "M_TOO_LARGE") => return Self::Refused { error: code.to_owned() },
            _ => {}
        }
        match answer.verdict(false) {
            Verdict::Transient { offline: true, error, .. } => Self::Offline { error },
            Verdict::Transient { error, .. } => Self::Unavailable { wait_ms: 0, error },
            Verdict::RateLimited { wait_ms } => {
                Self::Unavailable { wait_ms, error: "too many requests".to_owned() }
            }
            Verdict::Pause(reason) => Self::Paused(reason),
            Verdict::Park { reason: haos_store_api::ParkReason::NotFound, .. } => Self::NotFound,
            Verdict::Park { error, .. } => Self::Refused { error },
            _ => Self::Unavailable { wait_ms: 0, error: "an unexpected answer".to_owned() },
        }
    }
}
