//! What live lists and rooms share of an open chat.

use std::sync::Arc;

pub(crate) use haos_matrix::Typing;
use haos_queue::{Protocol, SharedHost};
use haos_store_api::{StorageAdapter, UserId};
use tokio::sync::watch;

/// The parts of an open chat that are read.
#[derive(Clone)]
pub(crate) struct Base {
    /// The store, which is read and watched.
    pub(crate) store: Arc<dyn StorageAdapter>,
    /// Clock and chance.
    pub(crate) host: SharedHost,
    /// The meaning of what is sent.
    pub(crate) protocol: Arc<dyn Protocol>,
    /// The own user, once known.
    pub(crate) me: watch::Receiver<Option<UserId>>,
    /// Who is typing now.
    pub(crate) typing: watch::Receiver<Typing>,
}
