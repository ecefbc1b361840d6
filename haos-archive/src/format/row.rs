//! The JSON of a row: every field of the entity under its name; one without a value may be absent.

use std::fmt;
use std::marker::PhantomData;

use haos_store_api::{
    EventId, EventType, Gap, Item, Json, Lease, MediaInfo, MediaKey, MediaUri, Membership, Message, Pending,
    PendingState, Position, Relation, Revision, Room, RoomId, Scope, StateEntry, StateKey, TxnId, Unread,
    UserId,
};
use serde::de::{self, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most spaces of a room, rooms of a media item, and media of an outbox row: a list of small texts takes many times
/// its length in memory.
pub(crate) const MOST_LISTED: usize = 100_000;

/// Reads a list of bounded length.
fn listed<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    struct Listed<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Listed<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST_LISTED}")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                if list.len() == MOST_LISTED {
                    return Err(de::Error::invalid_length(list.len() + 1, &self));
                }
                list.push(item);
            }
            Ok(list)
        }
    }
    from.deserialize_seq(Listed(PhantomData))
}

/// Reads a field that is present, be its value the JSON `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Room", deny_unknown_fields)]
struct RoomRow {
    id: RoomId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<EventType>,
    membership: Membership,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "listed")]
    spaces: Vec<RoomId>,
    last_activity_ms: i64,
    unread: Unread,
    revision: Revision,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Message", deny_unknown_fields)]
struct MessageRow {
    room: RoomId,
    id: EventId,
    position: Position,
    sender: UserId,
    timestamp_ms: i64,
    kind: EventType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state_key: Option<StateKey>,
    content: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relation: Option<Relation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    txn_id: Option<TxnId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redacted_by: Option<EventId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    provisional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    extra: Option<Json>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Gap", deny_unknown_fields)]
struct GapRow {
    room: RoomId,
    position: Position,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    revision: Revision,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Item", rename_all = "lowercase")]
enum ItemRow {
    Message(#[serde(with = "MessageRow")] Message),
    Gap(#[serde(with = "GapRow")] Gap),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StateEntry", deny_unknown_fields)]
struct StateRow {
    scope: Scope,
    kind: EventType,
    key: StateKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<EventId>,
    value: Json,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MediaInfo", deny_unknown_fields)]
struct MediaRow {
    key: MediaKey,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mime: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "listed")]
    rooms: Vec<RoomId>,
    last_access_ms: i64,
    fetched_at_ms: i64,
    pinned: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Pending", deny_unknown_fields)]
struct PendingRow {
    txn_id: TxnId,
    seq: u64,
    room: RoomId,
    kind: EventType,
    content: Json,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    wire: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wire_kind: Option<EventType>,
    state: PendingState,
    attempts: u32,
    ambiguous: bool,
    created_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_attempt_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_attempt_ms: Option<i64>,
    not_before_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Lease>,
    fence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<TxnId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<EventId>,
    priority: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<EventId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sync_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "listed")]
    media: Vec<MediaKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote: Option<MediaUri>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<EventId>,
    revision: Revision,
}

/// An entity that is a row of an archive.
pub(crate) trait Row: Sized {
    /// Writes it as JSON.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
    /// Reads it from JSON.
    fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error>;
    /// The length of its longest list.
    fn listed(&self) -> usize {
        0
    }
}

macro_rules! rows {
    ($($entity:ident as $row:ident $(, lists $list:ident)?;)*) => {
        $(impl Row for $entity {
            fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $row::serialize(self, to)
            }
            fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $row::deserialize(from)
            }
            $(fn listed(&self) -> usize {
                self.$list.len()
            })?
        })*
    };
}

rows! {
    Room as RoomRow, lists spaces;
    Item as ItemRow;
    StateEntry as StateRow;
    MediaInfo as MediaRow, lists rooms;
    Pending as PendingRow, lists media;
}

/// A row to be written.
pub(crate) struct Written<'a, T>(pub(crate) &'a T);

impl<T: Row> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

/// A row that was read.
pub(crate) struct Read<T>(pub(crate) T);

impl<'de, T: Row> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::read(from).map(Self)
    }
}
