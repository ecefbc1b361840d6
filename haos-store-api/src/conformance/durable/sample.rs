//! Small entities and a batch of every kind of row, for the suite and for a backend's own tests.
#![allow(clippy::expect_used, reason = "fixed input, checked by every run")]

use crate::*;

/// Makes the room id `!name`.
pub fn room_id(name: &str) -> RoomId {
    RoomId::new(format!("!{name}")).expect("a room id")
}

/// Makes the event id `$name`.
pub fn event_id(name: &str) -> EventId {
    EventId::new(format!("${name}")).expect("an event id")
}

/// Makes the transaction id `name`.
pub fn txn(name: &str) -> TxnId {
    TxnId::new(name).expect("a transaction id")
}

/// Makes an event type or a kind of state.
pub fn kind(name: &str) -> EventType {
    EventType::new(name).expect("an event type")
}

/// Makes the key of the media item `name`, as it was sent.
pub fn media_key(name: &str) -> MediaKey {
    MediaKey {
        uri: MediaUri::new(format!("mxc://example.org/{name}")).expect("a media uri"),
        format: MediaFormat::new("").expect("a media format"),
    }
}

/// Returns the position `offset` places newer than the first.
pub fn at(offset: u64) -> Position {
    Position::FIRST.newer(offset).expect("a position")
}

/// Makes a room with a name.
pub fn room(name: &str) -> Room {
    Room { name: Some(format!("Room {name}")), ..Room::new(room_id(name), Membership::Join) }
}

/// Makes a message, whose body is `text of` and its event's name.
pub fn message(room: &str, event: &str, offset: u64) -> Message {
    Message {
        room: room_id(room),
        id: event_id(event),
        position: at(offset),
        sender: UserId::new("@ada:example.org").expect("a user id"),
        timestamp_ms: 1_700_000_000_000 + offset as i64 * 1000,
        kind: kind("m.room.message"),
        state_key: None,
        content: json(&format!(r#"{{"msgtype":"m.text","body":"text of {event}"}}"#)),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

/// Makes an outbox row, whose body is `unsent` and its transaction's name.
pub fn pending(room: &str, name: &str) -> Pending {
    let content = json(&format!(r#"{{"body":"unsent {name}"}}"#));
    Pending::new(txn(name), room_id(room), kind("m.room.message"), content, 1_700_000_000_000)
}

/// Makes a gap with a token.
pub fn gap(room: &str, offset: u64, token: &str) -> Gap {
    Gap { room: room_id(room), position: at(offset), token: Some(token.to_owned()), revision: Revision::ZERO }
}

/// Makes a state entry.
pub fn state(scope: Scope, kind_text: &str, key: &str, value: &str) -> StateEntry {
    let key = StateKey::new(key).expect("a state key");
    StateEntry { scope, kind: kind(kind_text), key, event_id: None, value: json(value) }
}

/// Makes a media item of room `a`, without its bytes.
pub fn media(name: &str) -> MediaInfo {
    MediaInfo {
        key: media_key(name),
        size: 0,
        mime: Some("image/png".to_owned()),
        rooms: vec![room_id("a")],
        last_access_ms: 1,
        fetched_at_ms: 1,
        pinned: false,
    }
}

/// Makes rooms a and b, ten messages in each, a gap, state, 100,000 bytes of media and three outbox rows.
pub fn sample() -> WriteBatch {
    sample_with(100_000)
}

/// Makes [`sample`] with this number of bytes of media.
pub fn sample_with(media_bytes: usize) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    for name in ["a", "b"] {
        batch.put_room(Room { last_activity_ms: 7, ..room(name) });
        for n in 0..10 {
            batch.put_message(message(name, &format!("{name}{n}"), n));
        }
    }
    batch
        .put_gap(gap("a", 20, "older"))
        .put_message(message("a", "newest", 21))
        .put_state(state(Scope::Account, "haos.sync_token", "", r#""s1""#))
        .put_state(state(Scope::Room(room_id("a")), "m.room.member", "@ada:example.org", r#"{"n":1}"#))
        .put_state(state(Scope::Room(room_id("a")), "haos.draft", "", r#"{"body":"not yet sent"}"#))
        .put_media(media("cat"), pattern(media_bytes))
        .put_pending(pending("a", "t1"))
        .put_pending(Pending { media: vec![media_key("cat")], ..pending("a", "t2") })
        .put_pending(pending("b", "t3"));
    batch
}

/// The rows of [`sample`], as a store gives them back.
#[derive(Debug, PartialEq)]
pub struct Everything {
    rooms: Vec<Room>,
    pages: [Slice; 2],
    pending: Vec<Pending>,
    media: Option<Media>,
    state: [Vec<StateEntry>; 2],
    revision: Revision,
    rows: Vec<u64>,
}

impl Everything {
    /// Reads it.
    ///
    /// # Errors
    /// If a part cannot be read.
    pub async fn of(store: &dyn StorageAdapter) -> Result<Self> {
        let page = async |name| store.timeline(&room_id(name), Page::newest(99)).await;
        let state = async |scope| store.state(StateQuery::all(scope)).await;
        Ok(Self {
            rooms: store.rooms(RoomQuery::default()).await?,
            pages: [page("a").await?, page("b").await?],
            pending: store.pending(PendingQuery::default()).await?,
            media: store.media(&media_key("cat"), ByteRange::ALL).await?,
            state: [state(Scope::Account).await?, state(Scope::Room(room_id("a"))).await?],
            revision: store.changes().start(),
            rows: store.usage().await?.collections.iter().map(|(_, size)| size.rows).collect(),
        })
    }

    /// Leaves the store's revision out, which a recovery raises.
    #[must_use]
    pub fn at_any_revision(self) -> Self {
        Self { revision: Revision::ZERO, ..self }
    }
}

/// A minimal generator of numbers that look random.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// Returns a number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// Makes bytes that tell their place.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 251) as u8).collect()
}

fn json(text: &str) -> Json {
    Json::new(text).expect("JSON")
}
