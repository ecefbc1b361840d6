use haos_queue::{Answer, Verdict};
use haos_store_api::UserId;
use thiserror::Error;

use crate::ConnectError;

/// The reason why nobody was logged in, or out. The store stays as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The homeserver's url is invalid.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refused: the password, the account, the token.
    #[error("the homeserver refused ({0}): check the user, the password and the homeserver")]
    Refused(String),
    /// The server did not answer, or somebody else did.
    #[error("the homeserver was not reached ({0}): check its address and the network, then try again")]
    Unreachable(String),
    /// The server wants a pause.
    #[error("the homeserver asks for a pause: try again in {} s", wait_ms.div_ceil(1000))]
    Busy {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// The store is somebody else's.
    #[error("this store is of {held}, and the login is of {given}: open another store for {given}")]
    OtherUser {
        /// Whose store it is.
        held: UserId,
        /// The user who logged in.
        given: UserId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] haos_store_api::Error),
}

impl From<Answer> for ClientError {
    fn from(answer: Answer) -> Self {
        match answer.verdict(false) {
            Verdict::RateLimited { wait_ms } => Self::Busy { wait_ms },
            Verdict::Transient { error, .. } => Self::Unreachable(error),
            _ => Self::Refused(answer.to_string()),
        }
    }
}
