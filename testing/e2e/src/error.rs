use std::fmt::Display;

/// A failure of the harness; the text says what to do where something can be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered, and its answer is no success.
    #[error("{request}: {status} {errcode}: {message}")]
    Refused {
        /// Method and path, without the query.
        request: String,
        /// The HTTP status.
        status: u16,
        /// Matrix' code, empty where the answer has none.
        errcode: String,
        /// The body as far as it is text: 400 characters at most.
        message: String,
    },
    /// No answer, or none that can be read.
    #[error("{what}: {cause}")]
    Failed {
        /// The act that failed.
        what: String,
        /// The reason why it failed.
        cause: String,
    },
}

/// The result of the harness.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(what: impl Into<String>, cause: impl Display) -> Self {
        Self::Failed { what: what.into(), cause: cause.to_string() }
    }

    /// The HTTP status of an answer that is no success.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Failed { .. } => None,
        }
    }

    /// Matrix' code of an answer that is no success.
    pub fn errcode(&self) -> Option<&str> {
        match self {
            Self::Refused { errcode, .. } if !errcode.is_empty() => Some(errcode),
            _ => None,
        }
    }
}
