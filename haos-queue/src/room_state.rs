//! A room's state as an answer leaves it, for those who derive something from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use haos_store_api::backend::SortedMap;
use haos_store_api::{EventType, Json, RoomId, StateEntry, StateKey, UserId};

/// A room's state: what an answer changes, over what was read from the store.
#[derive(Debug, Clone, Copy)]
pub struct RoomState<'a> {
    own: Option<&'a UserId>,
    changed: &'a [Cow<'a, StateEntry>],
    stored: Option<&'a StateRead>,
}

/// A place in a room's state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateAt {
    /// The room.
    pub room: RoomId,
    /// The kind.
    pub kind: EventType,
    /// The key.
    pub key: StateKey,
}

/// A part of a room's state that must be read first: of this kind all entries, or one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("the state of kind {kind} is not read")]
pub struct NotRead {
    /// The kind.
    pub kind: EventType,
    /// The key; none for all entries of the kind.
    pub key: Option<StateKey>,
}

/// The parts of a room's state that were read from the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateRead(SortedMap<NotRead, Vec<StateEntry>>);

impl<'a> RoomState<'a> {
    /// The state of a room in which `changed` is put. `stored` is what was read; none if the store has nothing
    /// of the room. `own` is the own user, if known.
    pub fn new(
        own: Option<&'a UserId>,
        changed: &'a [Cow<'a, StateEntry>],
        stored: Option<&'a StateRead>,
    ) -> Self {
        Self { own, changed, stored }
    }

    /// The own user, if known.
    pub fn own(&self) -> Option<&'a UserId> {
        self.own
    }

    /// Tells if the answer changes state of this kind.
    pub fn changes(&self, kind: &str) -> bool {
        self.changed.iter().any(|entry| entry.kind.as_str() == kind)
    }

    /// The value of an entry.
    ///
    /// # Errors
    /// [`NotRead`] if it must be read first.
    pub fn entry(&self, kind: &str, key: &str) -> Result<Option<&'a Json>, NotRead> {
        let is_it = |entry: &&StateEntry| entry.kind.as_str() == kind && entry.key.as_str() == key;
        if let Some(entry) = self.changed.iter().map(AsRef::as_ref).find(is_it) {
            return Ok(Some(&entry.value));
        }
        // An invalid key, as the id of a user may be, has no entry.
        let (Some(stored), Ok(kind), Ok(key)) = (self.stored, EventType::new(kind), StateKey::new(key))
        else {
            return Ok(None);
        };
        let one = NotRead { kind, key: Some(key) };
        let found = match stored.0.get(&one) {
            Some(found) => found,
            None => stored.0.get(&NotRead { key: None, ..one.clone() }).ok_or(one)?,
        };
        Ok(found.iter().find(is_it).map(|entry| &entry.value))
    }

    /// The entries of a kind, by key.
    ///
    /// # Errors
    /// [`NotRead`] if they must be read first.
    pub fn entries(&self, kind: &str) -> Result<BTreeMap<&'a str, &'a Json>, NotRead> {
        let mut found = BTreeMap::new();
        if let (Some(stored), Ok(kind)) = (self.stored, EventType::new(kind)) {
            let all = NotRead { kind, key: None };
            let entries = stored.0.get(&all).ok_or(all)?;
            found.extend(entries.iter().map(|entry| (entry.key.as_str(), &entry.value)));
        }
        let changed = self.changed.iter().filter(|entry| entry.kind.as_str() == kind);
        found.extend(changed.map(|entry| (entry.key.as_str(), &entry.value)));
        Ok(found)
    }
}

impl StateRead {
    /// Notes what the store has of a part.
    pub fn insert(&mut self, part: NotRead, entries: Vec<StateEntry>) {
        self.0.insert(part, entries);
    }
}
