//! Why something of encryption cannot go on.

use haos_crypto::Error as KeyError;
use haos_queue::{Answer, Unready};
use haos_store_api::{Error, ErrorKind};
use matrix_sdk_crypto::store::CryptoStoreError;
use matrix_sdk_crypto::{MegolmError, OlmError};

use crate::FetchError;

/// The reason why something cannot go on. None carries a key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Another context wrote keys meanwhile. Nothing was given out; the machine is made anew.
    #[error("another context of this account wrote keys meanwhile: try again")]
    Stale,
    /// No sync has told of the room, or too much changed while its members were fetched.
    #[error("the room's members are not known yet: it goes on after a sync")]
    Early,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// A request was not made, or not answered as wanted.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The keys in the store are another device's.
    #[error("the keys in this store are of {0}: log in on that device, or clear the store")]
    OtherDevice(String),
    /// It cannot be done with these keys, or this event.
    #[error("encryption failed ({0}): check the keys of this device")]
    Machine(String),
}

pub(crate) type Result<T, E = Trouble> = std::result::Result<T, E>;

impl From<KeyError> for Trouble {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Stale => Self::Stale,
            KeyError::Store(error) => Self::Store(error),
            KeyError::Closed => Self::Store(Error::new(ErrorKind::Closed, "keys", "the key store is closed")),
            other => Self::Machine(other.to_string()),
        }
    }
}

impl From<CryptoStoreError> for Trouble {
    fn from(error: CryptoStoreError) -> Self {
        match (KeyError::of(&error), &error) {
            (Some(KeyError::Stale), _) => Self::Stale,
            (Some(KeyError::Store(cause)), _) => {
                Self::Store(Error::new(cause.kind(), cause.operation(), cause.to_string()))
            }
            (None, CryptoStoreError::MismatchedAccount { expected: (user, device), .. }) => {
                Self::OtherDevice(format!("{user}, device {device}"))
            }
            _ => Self::Machine(error.to_string()),
        }
    }
}

impl From<OlmError> for Trouble {
    fn from(error: OlmError) -> Self {
        match error {
            OlmError::Store(error) => error.into(),
            other => Self::Machine(other.to_string()),
        }
    }
}

impl From<MegolmError> for Trouble {
    fn from(error: MegolmError) -> Self {
        match error {
            MegolmError::Store(error) => error.into(),
            other => Self::Machine(other.to_string()),
        }
    }
}

impl From<Answer> for Trouble {
    fn from(answer: Answer) -> Self {
        Self::Fetch(FetchError::Answer(answer))
    }
}

impl From<Trouble> for Unready {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Stale => {
                let again = "another context wrote keys meanwhile: seal it again";
                Self::Store(Error::new(ErrorKind::Conflict, "seal", again))
            }
            Trouble::Early => Self::Later(trouble.to_string()),
            Trouble::Store(error) | Trouble::Fetch(FetchError::Store(error)) => Self::Store(error),
            Trouble::Fetch(FetchError::Answer(answer)) => Self::Answered(answer),
            Trouble::Fetch(FetchError::Unreadable(_)) => Self::Answered(Answer::Unreadable),
            // Whoever sends finds the account paused.
            Trouble::Fetch(FetchError::Paused(_)) => Self::Answered(Answer::NoAnswer),
            trouble @ (Trouble::OtherDevice(_) | Trouble::Machine(_)) => Self::Refused(trouble.to_string()),
        }
    }
}
