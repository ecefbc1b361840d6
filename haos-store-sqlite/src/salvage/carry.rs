//! From the damaged store to the fresh one, table by table, under the same numbers, positions and revisions.

use std::collections::BTreeMap;

use haos_store_api::backend::RoomRef;
use haos_store_api::backend::native::{Salvage, Weaver, gaps_where_some_were_lost};
use haos_store_api::{Collection, Message, Position, Result, Revision, Room};

use super::damaged::Damaged;
use super::pen::Pen;
use super::rooms::Rooms;
use super::row;
use crate::db::{Db, signed};
use crate::pages::{Index, Shape, Step, Told};
use crate::rows::{RoomNumbers, SqlRows};
use crate::slot;
use crate::table::Put;

/// A salvage under way.
pub(super) struct Carry<'c> {
    pub(super) damaged: &'c Damaged,
    pub(super) salvage: &'c mut Salvage,
    pub(super) pen: Pen<'c>,
    pub(super) rooms: Rooms,
    /// Rooms that were made of their ids.
    pub(super) bare: BTreeMap<i64, Room>,
    numbers: RoomNumbers,
    /// The rowids between which gaps are lost.
    torn_gaps: Vec<(i64, i64)>,
}

impl<'c> Carry<'c> {
    pub(super) fn new(db: Db<'c>, damaged: &'c Damaged, salvage: &'c mut Salvage) -> Result<Self> {
        let (rooms, bare, numbers, torn_gaps) = Default::default();
        Ok(Self { damaged, salvage, pen: Pen::new(db)?, rooms, bare, numbers, torn_gaps })
    }

