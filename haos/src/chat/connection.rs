use std::fmt;

use async_trait::async_trait;
use haos_queue::{ConnectionState, PauseReason};
use haos_store_api::Change;
use serde::Serialize;
use tokio::sync::watch;

use super::core::Role;
use super::outbox::Rows;
use super::{Chat, Live, Source};
use crate::base::changed;
use crate::error::Result;

/// The state of the connection and what waits for it, in one line of a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ConnectionSummary {
    /// The state.
    #[serde(flatten)]
    pub connection: Connection,
    /// Messages that the server does not have.
    pub unsent: u64,
    /// True if all news are here, and nothing is sent any more without the user: the end of work that is done in the
    /// background.
    pub is_settled: bool,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Connection {
    /// There is no network, or the chat was opened offline.
    Offline,
    /// Nobody is logged in.
    LoggedOut,
    /// Nothing has been heard of the server yet.
    Connecting,
    /// The server's news since the last time are being brought.
    CatchingUp {
        /// Done, in rooms.
        done: u64,
        /// In all, where it is known.
        total: Option<u64>,
    },
    /// Everything is up to date.
    Live,
    /// The server does not answer, or answers with errors.
    Degraded {
        /// The latest failure.
        error: String,
        /// The next try, in milliseconds since 1970.
        next_try_ms: i64,
    },
    /// Nothing is sent.
    Paused {
        /// The cause.
        cause: PauseReason,
        /// The same for the person.
        reason: String,
    },
    /// Another process or page with this store sends and syncs. What it brings is shown here as well.
    Elsewhere,
}

/// For the person.
impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline => f.write_str("offline: what you write waits"),
            Self::LoggedOut => f.write_str("nobody is logged in"),
            Self::Connecting => f.write_str("connecting"),
            Self::CatchingUp { done, total: Some(total) } => write!(f, "catching up: {done} of {total}"),
            Self::CatchingUp { done, total: None } => write!(f, "catching up: {done}"),
            Self::Live => f.write_str("live"),
            Self::Degraded { error, .. } => write!(f, "not reached ({error})"),
            Self::Paused { reason, .. } => write!(f, "paused: {reason}"),
            Self::Elsewhere => f.write_str("another process syncs: this is what it brings"),
        }
    }
}

impl Connection {
    fn of(state: &ConnectionState, role: Role, has_backend: bool, is_offline: bool) -> Self {
        match state {
            ConnectionState::Paused(cause) => {
                Self::Paused { reason: cause.to_string(), cause: cause.clone() }
            }
            _ if is_offline => Self::Offline,
            _ if !has_backend => Self::LoggedOut,
            _ if role == Role::Waiting => Self::Elsewhere,
            ConnectionState::Offline => Self::Offline,
            ConnectionState::CatchingUp(progress) => {
                Self::CatchingUp { done: progress.done, total: progress.total }
            }
            ConnectionState::Live => Self::Live,
            ConnectionState::Degraded { error, next_try_ms } => {
                Self::Degraded { error: error.clone(), next_try_ms: *next_try_ms }
            }
            _ => Self::Connecting,
        }
    }
}

impl Chat {
    /// The state of the connection, with the number of unsent messages.
    pub fn connection(&self) -> Live<ConnectionSummary> {
        let core = &self.core;
        let source = Summary {
            state: core.outbox.connection(),
            role: core.role.subscribe(),
            me: core.backend.subscribe(),
            rows: Rows::new(&core.outbox),
            is_offline: core.is_offline,
        };
        self.live(source)
    }
}

struct Summary {
    state: watch::Receiver<ConnectionState>,
    role: watch::Receiver<Role>,
    me: watch::Receiver<Option<super::backend::Backend>>,
    rows: Rows,
    is_offline: bool,
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Source<ConnectionSummary> for Summary {
    async fn read(&mut self) -> Result<ConnectionSummary> {
        self.rows.refresh().await?;
        let (role, has_backend) = (*self.role.borrow_and_update(), self.me.borrow_and_update().is_some());
        let state = self.state.borrow_and_update();
        let connection = Connection::of(&state, role, has_backend, self.is_offline);
        let is_settled = connection == Connection::Live && self.rows.is_settled();
        Ok(ConnectionSummary { connection, unsent: self.rows.unsent(), is_settled })
    }

    fn note(&mut self, change: &Change) -> bool {
        self.rows.heed(change)
    }

    async fn stirred(&mut self) {
        // Once one of them is gone the store's feed ends as well.
        tokio::select! {
            () = changed(&mut self.state) => {}
            () = changed(&mut self.role) => {}
            () = changed(&mut self.me) => {}
        }
    }
}
