//! The state of the connection, made of the reports of the sync engine and the outbox.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::PauseReason;

/// The state of the connection, for the user to see.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The platform says that there is no network.
    Offline,
    /// Nothing has been heard of the server yet.
    Connecting,
    /// The server's news since the last time are being brought.
    CatchingUp(SyncProgress),
    /// Everything is up to date.
    Live,
    /// The server does not answer, or answers with errors.
    Degraded {
        /// The latest failure.
        error: String,
        /// The next try, in milliseconds since 1970.
        next_try_ms: i64,
    },
    /// Nothing is sent, and why.
    Paused(PauseReason),
}

/// How far a catch-up is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncProgress {
    /// Done, in the sync's own unit (rooms, responses).
    pub done: u64,
    /// In all, where it is known.
    pub total: Option<u64>,
}

/// The sync engine's report of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyncState {
    /// It has not heard of the server yet.
    Connecting,
    /// It catches up.
    CatchingUp(SyncProgress),
    /// It waits for news.
    Live,
    /// Its last request failed.
    Failing {
        /// How.
        error: String,
        /// The next try, in milliseconds since 1970.
        next_try_ms: i64,
    },
}

/// The known facts about the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The platform's flag. It may be wrong; it proves nothing.
    offline: bool,
    paused: Option<PauseReason>,
    sync: Option<SyncState>,
    /// The outbox's last failure, if nothing went through since.
    failing: Option<(String, i64)>,
}

impl Seen {
    fn state(&self) -> ConnectionState {
        if let Some(reason) = &self.paused {
            return ConnectionState::Paused(reason.clone());
        }
        let failing = match &self.sync {
            Some(SyncState::Failing { error, next_try_ms }) => Some((error, *next_try_ms)),
            _ => self.failing.as_ref().map(|(error, next)| (error, *next)),
        };
        match (failing, &self.sync) {
            (None, Some(SyncState::Live)) => ConnectionState::Live,
            (None, Some(SyncState::CatchingUp(progress))) => ConnectionState::CatchingUp(*progress),
            (_, _) if self.offline => ConnectionState::Offline,
            (Some((error, next_try_ms)), _) => {
                ConnectionState::Degraded { error: error.clone(), next_try_ms }
            }
            (None, _) => ConnectionState::Connecting,
        }
    }
}

/// The one place where the connection's state is made and watched.
#[derive(Debug)]
pub(crate) struct Connection {
    seen: Mutex<Seen>,
    state: watch::Sender<ConnectionState>,
}

impl Default for Connection {
    fn default() -> Self {
        Self { seen: Mutex::default(), state: watch::Sender::new(Seen::default().state()) }
    }
}

impl Connection {
    pub(crate) fn watch(&self) -> watch::Receiver<ConnectionState> {
        self.state.subscribe()
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        let mut seen: MutexGuard<'_, Seen> = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut seen);
        let state = seen.state();
        self.state.send_if_modified(|shown| {
            let changed = *shown != state;
            *shown = state;
            changed
        });
    }

    pub(crate) fn platform(&self, online: bool) {
        self.change(|seen| seen.offline = !online);
    }

    /// Takes the sync engine's report. Tells if the server is heard again against the platform's word, which counts no
    /// longer then.
    pub(crate) fn sync(&self, sync: SyncState) -> bool {
        let mut is_refuted = false;
        self.change(|seen| {
            // The server was heard since: there may be nothing left to send that would show it.
            if matches!(sync, SyncState::Live | SyncState::CatchingUp(_)) {
                seen.failing = None;
                let was_silent = matches!(seen.sync, Some(SyncState::Connecting | SyncState::Failing { .. }));
                is_refuted = was_silent && std::mem::take(&mut seen.offline);
            }
            seen.sync = Some(sync);
        });
        is_refuted
    }

    pub(crate) fn paused(&self, reason: Option<PauseReason>) {
        self.change(|seen| seen.paused = reason);
    }

    pub(crate) fn failing(&self, failing: Option<(String, i64)>) {
        self.change(|seen| seen.failing = failing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_outweighs_what_the_platform_says() {
        let connection = Connection::default();
        let watch = connection.watch();
        let state = || watch.borrow().clone();
        assert_eq!(state(), ConnectionState::Connecting);
        connection.platform(false);
        assert_eq!(state(), ConnectionState::Offline);
        assert!(!connection.sync(SyncState::Connecting));
        assert_eq!(state(), ConnectionState::Offline);
        assert!(connection.sync(SyncState::Live), "the flag proves nothing");
        assert!(!connection.sync(SyncState::Live), "and is refuted once");
        assert_eq!(state(), ConnectionState::Live);
        connection.platform(false);
        connection.failing(Some(("no answer".to_owned(), 7)));
        assert_eq!(state(), ConnectionState::Offline);
        connection.platform(true);
        assert!(matches!(state(), ConnectionState::Degraded { next_try_ms: 7, .. }));
        assert!(!connection.sync(SyncState::Live));
        assert_eq!(state(), ConnectionState::Live, "what was heard last counts");
        connection.paused(Some(PauseReason::LoggedOut));
        assert_eq!(state(), ConnectionState::Paused(PauseReason::LoggedOut));
        connection.paused(None);
        let progress = SyncProgress { done: 3, total: Some(9) };
        connection.platform(false);
        assert!(!connection.sync(SyncState::CatchingUp(progress)), "it was Live before that word");
        let failing = || SyncState::Failing { error: "no answer".to_owned(), next_try_ms: 7 };
        assert!(!connection.sync(failing()));
        assert!(connection.sync(SyncState::CatchingUp(progress)));
        assert_eq!(state(), ConnectionState::CatchingUp(progress));
    }
}
