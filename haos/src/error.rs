use haos_matrix::FetchError;
#[cfg(feature = "http")]
use haos_matrix::{ClientError, ConnectError};
use haos_queue::{Answer, EnqueueError, PauseReason, Verdict};
use haos_store_api::UserId;

/// The reason why a chat could not do something. Its text is for the person, and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed, or refused: its kind tells which.
    #[error(transparent)]
    Store(#[from] haos_store_api::Error),
    /// Nobody is logged in.
    #[error("nobody is logged in: log in first")]
    NotLoggedIn,
    /// The store belongs to somebody else.
    #[error("this store is of {held}, and the login is of {given}: open another store for {given}")]
    OtherUser {
        /// Whose store it is.
        held: UserId,
        /// The user who logged in.
        given: UserId,
    },
    /// The address of the homeserver cannot be used.
    #[error("{0}")]
    Address(String),
    /// The homeserver refused, in its words.
    #[error("the homeserver refused ({0}): check what was asked for, and the rights to it")]
    Refused(String),
    /// The homeserver refused the login.
    #[error("the homeserver refused the login ({0}): check the user, the password and the homeserver")]
    LoginRefused(String),
    /// The homeserver did not answer, or somebody else did.
    #[error("the homeserver was not reached ({0}): check the network, then try again")]
    Unreachable(String),
    /// The homeserver asks for a pause.
    #[error("the homeserver asks for a pause: try again in {} s", wait_ms.div_ceil(1000))]
    Busy {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// The account is paused.
    #[error("the account is paused ({0}): log in again to go on")]
    Paused(PauseReason),
    /// The message can never be sent as it is; nothing is stored of it.
    #[error("{0}")]
    Unsendable(String),
    /// The store has no such thing.
    #[error("{what} is not here: it may come with the next sync")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The message was taken back meanwhile.
    #[error("the message is gone: it was taken back meanwhile")]
    Gone,
    /// It cannot be done with this item: the text says with which it can.
    #[error("{0}")]
    NotPossible(&'static str),
    /// A file cannot be sent.
    #[error("{name} cannot be sent: {problem}")]
    File {
        /// The file's name.
        name: String,
        /// The fault, and what to do about it.
        problem: String,
    },
    /// The backend has no such thing.
    #[error("the backend of this chat has no {0}")]
    Unsupported(&'static str),
}

/// The result of what a chat does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<EnqueueError> for Error {
    fn from(error: EnqueueError) -> Self {
        match error {
            EnqueueError::Store(error) => Self::Store(error),
            error => Self::Unsendable(error.to_string()),
        }
    }
}

impl From<Answer> for Error {
    /// Reads an answer that is not the one that was asked for.
    fn from(answer: Answer) -> Self {
        match answer.verdict(false) {
            Verdict::RateLimited { wait_ms } => Self::Busy { wait_ms },
            Verdict::Transient { error, .. } => Self::Unreachable(error),
            Verdict::Pause(reason) => Self::Paused(reason),
            _ => Self::Refused(answer.to_string()),
        }
    }
}

impl From<FetchError> for Error {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Paused(reason) => Self::Paused(reason),
            FetchError::Answer(answer) => answer.into(),
            FetchError::Store(error) => Self::Store(error),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

#[cfg(feature = "http")]
impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Connect(error) => error.into(),
            ClientError::Refused(said) => Self::LoginRefused(said),
            ClientError::Busy { wait_ms } => Self::Busy { wait_ms },
            ClientError::OtherUser { held, given } => Self::OtherUser { held, given },
            ClientError::Store(error) => Self::Store(error),
            ClientError::Unreachable(error) => Self::Unreachable(error),
            other => Self::LoginRefused(other.to_string()),
        }
    }
}

#[cfg(feature = "http")]
impl From<ConnectError> for Error {
    fn from(error: ConnectError) -> Self {
        Self::Address(error.to_string())
    }
}
