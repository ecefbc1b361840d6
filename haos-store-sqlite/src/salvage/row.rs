//! From records to entities: what the codec takes for a row is one.

use haos_store_api::backend::{
    Codec, Key, Links, MediaColumns, MessageColumns, PendingColumns, RoomRef, StateColumns,
};
use haos_store_api::{Gap, MediaInfo, Message, Pending, Revision, Room, RoomId, StateEntry};

use crate::pages::{Value, decode};
use crate::slot;

/// A row that was decoded, with the revision that wrote its payload.
type Row<T> = Option<(T, Revision)>;

fn key(value: &Value<'_>) -> Option<Key> {
    value.bytes()?.try_into().ok().map(Key::from_bytes)
}

fn count(value: &Value<'_>) -> Option<u64> {
    u64::try_from(value.int()?).ok()
}

pub(super) fn room(codec: &Codec, record: &[u8]) -> Row<Room> {
    let values = decode(record)?;
    let [_, room, activity, revision, payload, ..] = values.as_slice() else { return None };
    let revision = Revision(count(revision)?);
    let room = codec.room(&key(room)?, activity.int()?, revision, payload.bytes()?).ok()?;
    Some((room, revision))
}

pub(super) fn message(codec: &Codec, room: RoomRef<'_>, pos: i64, record: &[u8]) -> Row<Message> {
    let values = decode(record)?;
    let [_, event, sender, target, txn, time, written, payload, ..] = values.as_slice() else { return None };
    let columns = MessageColumns {
        position: slot::position(pos).ok()?,
        timestamp_ms: time.int()?,
        written: Revision(count(written)?),
        links: Links { sender: sender.int()?, target: target.int(), txn: txn.int() },
    };
    let message = codec.message(room, &key(event)?, columns, payload.bytes()?).ok()?;
    // A plain payload is not bound to these, but they are its own.
    let is_its_own =
        || codec.message_row(&message, columns.written).is_ok_and(|row| row.links() == columns.links);
    (codec.binds() || is_its_own()).then_some((message, columns.written))
}

pub(super) fn gap(codec: &Codec, room: RoomRef<'_>, pos: i64, record: &[u8]) -> Row<Gap> {
    let values = decode(record)?;
    let [_, revision, payload, ..] = values.as_slice() else { return None };
    let (position, revision) = (slot::position(pos).ok()?, Revision(count(revision)?));
    // A gap stays a gap, also with an unreadable token.
    let unknown = || Gap { room: room.id.clone(), position, token: None, revision };
    Some((codec.gap(room, position, revision, payload.bytes()?).unwrap_or_else(|_| unknown()), revision))
}

/// Reads the id of a gap's room, by the room's key.
pub(super) fn gap_in(codec: &Codec, room: &Key, pos: i64, record: &[u8]) -> Option<RoomId> {
    let values = decode(record)?;
    let [_, revision, payload, ..] = values.as_slice() else { return None };
    let (position, revision) = (slot::position(pos).ok()?, Revision(count(revision)?));
    codec.gap_in(room, position, revision, payload.bytes()?).ok().map(|gap| gap.room)
}

pub(super) fn pending(codec: &Codec, seq: i64, record: &[u8]) -> Option<Pending> {
    let values = decode(record)?;
    let [_, txn, room, due, revision, payload, ..] = values.as_slice() else { return None };
    let columns = PendingColumns {
        seq: u64::try_from(seq).ok()?,
        room: Some(room.int()?),
        not_before_ms: due.int()?,
        revision: Revision(count(revision)?),
    };
    codec.pending(&key(txn)?, columns, payload.bytes()?).ok()
}

/// Reads an item, and its bytes if they are in its row.
pub(super) fn media(codec: &Codec, nr: i64, record: &[u8]) -> Row<(MediaInfo, Option<Vec<u8>>)> {
    let values = decode(record)?;
    let [_, item, size, accessed, pinned, written, payload, bytes, ..] = values.as_slice() else {
        return None;
    };
    let (blob, written) = (u64::try_from(nr).ok()?, Revision(count(written)?));
    let columns = MediaColumns {
        blob,
        size: count(size)?,
        last_access_ms: accessed.int()?,
        pinned: pinned.int()? != 0,
        written,
    };
    let info = codec.media_info(&key(item)?, columns, payload.bytes()?).ok()?;
    let bytes = match bytes {
        Value::Null => None,
        inline => Some(codec.chunk(blob, 0, inline.bytes()?).ok()?),
    };
    let is_whole = bytes.as_ref().is_none_or(|bytes| bytes.len() as u64 == info.size);
    is_whole.then_some(((info, bytes), written))
}

pub(super) fn state(codec: &Codec, record: &[u8]) -> Row<StateEntry> {
    let values = decode(record)?;
    let [_, scope, kind, name, written, payload, ..] = values.as_slice() else { return None };
    let written = Revision(count(written)?);
    let columns = StateColumns { scope: key(scope)?, kind: kind.int()?, key: key(name)?, written };
    let entry = codec.state(columns, payload.bytes()?).ok()?;
    let is_its_own = codec.scope_key(&entry.scope) == columns.scope
        && codec.kind_key(&entry.scope, &entry.kind).short() == columns.kind;
    is_its_own.then_some((entry, written))
}
