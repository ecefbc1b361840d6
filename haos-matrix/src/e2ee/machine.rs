//! The machine, and whose turn it is to use it.

use std::ops::Deref;

use haos_crypto::KeyStore;
use matrix_sdk_crypto::OlmMachine;
use tokio::sync::MutexGuard;

use super::Encryption;
use super::trouble::Result;

/// A machine over the keys as they stand in the store.
pub(super) struct Held {
    pub(super) machine: OlmMachine,
    pub(super) keys: KeyStore,
}

/// The use of the machine: nobody else has it. Dropped before [`Turn::done`], the machine goes too, since it may know
/// what is not stored; the next turn makes it anew.
pub(super) struct Turn<'a> {
    place: MutexGuard<'a, Option<Held>>,
    held: Option<Held>,
}

impl Turn<'_> {
    /// Ends it. A machine that another context overtook goes.
    pub(super) fn done(mut self) {
        *self.place = self.held.take().filter(|held| !held.keys.is_stale());
    }
}

impl Deref for Turn<'_> {
    type Target = Held;

    #[expect(clippy::expect_used, reason = "it is taken by what ends the turn")]
    fn deref(&self) -> &Held {
        self.held.as_ref().expect("a turn has the machine to its end")
    }
}

impl Encryption {
    /// Waits for the machine. It is made where there is none: keys of a new device are made at its first time.
    pub(super) async fn turn(&self) -> Result<Turn<'_>> {
        let inner = &*self.inner;
        let mut place = inner.held.lock().await;
        let held = match place.take().filter(|held| !held.keys.is_stale()) {
            Some(held) => held,
            None => self.made().await?,
        };
        Ok(Turn { place, held: Some(held) })
    }

    async fn made(&self) -> Result<Held> {
        let inner = &*self.inner;
        self.load_code().await?;
        let keys = KeyStore::open(inner.store.clone()).await?;
        let machine = OlmMachine::with_store(&inner.user, &inner.device, keys.clone(), None).await?;
        // A machine that knows nothing of counts is told again.
        *inner.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        Ok(Held { machine, keys })
    }
}
