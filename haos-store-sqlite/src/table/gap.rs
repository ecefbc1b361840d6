use haos_store_api::backend::RoomRef;
use haos_store_api::{Gap, Result, Revision};
use rusqlite::{Params, Row};

use crate::db::{Db, signed};
use crate::slot;

impl Db<'_> {
    /// Reads the gaps of a room, oldest first.
    pub(crate) fn gaps(self, nr: i64, room: RoomRef<'_>) -> Result<Vec<Gap>> {
        let sql = "SELECT pos, revision, payload FROM gap WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos";
        self.gaps_by(sql, slot::whole(nr), room)
    }

    /// Reads the newest gap of a room at a rowid or before it, and the oldest one after it.
    pub(crate) fn gaps_beside(self, pos: i64, room: RoomRef<'_>) -> Result<[Option<Gap>; 2]> {
        let (first, last) = slot::whole(slot::room(pos));
        let older =
            "SELECT pos, revision, payload FROM gap WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos DESC LIMIT 1";
        let newer =
            "SELECT pos, revision, payload FROM gap WHERE pos > ?1 AND pos <= ?2 ORDER BY pos LIMIT 1";
        Ok([self.gaps_by(older, (first, pos), room)?.pop(), self.gaps_by(newer, (pos, last), room)?.pop()])
    }

    /// Reads the gaps that a statement selects by `pos, revision, payload`.
    pub(crate) fn gaps_by(self, sql: &str, params: impl Params, room: RoomRef<'_>) -> Result<Vec<Gap>> {
        self.all(sql, params, |row| {
            // A gap stays a gap, also with an unreadable token.
            let unknown = |row| -> Result<Gap> {
                let position = slot::position(self.int(row, 0)?)?;
                Ok(Gap { room: room.id.clone(), position, token: None, revision: self.revision(row, 1)? })
            };
            self.codec.keep(self.read_gap(row, room))?.map_or_else(|| unknown(row), Ok)
        })
    }

    pub(crate) fn read_gap(self, row: &Row<'_>, room: RoomRef<'_>) -> Result<Gap> {
        let position = slot::position(self.int(row, 0)?)?;
        self.codec.gap(room, position, self.revision(row, 1)?, self.bytes(row, 2)?)
    }

    pub(crate) fn write_gap(self, nr: i64, gap: &Gap) -> Result<()> {
        let row = self.codec.gap_row(gap)?;
        let sql = "INSERT INTO gap (pos, revision, payload) VALUES (?1, ?2, ?3)
                   ON CONFLICT (pos) DO UPDATE SET revision = excluded.revision, payload = excluded.payload";
        let pos = slot::pack(nr, gap.position);
        self.run(sql, (pos, signed(gap.revision.0), self.bind(&row.payload)))?;
        Ok(())
    }

    /// Moves a gap, if present, to the negative of another rowid.
    pub(crate) fn move_gap(self, pos: i64, to: i64, room: RoomRef<'_>, revision: Revision) -> Result<()> {
        let sql = "SELECT pos, revision, payload FROM gap WHERE pos = ?1";
        if let Some(gap) = self.first(sql, [pos], |row| self.read_gap(row, room))? {
            let row = self.codec.gap_row(&Gap { position: slot::position(to)?, revision, ..gap })?;
            let sql = "UPDATE gap SET pos = -?2, revision = ?3, payload = ?4 WHERE pos = ?1";
            self.run(sql, (pos, to, signed(revision.0), self.bind(&row.payload)))?;
        }
        Ok(())
    }

    /// Deletes the gaps from one rowid to another, both included.
    pub(crate) fn delete_gaps(self, oldest: i64, newest: i64) -> Result<()> {
        self.run("DELETE FROM gap WHERE pos BETWEEN ?1 AND ?2", (oldest, newest))?;
        Ok(())
    }
}
