//! Commits by number: what a number's commit holds follows from the number, so that whoever opens the store can
//! say whether it is there, whole, or not.

use haos_store_api::{
    Error, ErrorKind, EventId, EventType, Json, MediaFormat, MediaInfo, MediaKey, MediaUri, Membership,
    Message, Pending, Position, Redact, Result, Room, RoomId, Scope, StateEntry, StateKey, TxnId, UserId,
    WriteBatch,
};

/// Rooms take turns.
pub(crate) const ROOMS: u64 = 3;
/// Messages a commit.
pub(crate) const MESSAGES: u64 = 5;
/// Every such commit is a user's: a row for the outbox, strict.
pub(crate) const STRICT: u64 = 4;
/// A row of the outbox goes with the strict commit this number later.
pub(crate) const STAYS: u64 = 40;
/// Every such commit brings bytes of a media item.
pub(crate) const MEDIA: u64 = 5;
/// The number of numbers that share an item.
pub(crate) const ITEM: u64 = 50;
/// Bytes a commit: ends and beginnings of the store's chunks are crossed.
pub(crate) const BYTES: u64 = 20_000;
/// Every such commit empties a message of the commit that is `REDACTED` older.
pub(crate) const REDACTS: u64 = 7;
pub(crate) const REDACTED: u64 = 21;

/// The batch of a number, from 1.
pub(crate) fn batch(n: u64) -> Result<WriteBatch> {
    let strict = n.is_multiple_of(STRICT);
    let mut batch = if strict { WriteBatch::strict() } else { WriteBatch::relaxed() };
    let id = room(n % ROOMS)?;
    batch.put_room(Room { topic: Some(n.to_string()), ..Room::new(id.clone(), Membership::Join) });
    for i in 0..MESSAGES {
        batch.put_message(message(n, i)?);
    }
    if strict {
        batch.put_pending(pending(n)?);
        if n > STAYS {
            batch.remove_pending(txn_id(n - STAYS)?);
        }
    }
    if n.is_multiple_of(MEDIA) {
        let (key, at, bytes) = (item(n)?, bytes_before(n), vec![byte(n); BYTES as usize]);
        if at == 0 {
            batch.put_media(info(key), bytes);
        } else {
            batch.append_media(key, at, bytes);
        }
    }
    if redacts(n) {
        let (target, by) = (event(n - REDACTED, 0)?, EventId::new(format!("$redaction{n}"))?);
        batch.redact(Redact { room: id, target, by, content: Json::empty() });
    }
    batch.put_state(token(n)?);
    Ok(batch)
}

/// A message of a number's commit.
pub(crate) fn message(n: u64, i: u64) -> Result<Message> {
    let place = (n - 1) / ROOMS * MESSAGES + i;
    let position = Position::FIRST.newer(place);
    Ok(Message {
        room: room(n % ROOMS)?,
        id: event(n, i)?,
        position: position.ok_or_else(|| Error::new(ErrorKind::Invalid, "workload", "too many messages"))?,
        sender: UserId::new("@ada:x")?,
        timestamp_ms: n as i64,
        kind: EventType::new("m.room.message")?,
        state_key: None,
        content: Json::new(format!(r#"{{"body":"{n} {i} {}"}}"#, "word ".repeat((n % 60) as usize)))?,
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    })
}

pub(crate) fn redacts(n: u64) -> bool {
    n.is_multiple_of(REDACTS) && n > REDACTED
}

pub(crate) fn room(of: u64) -> Result<RoomId> {
    RoomId::new(format!("!room{of}"))
}

pub(crate) fn event(n: u64, i: u64) -> Result<EventId> {
    EventId::new(format!("${n}-{i}"))
}

pub(crate) fn txn_id(n: u64) -> Result<TxnId> {
    TxnId::new(format!("txn{n}"))
}

pub(crate) fn pending(n: u64) -> Result<Pending> {
    let content = Json::new(format!(r#"{{"body":"unsent {n}"}}"#))?;
    Ok(Pending::new(txn_id(n)?, room(n % ROOMS)?, EventType::new("m.room.message")?, content, n as i64))
}

/// The item that a number's bytes belong to.
pub(crate) fn item(n: u64) -> Result<MediaKey> {
    media(&format!("mxc://x/{}", n / ITEM))
}

pub(crate) fn media(uri: &str) -> Result<MediaKey> {
    Ok(MediaKey { uri: MediaUri::new(uri)?, format: MediaFormat::new("")? })
}

pub(crate) fn info(key: MediaKey) -> MediaInfo {
    MediaInfo {
        key,
        size: 0,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: 1,
        fetched_at_ms: 1,
        pinned: false,
    }
}

/// The bytes of a number's item before its commit.
pub(crate) fn bytes_before(n: u64) -> u64 {
    // Item 0 has no number 0.
    let first = (n / ITEM * ITEM).max(MEDIA);
    (n - first) / MEDIA * BYTES
}

pub(crate) fn byte(n: u64) -> u8 {
    (n % 251) as u8
}

pub(crate) fn token(n: u64) -> Result<StateEntry> {
    let (kind, key) = (EventType::new("token")?, StateKey::new("")?);
    Ok(StateEntry { scope: Scope::Account, kind, key, event_id: None, value: Json::of(&n)? })
}
