//! What live lists and rooms share of an open chat.

use std::collections::BTreeMap;
use std::sync::Arc;

use haos_matrix::Engine;
use haos_queue::{Outbox, Protocol, SharedHost};
use haos_store_api::{RoomId, StorageAdapter, UserId};
use tokio::sync::watch;

/// Who is typing, room by room.
pub(crate) type Typing = Arc<BTreeMap<RoomId, Vec<UserId>>>;

/// The parts of an open chat that are read.
#[derive(Clone)]
pub(crate) struct Base {
    /// The store, which is read and watched.
    pub(crate) store: Arc<dyn StorageAdapter>,
    /// Clock and chance.
    pub(crate) host: SharedHost,
    /// The meaning of what is sent.
    pub(crate) protocol: Arc<dyn Protocol>,
    /// What writes and fetches.
    pub(crate) desk: watch::Receiver<Desk>,
    /// The own user, once known.
    pub(crate) me: watch::Receiver<Option<UserId>>,
    /// Who is typing now.
    pub(crate) typing: watch::Receiver<Typing>,
}

/// What writes and fetches: another one once somebody logs in.
#[derive(Clone)]
pub(crate) struct Desk {
    /// The outbox.
    pub(crate) outbox: Outbox,
    /// What fetches history, where somebody is logged in.
    pub(crate) engine: Option<Engine>,
}

impl Base {
    /// Returns the outbox of whoever is logged in.
    pub(crate) fn outbox(&self) -> Outbox {
        self.desk.borrow().outbox.clone()
    }

    /// Returns what fetches history, where somebody is logged in.
    pub(crate) fn engine(&self) -> Option<Engine> {
        self.desk.borrow().engine.clone()
    }
}
