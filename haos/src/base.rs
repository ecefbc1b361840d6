//! What live lists and rooms share of an open chat.

use std::sync::Arc;

use haos_matrix::Engine;
pub(crate) use haos_matrix::Typing;
use haos_queue::{Outbox, Protocol};
use haos_store_api::{StorageAdapter, UserId};
use tokio::sync::watch;

use crate::chat::Backend;

/// The parts of an open chat that its rooms and lists are made of.
#[derive(Clone)]
pub(crate) struct Base {
    /// The store, which is read and watched.
    pub(crate) store: Arc<dyn StorageAdapter>,
    /// The meaning of what is sent.
    pub(crate) protocol: Arc<dyn Protocol>,
    /// What is written goes here.
    pub(crate) outbox: Outbox,
    /// The backend, once somebody is logged in.
    pub(crate) backend: watch::Receiver<Option<Backend>>,
    /// The own user, once known.
    pub(crate) me: watch::Receiver<Option<UserId>>,
    /// Who is typing now.
    pub(crate) typing: watch::Receiver<Typing>,
}

impl Base {
    /// Returns what fetches history, where somebody is logged in.
    pub(crate) fn engine(&self) -> Option<Engine> {
        self.backend.borrow().as_ref()?.engine().cloned()
    }

    /// Returns what wakes a list besides the store.
    pub(crate) fn signals(&self) -> Signals {
        Signals { me: self.me.clone(), typing: self.typing.clone() }
    }
}

/// What changes besides the store.
pub(crate) struct Signals {
    me: watch::Receiver<Option<UserId>>,
    typing: watch::Receiver<Typing>,
}

impl Signals {
    /// Waits for a change; for ever once the chat is closed. Dropping the call loses nothing.
    pub(crate) async fn changed(&mut self) {
        tokio::select! {
            () = changed(&mut self.me) => {}
            () = changed(&mut self.typing) => {}
        }
    }
}

/// Gathers what comes into a set or a map, one by one. `collect` would sort it first, by code that is compiled again for
/// each type.
pub(crate) fn gathered<C: Default + Extend<T>, T>(items: impl Iterator<Item = T>) -> C {
    let mut gathered = C::default();
    gathered.extend(items);
    gathered
}

/// Waits for another value; for ever once nobody is left to give one. Dropping the call loses nothing.
pub(crate) async fn changed<T>(value: &mut watch::Receiver<T>) {
    if value.changed().await.is_err() {
        std::future::pending().await
    }
}
