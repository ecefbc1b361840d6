//! The stored part of each entity that is not a key column. Field order is the binary format: append
//! nothing, reorder nothing; a change takes a new frame version.

use serde::de::DeserializeOwned;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::binary::{Binary, binary_struct};
use crate::*;

/// The stored part of an entity.
pub(super) trait Body: Binary + Serialize + DeserializeOwned {}

/// Returns the name of a field that is a keyword, as serde derives it.
fn plain_name(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Reads a field that is present, be its value the JSON `null`; text rows leave out a field without a value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    if deserializer.is_human_readable() {
        Json::deserialize(deserializer).map(Some)
    } else {
        Option::deserialize(deserializer)
    }
}

/// Binary rows hold every field; text rows leave out empty ones.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident {
        $($req:ident: $rty:ty,)* ; $($(#[$how:meta])* $opt:ident: $oty:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        pub(super) struct $name {
            $(pub(super) $req: $rty,)*
            $(#[serde(default)] $(#[$how])* pub(super) $opt: $oty,)*
        }

        impl Body for $name {}

        binary_struct!($name { $($req,)* $($opt,)* });

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text = serializer.is_human_readable();
                let fields = [$(stringify!($req),)* $(stringify!($opt),)*].len();
                let mut body = serializer.serialize_struct(stringify!($name), fields)?;
                $(body.serialize_field(plain_name(stringify!($req)), &self.$req)?;)*
                $(if text && self.$opt == <$oty>::default() {
                    body.skip_field(plain_name(stringify!($opt)))?;
                } else {
                    body.serialize_field(plain_name(stringify!($opt)), &self.$opt)?;
                })*
                body.end()
            }
        }
    };
}

body!(RoomBody {
    room_id: RoomId,
    membership: Membership,
    ;
    name: Option<String>,
    topic: Option<String>,
    avatar: Option<String>,
    kind: Option<EventType>,
    spaces: Vec<RoomId>,
    unread: Unread,
});

body!(MessageBody {
    event_id: EventId,
    sender: UserId,
    r#type: EventType,
    content: Json,
    ;
    state_key: Option<StateKey>,
    relation: Option<Relation>,
    txn_id: Option<TxnId>,
    redacted_by: Option<EventId>,
    provisional: bool,
    #[serde(deserialize_with = "present")]
    extra: Option<Json>,
});

body!(GapBody {
    room_id: RoomId,
    ;
    token: Option<String>,
});

body!(PendingBody {
    txn_id: TxnId,
    room_id: RoomId,
    r#type: EventType,
    content: Json,
    state: PendingState,
    ;
    #[serde(deserialize_with = "present")]
    wire: Option<Json>,
    wire_kind: Option<EventType>,
    attempts: u32,
    ambiguous: bool,
    created_ms: i64,
    first_attempt_ms: Option<i64>,
    last_attempt_ms: Option<i64>,
    lease: Option<Lease>,
    fence: u64,
    parent: Option<TxnId>,
    target: Option<EventId>,
    priority: i32,
    expires_at_ms: Option<i64>,
    event_id: Option<EventId>,
    error: Option<String>,
    sync_token: Option<String>,
    device: Option<String>,
    media: Vec<MediaKey>,
    remote: Option<MediaUri>,
    anchor: Option<EventId>,
});

body!(MediaBody {
    key: MediaKey,
    ;
    mime: Option<String>,
    rooms: Vec<RoomId>,
    fetched_at_ms: i64,
});

body!(StateBody {
    scope: Scope,
    kind: EventType,
    key: StateKey,
    value: Json,
    ;
    event_id: Option<EventId>,
});
