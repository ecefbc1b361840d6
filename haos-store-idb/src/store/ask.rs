//! The requests to a store, as values: all take one way through a transaction.

use haos_store_api::*;

use super::ballast::is_worth;
use super::{IdbTx, Inner, Reader};
use crate::engine::apply::{Written, apply};
use crate::engine::chores::{self, Chore, Stepped};
use crate::engine::head::Head;
use crate::engine::kv::{Kv, Table};
use crate::engine::tables_of;
use crate::schema;

/// A read.
pub(super) enum Ask {
    Room(RoomId),
    Rooms(RoomQuery),
    Message(RoomId, EventId),
    /// The number is that of the room's small segments, at most.
    Timeline(RoomId, Page, usize),
    /// Pages of several rooms, each with the number of small segments.
    Timelines(Vec<(RoomId, Page, usize)>),
    Gaps(RoomId),
    Count(RoomId, Option<EventId>),
    Related(RelationQuery),
    Messages(MessageQuery),
    Pending(PendingQuery),
    Media(MediaKey, ByteRange),
    MediaIndex(MediaQuery),
    State(StateQuery),
    States(Vec<StateQuery>),
    Head,
    Named(&'static str),
    Step(Chore),
}

/// The answer of a read.
pub(super) enum Told {
    Room(Option<Room>),
    Rooms(Vec<Room>),
    Message(Option<Message>),
    Timeline(Slice),
    Timelines(Vec<Slice>),
    Gaps(Vec<Gap>),
    Count(u64),
    Messages(Vec<Message>),
    Pending(Vec<Pending>),
    Media(Option<Media>),
    MediaIndex(Vec<MediaInfo>),
    State(Vec<StateEntry>),
    States(Vec<Vec<StateEntry>>),
    Head(Head),
    Named(Option<Vec<u8>>),
    Step(Stepped),
}

impl Ask {
    /// Returns the operation, and the object stores that it reads.
    pub(super) fn about(&self) -> (&'static str, &'static [&'static str]) {
        const ROOMS: &str = Table::Rooms.name();
        const TIMELINE: &str = Table::Timeline.name();
        const OUTBOX: [&str; 2] = [Table::Outbox.name(), Table::OutboxIds.name()];
        const STATE: &str = Table::State.name();
        const MEDIA: [&str; 2] = [Table::Media.name(), Table::Chunks.name()];
        match self {
            Self::Room(_) => ("room", &[ROOMS]),
            Self::Rooms(_) => ("rooms", &[ROOMS]),
            Self::Message(..) => ("message", &[TIMELINE]),
            Self::Timeline(..) => ("timeline", &[TIMELINE]),
            Self::Timelines(_) => ("timelines", &[TIMELINE]),
            Self::Gaps(_) => ("gaps", &[TIMELINE]),
            Self::Count(..) => ("count", &[TIMELINE]),
            Self::Related(_) => ("related", &[TIMELINE]),
            Self::Messages(_) => ("messages", &[ROOMS, TIMELINE]),
            Self::Pending(_) => ("pending", &OUTBOX),
            Self::Media(..) => ("media", &MEDIA),
            Self::MediaIndex(_) => ("media_index", &MEDIA),
            Self::State(_) => ("state", &[STATE]),
            Self::States(_) => ("states", &[STATE]),
            Self::Head => ("usage", &[schema::META]),
            Self::Named(_) => ("keys", &[schema::META]),
            Self::Step(_) => ("maintain", &schema::ALL),
        }
    }

    pub(super) async fn run(&self, reader: Reader<'_, IdbTx<'_>>) -> Result<Told> {
        Ok(match self {
            Self::Room(id) => Told::Room(reader.room(id).await?),
            Self::Rooms(query) => Told::Rooms(reader.rooms(query.clone()).await?),
            Self::Message(room, event) => Told::Message(reader.message(room, event).await?),
            Self::Timeline(room, page, small) => Told::Timeline(reader.timeline(room, page, *small).await?),
            Self::Timelines(pages) => Told::Timelines(reader.timelines(pages).await?),
            Self::Gaps(room) => Told::Gaps(reader.gaps(room).await?),
            Self::Count(room, newer_than) => Told::Count(reader.count(room, newer_than.as_ref()).await?),
            Self::Related(query) => Told::Messages(reader.related(query).await?),
            Self::Messages(query) => Told::Messages(reader.messages(query).await?),
            Self::Pending(query) => Told::Pending(reader.pending(query).await?),
            Self::Media(key, range) => Told::Media(reader.media(key, *range).await?),
            Self::MediaIndex(query) => Told::MediaIndex(reader.media_index(query).await?),
            Self::State(query) => Told::State(reader.state(query).await?),
            Self::States(queries) => Told::States(reader.states(queries).await?),
            Self::Head => Told::Head(reader.head().await?),
            Self::Named(name) => Told::Named(reader.kv.named(name).await?),
            Self::Step(step) => Told::Step(step.clone().run(reader.kv, reader.codec).await?),
        })
    }
}

/// A write.
pub(super) enum Work {
    Apply(WriteBatch),
    Keys(KeyChange),
    Step(Chore),
}

/// The outcome of a write.
pub(super) enum Done {
    Applied(Written),
    Keys(Vec<u8>),
    Step(Stepped),
}

impl Work {
    /// Tells whether it makes room, or stores user content.
    pub(super) fn is_worth_ballast(&self) -> bool {
        match self {
            Self::Apply(batch) => is_worth(batch),
            Self::Keys(_) => true,
            Self::Step(_) => false,
        }
    }

    /// Returns the operation, the object stores that it may touch, and its durability.
    pub(super) fn about(&self) -> (&'static str, Vec<&'static str>, Durability) {
        match self {
            Self::Apply(batch) => {
                let mut stores = vec![schema::META];
                stores.extend(tables_of(batch).into_iter().map(Table::name));
                ("apply", stores, batch.durability())
            }
            Self::Keys(_) => ("keys", vec![schema::META], Durability::Strict),
            Self::Step(_) => ("maintain", schema::ALL.to_vec(), Durability::Relaxed),
        }
    }

    /// Runs it; `None` if it was based on outdated knowledge: it has to run again, in another transaction.
    pub(super) async fn run(&self, inner: &Inner, kv: &IdbTx<'_>) -> Result<Option<Done>> {
        Ok(match self {
            Self::Apply(batch) => {
                apply(kv, &inner.codec, batch, inner.known.take()).await?.map(Done::Applied)
            }
            Self::Keys(change) => Some(Done::Keys(chores::change_keys(kv, &inner.codec, change).await?)),
            Self::Step(step) => Some(Done::Step(step.clone().run(kv, &inner.codec).await?)),
        })
    }
}
