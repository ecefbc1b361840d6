//! The connection's state in words, and for programs.

use haos_queue::{ConnectionState, UploadProgress};
use serde::Serialize;

use crate::chat::online::fault::what_to_do;
use crate::text::{bytes, clean, time};

/// The state, for programs.
#[derive(Debug, Default, Serialize)]
pub(super) struct StateFields {
    /// `offline`, `connecting`, `catching_up`, `live`, `degraded` or `paused`.
    state: &'static str,
    done: Option<u64>,
    total: Option<u64>,
    error: Option<String>,
    next_try_ms: Option<i64>,
    /// The advice for a pause.
    hint: Option<String>,
}

impl From<&ConnectionState> for StateFields {
    fn from(state: &ConnectionState) -> Self {
        let named = |state| Self { state, ..Self::default() };
        match state {
            ConnectionState::Offline => named("offline"),
            ConnectionState::Connecting => named("connecting"),
            ConnectionState::CatchingUp(progress) => {
                Self { done: Some(progress.done), total: progress.total, ..named("catching_up") }
            }
            ConnectionState::Live => named("live"),
            ConnectionState::Degraded { error, next_try_ms } => {
                Self { error: Some(error.clone()), next_try_ms: Some(*next_try_ms), ..named("degraded") }
            }
            ConnectionState::Paused(reason) => Self { hint: Some(what_to_do(reason)), ..named("paused") },
            _ => named("unknown"),
        }
    }
}

/// The state in a few words. `now_ms`: with it, the next try is told in seconds from now.
pub(super) fn words(state: &ConnectionState, now_ms: Option<i64>) -> String {
    match state {
        ConnectionState::Offline => "offline: what you write waits".to_owned(),
        ConnectionState::Connecting => "connecting".to_owned(),
        ConnectionState::CatchingUp(progress) => match progress.total {
            Some(total) => format!("catching up: {} of {total}", progress.done),
            None => format!("catching up: {}", progress.done),
        },
        ConnectionState::Live => "live".to_owned(),
        ConnectionState::Degraded { error, next_try_ms } => {
            let next = match now_ms {
                Some(now_ms) if *next_try_ms <= now_ms => "trying".to_owned(),
                Some(now_ms) => {
                    let left = next_try_ms.saturating_sub(now_ms).unsigned_abs();
                    format!("next try in {} s", left.div_ceil(1000))
                }
                None => format!("next try at {}", time(*next_try_ms)),
            };
            format!("not reached ({}): {next}", clean(error))
        }
        ConnectionState::Paused(reason) => format!("paused: {}", clean(&what_to_do(reason))),
        _ => "unknown".to_owned(),
    }
}

/// The uploads under way, in a few words.
pub(super) fn uploads(uploads: &[UploadProgress]) -> String {
    let shown =
        uploads.iter().map(|upload| format!("; uploading {} of {}", bytes(upload.sent), bytes(upload.total)));
    shown.collect()
}

#[cfg(test)]
mod tests {
    use haos_queue::{PauseReason, SyncProgress};

    use super::*;

    #[test]
    fn states_say_what_to_expect_and_what_to_do() {
        let failing = ConnectionState::Degraded { error: "no answer".to_owned(), next_try_ms: 5_500 };
        assert_eq!(words(&failing, Some(1_000)), "not reached (no answer): next try in 5 s");
        assert_eq!(words(&failing, Some(6_000)), "not reached (no answer): trying");
        assert!(words(&failing, None).contains("next try at 1970-01-01T00:00:05Z"));
        let progress = SyncProgress { done: 3, total: Some(9) };
        assert_eq!(words(&ConnectionState::CatchingUp(progress), None), "catching up: 3 of 9");
        let paused = ConnectionState::Paused(PauseReason::LoggedOut);
        assert!(words(&paused, None).contains("haos login"));
        assert_eq!(StateFields::from(&paused).state, "paused");
    }
}
