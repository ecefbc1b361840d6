use crate::{Collection, Gap, Position, Result, RoomRef};

use super::super::columns::{Columns, Cut};
use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::rows::Transaction;
use super::super::tree::Tree;

/// The revision stands before the payload.
const COLUMNS: usize = 8;

impl<T: Tree> Reader<'_, T> {
    /// Reads the gaps of a room, oldest first.
    pub(crate) fn gaps_in(self, nr: u32, room: RoomRef<'_>) -> Result<Vec<Gap>> {
        self.gaps_of(nr, room, (Position::MIN, Position::MAX), Order::Up).collect()
    }

    /// Reads the newest gap at a position or before it, and the oldest one after it.
    pub(crate) fn gaps_beside(self, nr: u32, room: RoomRef<'_>, at: Position) -> Result<[Option<Gap>; 2]> {
        let older = self.gaps_of(nr, room, (Position::MIN, at), Order::Down).next().transpose()?;
        let Some(after) = at.newer(1) else { return Ok([older, None]) };
        let newer = self.gaps_of(nr, room, (after, Position::MAX), Order::Up).next().transpose()?;
        Ok([older, newer])
    }

    fn gaps_of(
        self,
        nr: u32,
        room: RoomRef<'_>,
        (oldest, newest): (Position, Position),
        order: Order,
    ) -> impl Iterator<Item = Result<Gap>> {
        self.scan((keys::gap(nr, oldest), keys::gap(nr, newest)), order).map(move |pair| {
            let (key, row) = pair?;
            self.gap_or_unknown(room, self.read_place(&key)?, &row)
        })
    }

    pub(crate) fn gap_at(self, nr: u32, room: RoomRef<'_>, at: Position) -> Result<Option<Gap>> {
        self.get(&keys::gap(nr, at))?.map(|row| self.read_gap(room, at, &row)).transpose()
    }

    /// Reads a gap; one whose token is unreadable stays a gap.
    pub(crate) fn gap_or_unknown(self, room: RoomRef<'_>, at: Position, row: &[u8]) -> Result<Gap> {
        let unknown = |revision| Gap { room: room.id.clone(), position: at, token: None, revision };
        match self.codec.keep(self.read_gap(room, at, row))? {
            Some(gap) => Ok(gap),
            None => Cut(row).revision().map(unknown),
        }
    }

    pub(crate) fn read_gap(self, room: RoomRef<'_>, at: Position, row: &[u8]) -> Result<Gap> {
        let mut cut = Cut(row);
        let revision = cut.revision()?;
        self.codec.gap(room, at, revision, cut.0)
    }
}

impl<T: Tree> Transaction<'_, T> {
    /// Inserts or replaces a gap.
    pub(crate) fn put_gap(&mut self, nr: u32, gap: &Gap) -> Result<()> {
        self.drop_gap(nr, gap.position)?;
        let row = self.codec.gap_row(gap)?;
        let payload = row.payload.as_bytes();
        let value = Columns::default().count(gap.revision.0).end(payload);
        self.set(keys::gap(nr, gap.position), value);
        self.grow(Collection::Gaps, payload.len());
        Ok(())
    }

    pub(crate) fn drop_gap(&mut self, nr: u32, at: Position) -> Result<()> {
        let key = keys::gap(nr, at);
        if let Some(old) = self.reader().get(&key)? {
            self.shrink(Collection::Gaps, old.len().saturating_sub(COLUMNS));
            self.remove(key);
        }
        Ok(())
    }
}
