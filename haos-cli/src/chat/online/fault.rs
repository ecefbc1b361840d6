//! A homeserver's answers, as errors of a command.

use haos_matrix::{ClientError, FetchError, MediaError};
use haos_queue::{Answer, PauseReason, Verdict};

use crate::error::Error;
use crate::text::bytes;

/// The account must do something first.
pub(in crate::chat) fn account_fault(reason: &PauseReason) -> Error {
    Error::Input(what_to_do(reason))
}

/// Tells why the account is paused, and what to do about it.
pub(super) fn what_to_do(reason: &PauseReason) -> String {
    match reason {
        PauseReason::LoggedOut => "the session has ended: log in again with `haos login`".to_owned(),
        PauseReason::SoftLogout => "the session must be renewed: log in again with `haos login`".to_owned(),
        PauseReason::Refused(said) => {
            format!("the homeserver refuses the account ({said}): ask its administrator")
        }
        PauseReason::User => "sending was paused: log in again with `haos login` to go on".to_owned(),
        _ => "the account is paused: log in again with `haos login`".to_owned(),
    }
}

/// A login or a logout that failed.
pub(in crate::chat) fn client_fault(error: ClientError) -> Error {
    match error {
        ClientError::Store(error) => Error::Store(error),
        ClientError::Unreachable(_) | ClientError::Busy { .. } => Error::Later(error.to_string()),
        ClientError::OtherUser { .. } => Error::Unhealthy(format!("{error}, with --store")),
        ClientError::Connect(_) | ClientError::Refused(_) => Error::Input(error.to_string()),
        error => Error::Failed(error.to_string()),
    }
}

/// A request that brought something else than it asked for.
pub(in crate::chat) fn answer_fault(what: &str, answer: &Answer) -> Error {
    match answer.verdict(false) {
        Verdict::RateLimited { wait_ms } => Error::Later(format!(
            "{what}: the homeserver asks for a pause: try again in {} s",
            wait_ms.div_ceil(1000)
        )),
        Verdict::Transient { error, .. } => Error::Later(format!(
            "{what}: the homeserver was not reached ({error}): check the network, then try again"
        )),
        Verdict::Pause(reason) => account_fault(&reason),
        Verdict::Park { error, .. } => Error::Input(format!("{what}: the homeserver refused it ({error})")),
        _ => Error::Failed(format!("{what}: the homeserver answered something else")),
    }
}

/// A page that did not come.
pub(super) fn fetch_fault(what: &str, error: FetchError) -> Error {
    match error {
        FetchError::Answer(answer) => answer_fault(what, &answer),
        FetchError::Store(error) => Error::Store(error),
        error => Error::Later(format!("{what}: {error}")),
    }
}

/// A media item that did not come.
pub(super) fn media_fault(uri: &str, error: MediaError) -> Error {
    let text = format!("{uri}: {error}");
    match &error {
        MediaError::Paused(reason) => account_fault(reason),
        MediaError::Full => Error::Later(text),
        MediaError::OverLimit { limit } => Error::Input(format!(
            "{uri}: it has more than {}, and nothing of it was kept: if that is right, raise the limit with \
             --max-size",
            bytes(*limit)
        )),
        _ if error.is_retryable() => Error::Later(text),
        MediaError::Store(_) => Error::Unhealthy(text),
        _ => Error::Input(text),
    }
}
