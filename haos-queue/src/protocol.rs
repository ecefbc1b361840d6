//! A protocol, as pure functions.

use haos_store_api::{
    Error, ErrorKind, EventId, EventType, Json, MaybeSend, Pending, Relation, RelationKind, Result, RoomId,
    StateEntry, StateKey,
};

use crate::{Event, NotRead, RoomState, StateAt};

/// A protocol: its defaults are those of one without redactions, edits and relations.
pub trait Protocol: MaybeSend {
    /// Makes the event that gives a sent one other content. `before` is the content that it has, where that is known.
    ///
    /// # Errors
    /// `Unsupported` where the protocol has no edits; those of [`Json`].
    fn edit(
        &self,
        _target: &EventId,
        _kind: &EventType,
        _content: &Json,
        _before: Option<&Json>,
    ) -> Result<(EventType, Json)> {
        Err(Error::new(ErrorKind::Unsupported, "edit", "the protocol has no edits"))
    }

    /// Makes the event that takes a sent one back; the row's `target` names it.
    ///
    /// # Errors
    /// `Unsupported` where the protocol has no redactions.
    fn redaction(&self) -> Result<(EventType, Json)> {
        Err(Error::new(ErrorKind::Unsupported, "redact", "the protocol has no redactions"))
    }

    /// Tells if a row makes sense without the message it is about. A reaction does not: it is cancelled
    /// with it. An answer may: it parks, and the user decides.
    fn outlives_parent(&self, _row: &Pending) -> bool {
        false
    }

    /// The kind of room state that encrypts a room, under the empty key, for good: a room of which one such event was ever
    /// seen gets nothing unencrypted of what [`Protocol::seals`] names.
    fn encryption(&self) -> Option<&'static str> {
        None
    }

    /// Tells if events of this kind are encrypted in an encrypted room.
    fn seals(&self, _kind: &EventType) -> bool {
        false
    }

    /// How a row relates to another message, once it is sent: by the local id where that one is unsent.
    fn row_relation(&self, _row: &Pending) -> Option<Relation> {
        None
    }

    /// Lists the kinds of room state that decide who may write, besides membership: when one changes, refused
    /// rows are tried again.
    fn rights(&self) -> &[&'static str] {
        &[]
    }

    /// Returns the part of a content that a redaction lets stand.
    fn redacted(&self, _kind: &EventType, _content: &Json) -> Json {
        Json::empty()
    }

    /// Returns the part of a state entry's value that a redaction lets stand.
    fn redacted_state(&self, kind: &EventType, value: &Json) -> Json {
        self.redacted(kind, value)
    }

    /// How an event relates to another one whose content it repeats, among its other members, if events do that.
    fn repeats(&self) -> Option<RelationKind> {
        None
    }

    /// Returns the part of an event's other members that stands once the event that it repeats is redacted.
    fn without_repeated(&self, extra: &Json) -> Option<Json> {
        Some(extra.clone())
    }

    /// The state entry that repeats, besides their own, what state events of this kind say: it is emptied with
    /// any of them.
    fn repeated_in(&self, _kind: &EventType) -> Option<(EventType, StateKey)> {
        None
    }

    /// Tells if a room's row shows state of this kind: where it changes, [`Protocol::shown`] is asked.
    fn is_shown(&self, _kind: &EventType) -> bool {
        false
    }

    /// Returns the changes of a room's row, as far as the change of its state can have brought them.
    ///
    /// # Errors
    /// [`NotRead`] names a part of the state that is needed: it is read, and the question asked again.
    fn shown(&self, _state: &RoomState<'_>) -> Result<RoomPatch, NotRead> {
        Ok(RoomPatch::default())
    }

    /// Tells if an event of this kind is the first of its room; `None` if that cannot be told.
    fn is_beginning(&self, _kind: &EventType) -> Option<bool> {
        None
    }

    /// Tells if the relation of an event hangs on the room's state: then [`Protocol::relation`] is asked.
    fn is_unsettled(&self, _event: &Event) -> bool {
        false
    }

    /// Returns the relation of an event.
    ///
    /// # Errors
    /// [`NotRead`], as of [`Protocol::shown`].
    fn relation(&self, event: &Event, _state: &RoomState<'_>) -> Result<Option<Relation>, NotRead> {
        Ok(event.relation.clone())
    }

    /// Tells whether an entry that came with a page of history is later than `held`, which the store has under its key.
    /// State of the past counts where the store has none; but a change that a sync left out, as of members that are
    /// loaded lazily, is told by a page alone.
    fn is_later(&self, _entry: &StateEntry, _held: &StateEntry) -> bool {
        false
    }

    /// Returns the entry of its room that says how far the user has read, as the server tells it from now on, if a row
    /// that it accepted says that.
    fn read_marker(&self, _row: &Pending) -> Option<StateEntry> {
        None
    }

    /// Returns the event up to which the user has read, if an entry of a room says that.
    fn read_upto(&self, _entry: &StateEntry) -> Option<EventId> {
        None
    }

    /// The place in a space that a state entry has a say in.
    fn space_link(&self, _entry: &StateEntry) -> Option<SpaceLink> {
        None
    }

    /// Tells if an entry that has a say puts the child into the space; else it takes it out.
    fn is_linked(&self, _value: &Json) -> bool {
        false
    }
}

/// Changes to a room row. `None` leaves a field as it is; `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomPatch {
    /// The name.
    pub name: Option<Option<String>>,
    /// The topic.
    pub topic: Option<Option<String>>,
    /// The avatar's media uri.
    pub avatar: Option<Option<String>>,
    /// The kind of room.
    pub kind: Option<Option<EventType>>,
}

/// A room's place in a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceLink {
    /// The space.
    pub space: RoomId,
    /// The room.
    pub child: RoomId,
    /// The entries that have a say in it: the first that is stored decides.
    pub words: Vec<StateAt>,
}

/// A protocol as small as messages need: [`Protocol`] with its defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainProtocol;

impl Protocol for PlainProtocol {}
