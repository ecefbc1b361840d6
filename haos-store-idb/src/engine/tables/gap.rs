use haos_store_api::backend::kv::{Columns, Cut, corrupt};
use haos_store_api::backend::{Codec, Key, RoomRef};
use haos_store_api::{Collection, Gap, Position, Result, RoomId};

use super::super::keys;
use super::super::kv::Table;
use super::super::rows::EngineRows;

/// Position and revision stand before the payload.
const COLUMNS: usize = 5 + 8;

/// Reads the gap of a value.
pub(crate) fn read_gap(codec: &Codec, room: RoomRef<'_>, value: &[u8]) -> Result<Gap> {
    let mut cut = Cut(value);
    let (position, revision) = (cut.position()?, cut.revision()?);
    codec.gap(room, position, revision, cut.0)
}

/// Reads the gap of a value; one whose token is unreadable stays a gap.
pub(crate) fn gap_or_unknown(codec: &Codec, room: RoomRef<'_>, value: &[u8]) -> Result<Gap> {
    if let Some(gap) = codec.keep(read_gap(codec, room, value))? {
        return Ok(gap);
    }
    let mut cut = Cut(value);
    Ok(Gap { room: room.id.clone(), position: cut.position()?, token: None, revision: cut.revision()? })
}

impl EngineRows<'_> {
    pub(crate) fn read_gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        let room = self.codec.room_ref(room);
        let span = keys::gaps(&room.key, Position::MIN, Position::MAX);
        let found = self.view.scan(Table::Timeline, span)?;
        let gaps = found.iter().map(|(_, value)| gap_or_unknown(self.codec, room, value));
        let mut gaps = gaps.collect::<Result<Vec<Gap>>>()?;
        gaps.reverse();
        Ok(gaps)
    }

    pub(crate) fn gap_at(&mut self, room: RoomRef<'_>, at: Position) -> Result<Option<Gap>> {
        let found = self.view.get(Table::Timeline, &keys::gap(&room.key, at))?;
        found.map(|value| gap_or_unknown(self.codec, room, &value)).transpose()
    }

    pub(crate) fn put_gap(&mut self, gap: &Gap) -> Result<()> {
        let row = self.codec.gap_row(gap)?;
        let room = self.codec.room_key(&gap.room);
        self.drop_gap(&room, gap.position)?;
        let payload = row.payload.as_bytes();
        let value = Columns::of(&haos_store_api::backend::kv::keys::position(gap.position))
            .count(gap.revision.0)
            .end(payload);
        self.view.draft.head.sums.grow(Collection::Gaps, payload.len() as u64);
        self.view.set(Table::Timeline, &keys::gap(&room, gap.position), Some(value));
        Ok(())
    }

    pub(crate) fn drop_gap(&mut self, room: &Key, at: Position) -> Result<()> {
        let key = keys::gap(room, at);
        if let Some(old) = self.view.get(Table::Timeline, &key)? {
            self.view.draft.head.sums.shrink(Collection::Gaps, old.len().saturating_sub(COLUMNS) as u64);
            self.view.set(Table::Timeline, &key, None);
        }
        Ok(())
    }

    /// Deletes the gaps between two positions, both included.
    pub(crate) fn drop_gaps(&mut self, room: &Key, oldest: Position, newest: Position) -> Result<()> {
        let span = keys::gaps(room, Position::MIN, Position::MAX);
        for (key, _) in self.view.scan(Table::Timeline, span)? {
            let at = keys::position(&key).ok_or_else(|| corrupt("apply", "a gap's key is damaged"))?;
            if (oldest..=newest).contains(&at) {
                self.drop_gap(room, at)?;
            }
        }
        Ok(())
    }
}