    pub(super) fn db(&self) -> Db<'c> {
        self.pen.db
    }

    /// Carries everything over but the outbox, which is only read.
    pub(super) fn all(mut self) -> Result<()> {
        self.rooms()?;
        self.gaps()?;
        self.messages()?;
        self.date_rooms()?;
        self.mend_gaps()?;
        self.state()?;
        self.media()?;
        self.pending();
        self.pen.end()
    }

    pub(super) fn lose(&mut self, of: Collection) -> Result<()> {
        self.salvage.lost(of);
        Ok(())
    }

    fn gaps(&mut self) -> Result<()> {
        let (mut last, mut torn) = (i64::MIN, false);
        self.damaged.visit(Shape::Gap, &mut |step| {
            let (pos, record) = match step {
                Step::Row(pos, record) => (pos, record),
                Step::Unreadable(_) => {
                    torn = true;
                    return self.lose(Collection::Gaps);
                }
                Step::Torn => {
                    torn = true;
                    return Ok(());
                }
            };
            if std::mem::take(&mut torn) {
                self.torn_gaps.push((last, pos));
            }
            last = pos;
            let nr = slot::room(pos);
            let gap = self
                .rooms
                .get(&nr)
                .and_then(|(id, key)| row::gap(self.db().codec, RoomRef { id, key: *key }, pos, record));
            let Some((gap, revision)) = gap else { return self.lose(Collection::Gaps) };
            self.salvage.see(revision);
            self.db().write_gap(nr, &gap)?;
            self.salvage.carried(Collection::Gaps);
            self.pen.step(1)
        })?;
        if torn {
            self.torn_gaps.push((last, i64::MAX));
        }
        Ok(())
    }

    fn messages(&mut self) -> Result<()> {
        let mut weaver = Weaver::default();
        self.damaged.visit(Shape::Message, &mut |step| match step {
            Step::Row(pos, record) => {
                let nr = slot::room(pos);
                // Without a room there is no timeline that lacks it.
                let Some((id, key)) = self.rooms.get(&nr) else { return self.lose(Collection::Messages) };
                let found = row::message(self.db().codec, RoomRef { id, key: *key }, pos, record);
                let written = match found {
                    Some((message, written)) => self.message(nr, &message, written)?.then_some(message),
                    None => None,
                };
                let Some(message) = written else {
                    weaver.tear();
                    return self.lose(Collection::Messages);
                };
                let mut rows = SqlRows::new(self.pen.db, &mut self.numbers, self.salvage.revision);
                weaver.message(&mut rows, self.salvage, &message.room, message.position)
            }
            Step::Unreadable(_) => {
                weaver.tear();
                self.lose(Collection::Messages)
            }
            Step::Torn => {
                weaver.tear();
                Ok(())
            }
        })?;
        weaver.end(self.salvage);
        // One item a position.
        self.db().run("DELETE FROM gap WHERE pos IN (SELECT pos FROM message)", ())?;
        let [index] = self.damaged.told([Index::MessageKey]);
        let counter = Told { rows: self.damaged.meta.message_rows.unwrap_or(0), is_whole: false };
        self.salvage.named(Collection::Messages, Told::most(&[index, counter]));
        Ok(())
    }

    /// Writes a message; `false`: another one has its id or its place.
    fn message(&mut self, nr: i64, message: &Message, written: Revision) -> Result<bool> {
        let db = self.pen.db;
        let mut insert = db.prepare_insert()?;
        let Put::Stored(sums) = db.insert_message(&mut insert, nr, message, written)? else {
            return Ok(false);
        };
        drop(insert);
        if let Some(room) = self.bare.get_mut(&nr) {
            room.last_activity_ms = room.last_activity_ms.max(message.timestamp_ms);
        }
        self.salvage.see(written);
        self.salvage.carried(Collection::Messages);
        self.pen.step(sums.bytes.unsigned_abs() as usize)?;
        Ok(true)
    }

    /// Puts gaps where some may have been lost.
    fn mend_gaps(&mut self) -> Result<()> {
        for (from, to) in std::mem::take(&mut self.torn_gaps) {
            for (nr, (id, _)) in self.rooms.range(slot::room(from)..=slot::room(to)) {
                let at = |pos: i64, end| if slot::room(pos) == *nr { slot::position(pos) } else { Ok(end) };
                let span = (at(from, Position::MIN)?, at(to, Position::MAX)?);
                let mut rows = SqlRows::new(self.pen.db, &mut self.numbers, self.salvage.revision);
                gaps_where_some_were_lost(&mut rows, self.salvage, id, span)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<()> {
        self.damaged.visit(Shape::State, &mut |step| {
            let (nr, record) = match step {
                Step::Row(nr, record) => (nr, record),
                Step::Unreadable(_) => return self.lose(Collection::State),
                Step::Torn => return Ok(()),
            };
            let Some((entry, written)) = row::state(self.db().codec, record) else {
                return self.lose(Collection::State);
            };
            self.room_of(&entry.scope)?;
            let db = self.db();
            let new = db.codec.state_row(&entry, written)?;
            let sql = "INSERT INTO state (nr, scope, kind, key, written, payload)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let (scope, kind, key) = (new.scope.as_bytes(), new.kind.short(), new.key.as_bytes());
            if db.run(sql, (nr, scope, kind, key, signed(written.0), db.bind(&new.payload)))? == 0 {
                return self.lose(Collection::State);
            }
            self.salvage.see(written);
            self.salvage.carried(Collection::State);
            self.pen.step(record.len())
        })?;
        let told = self.damaged.told([Index::StatePlace]);
        self.salvage.named(Collection::State, Told::most(&told));
        Ok(())
    }

    fn pending(&mut self) {
        let codec = self.db().codec;
        let mut rows = 0;
        self.damaged.each(Shape::Pending, &mut |step| {
            if let Step::Row(seq, record) = step
                && let Some(row) = row::pending(codec, seq, record)
            {
                self.salvage.add_pending(row);
            }
            rows += u64::from(step != Step::Torn);
            Ok(())
        });
        let [by_key, by_room] = self.damaged.told([Index::PendingKey, Index::PendingRoom]);
        // A damaged page of the table may show rows that were removed.
        let table = Told { rows, is_whole: false };
        self.salvage.named(Collection::Pending, Told::most(&[by_key, by_room, table]));
    }
}

/// Writes the rows that are kept until the end.
pub(super) fn finish(db: Db<'_>, salvage: &Salvage, revision: Revision) -> Result<()> {
    let mut numbers = RoomNumbers::new();
    salvage.finish(&mut SqlRows::new(db, &mut numbers, revision))
}
