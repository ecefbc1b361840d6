//! The reasons why a command fails, and their exit codes.

use std::io;

use haos::PauseReason;
use haos_store_api::ErrorKind;

/// The result of a command.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for what cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The input is not as it should be.
    #[error("{0}")]
    Input(String),
    /// The same, at a line of a file.
    #[error("{file}:{line}: {reason}")]
    Line {
        /// Its name.
        file: String,
        /// From 1.
        line: u64,
        /// The fault.
        reason: String,
    },
    /// The store refused.
    #[error("{0}")]
    Store(#[from] haos_store_api::Error),
    /// The store is not sound, or not the one that is meant.
    #[error("{0}")]
    Unhealthy(String),
    /// The network or the homeserver is not there just now.
    #[error("{0}")]
    Later(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code; documented in the help of the command.
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::Input(_) | Self::Line { .. } => 3,
            Self::Unhealthy(_) => 4,
            Self::Later(_) => 5,
            Self::Store(error) => match error.kind() {
                ErrorKind::Busy | ErrorKind::Blocked | ErrorKind::Full | ErrorKind::Conflict => 5,
                ErrorKind::Other => 1,
                _ => 4,
            },
        }
    }

    /// Tells if the reader of the output went away, as in `haos rooms | head`.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// An input error, where it happened. `Invalid` from the store is one, too.
    pub(crate) fn at(self, file: &str, line: u64) -> Self {
        let reason = match self {
            Self::Input(reason) => reason,
            Self::Store(error) if error.kind() == ErrorKind::Invalid => error.to_string(),
            other => return other,
        };
        Self::Line { file: file.to_owned(), line, reason }
    }

    /// The same, with what it is about.
    pub(crate) fn on(self, what: &str) -> Self {
        match self {
            Self::Input(text) => Self::Input(format!("{what}: {text}")),
            Self::Later(text) => Self::Later(format!("{what}: {text}")),
            other => other,
        }
    }

    /// The message with its causes.
    pub(crate) fn explain(&self) -> String {
        let mut text = self.to_string();
        let Self::Store(error) = self else { return text };
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(&format!("\n  cause: {cause_text}"));
            }
            source = cause.source();
        }
        if error.kind() == ErrorKind::Corrupt {
            text.push_str(
                "\n  `haos doctor --check` says what is damaged; `haos doctor --recover` sets the store aside and carries \
                 its outbox into a fresh one",
            );
        }
        text
    }
}

impl From<haos::Error> for Error {
    fn from(error: haos::Error) -> Self {
        use haos::Error as Chat;
        let text = error.to_string();
        match error {
            Chat::Store(error) => Self::Store(error),
            Chat::Unreachable(_) | Chat::Busy { .. } => Self::Later(text),
            Chat::OtherUser { .. } => Self::Unhealthy(format!("{text}, with --store")),
            Chat::Paused(reason) => Self::Input(what_to_do(&reason)),
            Chat::Unsendable(_) => Self::Input(format!("{text}; nothing was stored")),
            _ => Self::Input(text),
        }
    }
}

/// Tells why the account is paused, and what to do about it.
pub(crate) fn what_to_do(reason: &PauseReason) -> String {
    match reason {
        PauseReason::LoggedOut => "the session has ended: log in again with `haos login`".to_owned(),
        PauseReason::SoftLogout => "the session must be renewed: log in again with `haos login`".to_owned(),
        PauseReason::Refused(said) => {
            format!("the homeserver refuses the account ({said}): ask its administrator")
        }
        PauseReason::Encryption(what) => format!("nothing can be encrypted: {what}"),
        PauseReason::User => "sending was paused: log in again with `haos login` to go on".to_owned(),
        _ => "the account is paused: log in again with `haos login`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let store = |kind| Error::Store(haos_store_api::Error::new(kind, "apply", "x")).code();
        assert_eq!(store(ErrorKind::Busy), 5);
        assert_eq!(store(ErrorKind::Full), 5);
        assert_eq!(store(ErrorKind::Corrupt), 4);
        assert_eq!(store(ErrorKind::NewerSchema), 4);
        assert_eq!(store(ErrorKind::Invalid), 4);
        assert_eq!(store(ErrorKind::Sealed), 4);
        assert_eq!(store(ErrorKind::WrongKey), 4);
        assert_eq!(store(ErrorKind::NotSealed), 4);
        assert_eq!(Error::Usage(String::new()).code(), 2);
        assert_eq!(Error::Input(String::new()).code(), 3);
        assert_eq!(Error::Failed(String::new()).code(), 1);
        assert_eq!(Error::Later(String::new()).code(), 5);
    }

    #[test]
    fn what_the_store_calls_invalid_is_bad_input_at_a_line() {
        let store = Error::Store(haos_store_api::Error::new(ErrorKind::Invalid, "apply", "x"));
        assert_eq!(store.at("a.jsonl", 7).to_string(), "a.jsonl:7: apply: x");
        let store = Error::Store(haos_store_api::Error::new(ErrorKind::Full, "apply", "x"));
        assert_eq!(store.at("a.jsonl", 7).code(), 5);
    }
}
