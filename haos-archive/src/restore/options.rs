//! The choices of a restore.

use std::fmt;
use std::sync::Arc;

use haos_queue::{PlainProtocol, Protocol};
use haos_store_api::UserId;

/// The fate of unsent messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outbox {
    /// They are held back ([`ParkReason::Restored`](haos_store_api::ParkReason::Restored)): the store that they come
    /// from may send them still, and the user decides.
    #[default]
    HoldBack,
    /// They are sent from now on: the store that they come from is gone, or its outbox is.
    TakeOver,
}

/// The choices of a restore.
#[derive(Clone)]
#[non_exhaustive]
pub struct RestoreOptions {
    /// The user that the records are of, if the caller knows: then this is compared with the store's before the first
    /// record, and rooms are not kept in memory until the account's state came.
    pub owner: Option<UserId>,
    /// Merges the records of another user's store, too.
    pub any_owner: bool,
    /// Takes the login, if the store has none. Two stores with one login void each other's tokens.
    pub session: bool,
    /// The fate of unsent messages.
    pub outbox: Outbox,
    /// Whatever only a protocol knows, such as what a redaction lets stand.
    pub protocol: Arc<dyn Protocol>,
}

impl Default for RestoreOptions {
    /// Merges the own user's records without the login, and holds unsent messages back.
    fn default() -> Self {
        #[cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync, reason = "one thread"))]
        let protocol = Arc::new(PlainProtocol);
        Self { owner: None, any_owner: false, session: false, outbox: Outbox::default(), protocol }
    }
}

impl RestoreOptions {
    /// Says what becomes of unsent messages.
    #[must_use]
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        self
    }

    /// Names the user that the records are of.
    #[must_use]
    pub fn owner(mut self, owner: Option<UserId>) -> Self {
        self.owner = owner;
        self
    }

    /// Merges the records of another user's store, too.
    #[must_use]
    pub fn any_owner(mut self, any_owner: bool) -> Self {
        self.any_owner = any_owner;
        self
    }

    /// Takes the login, if the store has none.
    #[must_use]
    pub fn session(mut self, session: bool) -> Self {
        self.session = session;
        self
    }

    /// Names the protocol.
    #[must_use]
    pub fn protocol(mut self, protocol: Arc<dyn Protocol>) -> Self {
        self.protocol = protocol;
        self
    }
}

impl fmt::Debug for RestoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreOptions")
            .field("owner", &self.owner)
            .field("any_owner", &self.any_owner)
            .field("session", &self.session)
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}
