//! Readers that keep to one commit while others follow: what a commit replaces is kept for them in memory.

use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use haos_store_api::Result;
use haos_store_api::backend::kv::{self, Tree as _};
use haos_store_api::backend::native::Reader;
use haos_store_api::backend::{Codec, Reads};
use sled::IVec;

use crate::db::{Layer, Tree};
use crate::shared::Shared;

/// The values that a pinned commit has and the tree no longer: absent for a key that came later.
type Before = Mutex<kv::Changes<IVec>>;

/// The pinned commits that are still read.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<Vec<Weak<Before>>>);

impl Pins {
    /// Pins the commit that the tree holds. The caller keeps others out of the tree meanwhile.
    pub(crate) fn pin(&self, shared: Arc<Shared>, codec: Codec) -> Pinned {
        let before = Arc::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&before));
        Pinned { shared, codec, before }
    }

    /// Keeps what the changes are about to replace.
    pub(crate) fn keep(&self, tree: &Tree, changes: &Layer) -> Result<()> {
        let mut pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pins.retain(|pin| pin.strong_count() > 0);
        for before in pins.iter().filter_map(Weak::upgrade) {
            let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
            for key in changes.keys() {
                if let Entry::Vacant(place) = before.entry(key) {
                    let value = tree.get("apply", place.key())?;
                    place.insert(value);
                }
            }
        }
        Ok(())
    }
}

/// A reader of one commit.
#[derive(Debug)]
pub(crate) struct Pinned {
    shared: Arc<Shared>,
    codec: Codec,
    before: Arc<Before>,
}

impl Pinned {
    /// Looks at the replaced values; no commit comes meanwhile.
    pub(crate) fn through<T>(&self, look: impl FnOnce(&Codec, &kv::Changes<IVec>) -> T) -> T {
        look(&self.codec, &self.before.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reader for Pinned {
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        self.shared.read_pinned(self, operation, |db| read(&db))
    }
}
