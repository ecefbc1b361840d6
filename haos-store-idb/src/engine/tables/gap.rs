use haos_store_api::backend::kv::{Columns, Cut, corrupt};
use haos_store_api::backend::{Codec, Key, RoomRef};
use haos_store_api::{Collection, Gap, Position, Result, Revision, RoomId};

use super::super::keys;
use super::super::kv::Table;
use super::super::rows::EngineRows;
use super::super::view::View;

/// Key and revision stand before the payload.
const COLUMNS: usize = Table::Gaps.key_bytes() + 8;

/// Splits a gap's value into its columns and the payload.
pub(crate) fn gap_columns(value: &[u8]) -> Result<(Position, Revision, &[u8])> {
    let mut cut = Cut(value);
    let key = cut.bytes(Table::Gaps.key_bytes())?;
    let damaged = || corrupt("decode", "a gap's key is damaged");
    Ok((keys::gap_position(key).ok_or_else(damaged)?, cut.revision()?, cut.0))
}

/// Reads the gap of a value.
pub(crate) fn read_gap(codec: &Codec, room: RoomRef<'_>, value: &[u8]) -> Result<Gap> {
    let (position, revision, payload) = gap_columns(value)?;
    codec.gap(room, position, revision, payload)
}

/// Reads the gap of a value; one whose token is unreadable stays a gap.
fn gap_or_unknown(codec: &Codec, room: RoomRef<'_>, value: &[u8]) -> Result<Gap> {
    if let Some(gap) = codec.keep(read_gap(codec, room, value))? {
        return Ok(gap);
    }
    let (position, revision, _) = gap_columns(value)?;
    Ok(Gap { room: room.id.clone(), position, token: None, revision })
}

/// Reads the gaps of a room, ascending.
pub(crate) fn read_gaps(view: &mut View<'_>, codec: &Codec, room: RoomRef<'_>) -> Result<Vec<Gap>> {
    let found = view.scan(Table::Gaps, keys::gaps(&room.key))?;
    // Keys begin with the newest.
    found.iter().rev().map(|(_, value)| gap_or_unknown(codec, room, value)).collect()
}

impl EngineRows<'_> {
    /// Reads the gaps beside a position: no others are looked at, however many the room has.
    pub(crate) fn room_gaps_beside(&mut self, room: &RoomId, at: Position) -> Result<[Option<Gap>; 2]> {
        let room = self.codec.room_ref(room);
        let (all, key) = (keys::gaps(&room.key), keys::gap(&room.key, at));
        let read = |is_newer| {
            // Keys begin with the newest.
            let found = self.view.nearest(Table::Gaps, &all, &key, is_newer)?;
            found.map(|(_, value)| gap_or_unknown(self.codec, room, &value)).transpose()
        };
        Ok([read(false)?, read(true)?])
    }

    pub(crate) fn room_gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        read_gaps(&mut self.view, self.codec, self.codec.room_ref(room))
    }

    pub(crate) fn gap_at(&mut self, room: RoomRef<'_>, at: Position) -> Result<Option<Gap>> {
        let found = self.view.get(Table::Gaps, &keys::gap(&room.key, at))?;
        found.map(|value| gap_or_unknown(self.codec, room, &value)).transpose()
    }

    pub(crate) fn put_gap(&mut self, gap: &Gap) -> Result<()> {
        let row = self.codec.gap_row(gap)?;
        let room = self.codec.room_key(&gap.room);
        self.drop_gap(&room, gap.position)?;
        let payload = row.payload.as_bytes();
        let key = keys::gap(&room, gap.position);
        let value = Columns::of(&key).count(gap.revision.0).end(payload);
        self.view.draft.head.sums.grow(Collection::Gaps, payload.len() as u64);
        self.view.set(Table::Gaps, &key, Some(value));
        Ok(())
    }

    pub(crate) fn drop_gap(&mut self, room: &Key, at: Position) -> Result<()> {
        let key = keys::gap(room, at);
        if let Some(old) = self.view.get(Table::Gaps, &key)? {
            self.view.draft.head.sums.shrink(Collection::Gaps, old.len().saturating_sub(COLUMNS) as u64);
            self.view.set(Table::Gaps, &key, None);
        }
        Ok(())
    }

    /// Deletes the gaps between two positions, both included.
    pub(crate) fn drop_gaps(&mut self, room: &Key, oldest: Position, newest: Position) -> Result<()> {
        for (key, _) in self.view.scan(Table::Gaps, keys::gaps(room))? {
            let at = keys::gap_position(&key).ok_or_else(|| corrupt("apply", "a gap's key is damaged"))?;
            if (oldest..=newest).contains(&at) {
                self.drop_gap(room, at)?;
            }
        }
        Ok(())
    }
}
