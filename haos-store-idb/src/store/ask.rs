//! The readings of a store, as values: all take one way through memory, and to the database for what it lacks.

use haos_store_api::*;

use crate::engine::head::Head;
use crate::engine::read::{Reader, Walk};

/// A reading.
pub(super) enum Ask {
    Room(RoomId),
    Rooms(RoomQuery),
    Message(RoomId, EventId),
    Timelines(Vec<(RoomId, Page)>),
    Gaps(RoomId),
    Count(RoomId, Option<EventId>),
    Related(RelationQuery),
    Messages(MessageQuery),
    Pending(PendingQuery),
    Media(MediaKey, ByteRange),
    MediaIndex(MediaQuery),
    States(Vec<StateQuery>),
    CountState(Scope, EventType),
    Head,
}

/// Its answer.
pub(super) enum Told {
    Room(Option<Room>),
    Rooms(Vec<Room>),
    Message(Option<Message>),
    Timelines(Vec<Slice>),
    Gaps(Vec<Gap>),
    Count(u64),
    Messages(Vec<Message>),
    Pending(Vec<Pending>),
    Media(Option<Media>),
    MediaIndex(Vec<MediaInfo>),
    States(Vec<Vec<StateEntry>>),
    Head(Head),
}

impl Ask {
    /// Returns the operation.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Room(_) => "room",
            Self::Rooms(_) => "rooms",
            Self::Message(..) => "message",
            Self::Timelines(_) => "timeline",
            Self::Gaps(_) => "gaps",
            Self::Count(..) => "count",
            Self::Related(_) => "related",
            Self::Messages(_) => "messages",
            Self::Pending(_) => "pending",
            Self::Media(..) => "media",
            Self::MediaIndex(_) => "media_index",
            Self::States(_) => "state",
            Self::CountState(..) => "count_state",
            Self::Head => "usage",
        }
    }

    /// Tells whether the answer must have every commit of other contexts: what these decide by is never old, however
    /// late they are heard of. What is shown is as of a moment in any case.
    pub(super) fn is_strict(&self) -> bool {
        !matches!(
            self,
            Self::Message(..) | Self::Timelines(_) | Self::Gaps(_) | Self::Count(..) | Self::Related(_)
        )
    }

    pub(super) fn run(&self, mut reader: Reader<'_, '_>, walk: &mut Walk) -> Result<Told> {
        Ok(match self {
            Self::Room(id) => Told::Room(reader.room(id)?),
            Self::Rooms(query) => Told::Rooms(reader.rooms(query)?),
            Self::Message(room, event) => Told::Message(reader.message(room, event)?),
            Self::Timelines(pages) => Told::Timelines(reader.timelines(pages)?),
            Self::Gaps(room) => Told::Gaps(reader.gaps(room)?),
            Self::Count(room, newer_than) => Told::Count(reader.count(room, newer_than.as_ref())?),
            Self::Related(query) => Told::Messages(reader.related(query)?),
            Self::Messages(query) => Told::Messages(reader.messages(query, walk)?),
            Self::Pending(query) => Told::Pending(reader.pending(query)?),
            Self::Media(key, range) => Told::Media(reader.media(key, *range)?),
            Self::MediaIndex(query) => Told::MediaIndex(reader.media_index(query)?),
            Self::States(queries) => Told::States(reader.states(queries)?),
            Self::CountState(scope, kind) => Told::Count(reader.count_state(scope, kind)?),
            Self::Head => Told::Head(reader.view.memory.head),
        })
    }
}
