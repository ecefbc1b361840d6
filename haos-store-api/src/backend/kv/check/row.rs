//! The checks that need the row alone.

use crate::{Result, Scope};

use super::super::columns::Cut;
use super::super::keys;
use super::super::reader::Reader;
use super::super::record::MessageRecord;
use super::super::tree::Tree;

/// The defect of a row, if any.
pub(super) type Finding = Result<Option<&'static str>>;

pub(super) const WRONG_KEY: &str = "its keys are not those of its ids";
pub(super) const NO_ROOM: &str = "its room is not stored";
pub(super) const NO_INDEX: &str = "an index does not find it";
pub(super) const NO_ROW: &str = "an index names a row that is not";

pub(super) fn has<T: Tree>(reader: Reader<'_, T>, key: Option<Vec<u8>>) -> Result<bool> {
    key.map_or(Ok(true), |key| reader.has(&key))
}

pub(super) fn room<T: Tree>(reader: Reader<'_, T>, key: &[u8], row: &[u8]) -> Finding {
    let Some(own) = keys::parse_last(key) else { return Ok(Some(WRONG_KEY)) };
    let (nr, room) = reader.read_room(&own, row)?;
    let head = reader.head()?.unwrap_or_default();
    Ok(if reader.codec.room_key(&room.id) != own {
        Some(WRONG_KEY)
    } else if room.revision > head.revision {
        Some("its revision is later than the store's")
    } else if reader.get(&keys::number(nr))?.as_deref() != Some(own.as_bytes())
        || !reader.has(&keys::activity(room.last_activity_ms, &own))?
    {
        Some(NO_INDEX)
    } else {
        None
    })
}

pub(super) fn number<T: Tree>(reader: Reader<'_, T>, key: &[u8], row: &[u8]) -> Finding {
    let nr = Cut(key.get(1..).unwrap_or_default()).nr()?;
    let row = reader.get(&keys::room(&Cut(row).key()?))?;
    let back = row.map(|row| Cut(&row).nr()).transpose()?;
    Ok((back != Some(nr)).then_some(NO_ROW))
}

pub(super) fn activity<T: Tree>(reader: Reader<'_, T>, key: &[u8]) -> Finding {
    let Some(own) = keys::parse_last(key) else { return Ok(Some(WRONG_KEY)) };
    let Some(row) = reader.get(&keys::room(&own))? else { return Ok(Some(NO_ROW)) };
    let mut cut = Cut(&row);
    cut.nr()?;
    Ok((keys::activity(cut.int()?, &own) != key).then_some(NO_ROW))
}

pub(super) fn message_index<T: Tree>(reader: Reader<'_, T>, tag: u8, key: &[u8], row: &[u8]) -> Finding {
    let parts = match tag {
        keys::EVENT => {
            keys::parse_event(key).zip(keys::parse_position(row)).map(|((nr, own), at)| (nr, own, at))
        }
        keys::TARGET => keys::parse_target(key),
        _ => keys::parse_txn(key).map(|(own, nr, at)| (nr, own, at)),
    };
    let Some((nr, own, at)) = parts else { return Ok(Some(WRONG_KEY)) };
    let Some(row) = reader.get(&keys::message(nr, at))? else { return Ok(Some(NO_ROW)) };
    let record = MessageRecord::decode(row)?;
    let back = match tag {
        keys::EVENT => Some(record.event),
        keys::TARGET => record.target,
        _ => record.txn,
    };
    Ok((back != Some(own)).then_some(NO_ROW))
}

pub(super) fn pending<T: Tree>(reader: Reader<'_, T>, key: &[u8], row: &[u8]) -> Finding {
    let seq = reader.read_seq(key)?;
    let pending = reader.read_pending(seq, row)?;
    let mut cut = Cut(row);
    let (txn, room) = (cut.key()?, cut.key()?);
    let last = reader.head()?.unwrap_or_default().last_seq;
    Ok(if reader.codec.txn_key(&pending.txn_id) != txn || reader.codec.room_key(&pending.room) != room {
        Some(WRONG_KEY)
    } else if seq > last {
        Some("its sequence number was never given")
    } else if !reader.is_indexed(&pending)? {
        Some(NO_INDEX)
    } else {
        None
    })
}

pub(super) fn pending_index<T: Tree>(reader: Reader<'_, T>, tag: u8, key: &[u8], row: &[u8]) -> Finding {
    let seq = match tag {
        keys::PENDING_TXN => Cut(row).count()?,
        _ => reader.read_seq(key)?,
    };
    let Some(row) = reader.get(&keys::pending(seq))? else { return Ok(Some(NO_ROW)) };
    let mut cut = Cut(&row);
    let (txn, room) = (cut.key()?, cut.key()?);
    let back = match tag {
        keys::PENDING_TXN => keys::pending_txn(&txn),
        _ => keys::pending_room(&room, seq),
    };
    Ok((back != key).then_some(NO_ROW))
}

pub(super) fn state<T: Tree>(reader: Reader<'_, T>, key: &[u8], row: &[u8]) -> Finding {
    let entry = reader.read_state(key, row)?;
    let (codec, scope, kind) = (reader.codec, &entry.scope, &entry.kind);
    let own = codec.state_key(scope, kind, &entry.key);
    let fits = keys::state(&codec.scope_key(scope), &codec.kind_key(scope, kind), &own) == key;
    Ok(match scope {
        _ if !fits => Some(WRONG_KEY),
        Scope::Room(room) if reader.room_nr(room)?.is_none() => Some(NO_ROOM),
        _ => None,
    })
}
