//! Several writes of a machine as one.
//!
//! A machine stores what one message changed in several writes: the step of a ratchet in one, the room's key that came with
//! it in another. Killed in between, it refuses the message when that comes again, and has lost the key. So what belongs
//! together is gathered in memory, where reads see it, and stored as one batch.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex as Quick, PoisonError};

use haos_store_api::{Durability, EventType, Json, Scope, StateEntry, StateKey, StateQuery, WriteBatch};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::fence::Fence;

tokio::task_local! {
    /// The group that the present work is of.
    static PRESENT: Arc<Group>;
}

/// What is to be stored: the last value of each key, or that it is removed.
#[derive(Default)]
pub(crate) struct Gathered {
    values: BTreeMap<(EventType, StateKey), Option<Json>>,
    is_strict: bool,
}

impl Gathered {
    pub(crate) fn new(durability: Durability) -> Self {
        Self { values: BTreeMap::new(), is_strict: durability == Durability::Strict }
    }

    pub(crate) fn set(&mut self, kind: EventType, key: StateKey, value: Option<Json>) {
        self.values.insert((kind, key), value);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn add(&mut self, later: Self) {
        self.values.extend(later.values);
        self.is_strict |= later.is_strict;
    }

    pub(crate) fn into_batch(self) -> WriteBatch {
        let mut batch = if self.is_strict { WriteBatch::strict() } else { WriteBatch::relaxed() };
        for ((kind, key), value) in self.values {
            match value {
                Some(value) => {
                    batch.put_state(StateEntry { scope: Scope::Account, kind, key, event_id: None, value })
                }
                None => batch.remove_state(Scope::Account, kind, key),
            };
        }
        batch
    }

    /// Makes a list that was read what it will be. No order is promised beyond that of a page.
    fn lay_over(&self, query: &StateQuery, list: &mut Vec<StateEntry>) {
        for ((kind, key), value) in &self.values {
            let is_asked = query.kind.as_ref() == Some(kind) && query.key.as_ref().is_none_or(|of| of == key);
            if !is_asked {
                continue;
            }
            list.retain(|entry| entry.key != *key);
            if let Some(value) = value.clone() {
                let (kind, key) = (kind.clone(), key.clone());
                list.push(StateEntry { scope: Scope::Account, kind, key, event_id: None, value });
            }
        }
        list.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

/// The only writer of a store for a while, whose writes wait.
pub(crate) struct Group {
    /// Whose fence it holds.
    of: Arc<Mutex<Fence>>,
    pub(crate) fence: Arc<Mutex<OwnedMutexGuard<Fence>>>,
    gathered: Quick<Gathered>,
}

impl Group {
    pub(crate) fn new(of: &Arc<Mutex<Fence>>, fence: OwnedMutexGuard<Fence>) -> Arc<Self> {
        Arc::new(Self { of: of.clone(), fence: Arc::new(Mutex::new(fence)), gathered: Quick::default() })
    }

    /// Returns the group that the caller's work is of, if it is one of this store.
    pub(crate) fn present(of: &Arc<Mutex<Fence>>) -> Option<Arc<Self>> {
        let present = PRESENT.try_with(Arc::clone).ok()?;
        Arc::ptr_eq(&present.of, of).then_some(present)
    }

    /// Does work that is of this group.
    pub(crate) fn scope<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> impl Future<Output = T> {
        PRESENT.scope(self.clone(), work)
    }

    pub(crate) fn gather(&self, later: Gathered) {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).add(later);
    }

    pub(crate) fn take(&self) -> Gathered {
        std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn lay_over(&self, query: &StateQuery, list: &mut Vec<StateEntry>) {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).lay_over(query, list);
    }
}
