//! The rows of one transaction, as the laws see them.

use std::collections::HashMap;

use haos_store_api::*;
use rusqlite::CachedStatement;

use crate::db::Db;
use crate::table::Sums;

/// Room numbers that the writer knows. Forgotten with a rollback or another connection's commit.
pub(crate) type RoomNumbers = HashMap<RoomId, i64>;

/// The numbers kept; a bot may be in more rooms than that, and they are cheap to look up.
const MOST_NUMBERS: usize = 4096;

/// One batch under way.
pub(crate) struct SqlRows<'t> {
    pub(crate) db: Db<'t>,
    pub(crate) numbers: &'t mut RoomNumbers,
    pub(crate) sums: Sums,
    pub(crate) insert: Option<CachedStatement<'t>>,
    /// The item that was written last, and its number.
    pub(crate) media: Option<(MediaKey, i64)>,
    /// The revision that the batch makes.
    pub(crate) revision: Revision,
}

impl<'t> SqlRows<'t> {
    pub(crate) fn new(db: Db<'t>, numbers: &'t mut RoomNumbers, revision: Revision) -> Self {
        Self { db, numbers, sums: Sums::default(), insert: None, media: None, revision }
    }

    /// Lets go of the transaction; returns the batch's change of the sums of messages.
    pub(crate) fn end(self) -> Sums {
        self.sums
    }

    pub(crate) fn nr(&mut self, room: &RoomId) -> Result<Option<i64>> {
        if let Some(nr) = self.numbers.get(room) {
            return Ok(Some(*nr));
        }
        let nr = self.db.room_nr(room)?;
        if let Some(nr) = nr {
            self.learn(room, nr);
        }
        Ok(nr)
    }

    pub(crate) fn learn(&mut self, room: &RoomId, nr: i64) {
        if self.numbers.len() >= MOST_NUMBERS {
            self.numbers.clear();
        }
        self.numbers.insert(room.clone(), nr);
    }

    /// Returns the number of a room that the laws have seen to.
    pub(crate) fn known(&mut self, room: &RoomId) -> Result<i64> {
        self.nr(room)?.ok_or_else(|| self.db.corrupt("a room's rows came without the room"))
    }
}
