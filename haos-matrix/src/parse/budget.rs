use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use haos_store_api::{EventId, Json, Scope, StateEntry, StateKey};
use serde_json::value::RawValue;

use super::AnswerLimits;
use super::measure::check_width;
use super::members::{Members, json, object, quoted};
use super::unreadable::{LEFT_OUT, UNREADABLE_KEY, known_key, known_kind, unreadable};
use crate::ParseError;

/// The rest of one answer's limits while it is read.
pub(crate) struct Budget {
    limits: AnswerLimits,
    entries: Cell<usize>,
    is_spent: Cell<bool>,
    aside: RefCell<Aside>,
}

/// The unreadable parts.
#[derive(Default)]
struct Aside {
    kept: HashSet<(Scope, StateKey)>,
    bytes: usize,
    /// The latest: what a server repeats it repeats in a row.
    latest: Option<(Scope, Json)>,
    left_out: u64,
}

impl Budget {
    /// The budget of an answer.
    ///
    /// # Errors
    /// `TooMuch` if a list or an object in it is too wide to be taken apart.
    pub(crate) fn of(text: &str, limits: AnswerLimits) -> Result<Self, ParseError> {
        check_width(text, limits.entries)?;
        let entries = Cell::new(limits.entries);
        Ok(Self { limits, entries, is_spent: Cell::default(), aside: RefCell::default() })
    }

    /// Tells if one thing more is read. If not, the answer as a whole is too much: see [`Budget::check`].
    pub(crate) fn admits(&self) -> bool {
        match self.entries.get().checked_sub(1) {
            Some(left) => self.entries.set(left),
            None => self.is_spent.set(true),
        }
        !self.is_spent.get()
    }

    /// Tells if an event is read; one that is too large is left out.
    pub(crate) fn admits_event(&self, raw: &RawValue) -> bool {
        let is_small = raw.get().len() <= self.limits.event_bytes;
        if !is_small {
            self.aside.borrow_mut().left_out += 1;
        }
        self.admits() && is_small
    }

    /// # Errors
    /// `TooMuch` if something was not admitted.
    pub(crate) fn check(&self) -> Result<(), ParseError> {
        match self.is_spent.get() {
            true => Err(ParseError::TooMuch { limit: self.limits.entries }),
            false => Ok(()),
        }
    }

    /// An event that cannot be read, as it came: an entry the first time, none if it is one too many. It stands
    /// under the event's id, if it has one, so that its redaction finds it.
    pub(crate) fn unreadable_event(&self, scope: &Scope, raw: &RawValue) -> Option<StateEntry> {
        let entry = self.unreadable(scope, raw.get().len(), || json(raw))?;
        let event_id = Members::of(raw).and_then(|event| EventId::new(event.text("event_id")?).ok());
        Some(StateEntry { event_id, ..entry })
    }

    /// A member of another shape than it should have, as `{name: value}`.
    pub(crate) fn unreadable_member(&self, scope: &Scope, name: &str, raw: &RawValue) -> Option<StateEntry> {
        self.unreadable(scope, raw.get().len(), || object([(quoted(name).as_str(), raw.get())]))
    }

    /// Sets aside an unreadable text of this size.
    pub(crate) fn unreadable(
        &self,
        scope: &Scope,
        bytes: usize,
        value: impl FnOnce() -> Json,
    ) -> Option<StateEntry> {
        let mut aside = self.aside.borrow_mut();
        let is_room = aside.kept.len() < self.limits.unreadable
            && aside.bytes.saturating_add(bytes) <= self.limits.unreadable_bytes;
        let value = is_room.then(value).filter(|value| {
            aside.latest.as_ref().is_none_or(|(place, latest)| (place, latest) != (scope, value))
        });
        let entry = value.map(|value| unreadable(scope, value));
        let entry = entry.filter(|entry| aside.kept.insert((scope.clone(), entry.key.clone())));
        match &entry {
            Some(entry) => {
                aside.bytes += bytes;
                aside.latest = Some((scope.clone(), entry.value.clone()));
            }
            None => aside.left_out += 1,
        }
        entry
    }

    /// How much could not be read and is no entry, as one.
    pub(crate) fn left_out(&self) -> Option<StateEntry> {
        let left_out = self.aside.borrow().left_out;
        let value = Json::of(&left_out).ok().filter(|_| left_out > 0)?;
        let (kind, key) = (known_kind(LEFT_OUT), known_key(UNREADABLE_KEY));
        Some(StateEntry { scope: Scope::Account, kind, key, event_id: None, value })
    }
}
