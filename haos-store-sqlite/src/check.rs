//! The check: reads every row and reports contradictions. Changes nothing.

use std::collections::HashMap;

use haos_store_api::backend::native::Stop;
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;

use crate::budget::Budget;
use crate::db::{Db, NEXT};
use crate::open::Place;
use crate::schema::Difference;
use crate::slot;
use crate::table::{CHUNK_BITS, Sums};

/// Rows between two steps of progress.
const STEP: u64 = 512;
/// The tables of a store.
const TABLES: [&str; 9] =
    ["meta", "keyring", "room", "message", "gap", "pending", "media", "media_chunk", "state"];

/// Checks on a connection of its own.
pub(crate) fn check(place: &Place, progress: &Progress, stop: &Stop) -> Result<Report> {
    let (mut conn, budget) = (place.reader()?, Budget::of(place.options.path()));
    let stop = stop.clone();
    budget.guard(&mut conn, move || stop.is_set())?;
    // Within the snapshot the keyring is that of its rows.
    let codec = place.options.codec.lenient();
    let db = Db { conn: &conn, codec: &codec, operation: "maintain" };
    db.snapshot(|db| db.refresh_keys().and_then(|()| Check::run(db, &budget, progress)))
}

/// A check under way, on one snapshot.
struct Check<'c> {
    db: Db<'c>,
    budget: &'c Budget,
    progress: &'c Progress,
    total: u64,
    report: Report,
    /// `None`: the room's row is unreadable, which tells nothing of its content.
    rooms: HashMap<i64, Option<(RoomId, Key)>>,
}

impl<'c> Check<'c> {
    fn run(db: Db<'c>, budget: &'c Budget, progress: &'c Progress) -> Result<Report> {
        let (report, rooms) = Default::default();
        let mut check = Self { db, budget, progress, total: 0, report, rooms };
        let is_all_ours = check.schema()?;
        check.pages(is_all_ours)?;
        let usage = db.usage_now();
        check.total = usage.map_or(0, |usage| usage.collections.iter().map(|(_, size)| size.rows).sum());
        check.rooms()?;
        check.messages()?;
        check.gaps()?;
        check.pending()?;
        check.media()?;
        check.state()?;
        progress.step(check.report.rows, check.report.rows);
        Ok(check.report)
    }

    fn find(&mut self, what: &str, fault: impl std::fmt::Display) {
        self.report.find(format_args!("{what}: {fault}"));
    }

    /// Tells a finding from an error that ends the check.
    fn judge(&mut self, what: &str, result: Result<()>) -> Result<()> {
        match self.budget.judge(result) {
            Err(error) if self.db.codec.is_damage(&error) => self.find(what, error),
            other => other?,
        }
        Ok(())
    }

    /// Tells whether the file has exactly the schema of the migrations.
    fn schema(&mut self) -> Result<bool> {
        let Difference { altered, foreign } = Difference::of(self.db.conn).map_err(|e| self.db.fault(e))?;
        for object in &altered {
            self.find("schema", format!("{object} is not as this library makes it"));
        }
        for object in &foreign {
            self.find("schema", format!("{object} is not the store's; it does nothing here"));
        }
        Ok(altered.is_empty() && foreign.is_empty())
    }

    /// Checks pages, indexes and types, as SQLite sees them. Constraints of others are not run.
    fn pages(&mut self, is_all_ours: bool) -> Result<()> {
        let asks: Vec<_> = if is_all_ours {
            vec!["PRAGMA integrity_check(100)".to_owned()]
        } else {
            TABLES.iter().map(|table| format!("PRAGMA integrity_check('{table}')")).collect()
        };
        for ask in asks {
            self.budget.refill();
            let db = self.db;
            let result = db.each(&ask, (), |row| {
                let text: String = row.get(0).map_err(|e| db.fault(e))?;
                if text != "ok" {
                    self.find("pages", text);
                }
                Ok(NEXT)
            });
            self.judge("pages", result)?;
        }
        Ok(())
    }

    /// Checks every row of a table; `look` returns the defect of one.
    fn table(
        &mut self,
        what: &str,
        sql: &str,
        mut look: impl FnMut(&mut Self, &Row<'_>) -> Result<Option<&'static str>>,
    ) -> Result<()> {
        self.budget.refill();
        let db = self.db;
        let result = db.each(sql, (), |row| {
            self.report.rows += 1;
            if self.report.rows.is_multiple_of(STEP) {
                self.progress.step(self.report.rows, self.total.max(self.report.rows));
            }
            let looked = look(self, row).map(|fault| {
                if let Some(fault) = fault {
                    self.find(what, format!("row {}: {fault}", db.int(row, 0).unwrap_or_default()));
                }
            });
            self.judge(what, looked)?;
            Ok(NEXT)
        });
        self.judge(what, result)
    }

    fn rooms(&mut self) -> Result<()> {
        let sql = "SELECT nr, key, last_activity_ms, revision, payload FROM room";
        let latest = self.db.store_revision()?;
        self.table("rooms", sql, |check, row| {
            let db = check.db;
            check.rooms.insert(db.int(row, 0)?, None);
            let (nr, room) = db.read_room(row)?;
            let key = db.codec.room_key(&room.id);
            let fault = if key != db.key(row, 1)? {
                Some(WRONG_KEY)
            } else if room.revision > latest {
                Some("its revision is later than the store's")
            } else {
                None
            };
            check.rooms.insert(nr, Some((room.id, key)));
            Ok(fault)
        })
    }

    fn messages(&mut self) -> Result<()> {
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn FROM message";
        let mut sums = Sums::default();
        self.table("messages", sql, |check, row| {
            let db = check.db;
            sums += Sums { rows: 1, bytes: db.bytes(row, 4)?.len() as i64 };
            let room = match check.rooms.get(&slot::room(db.int(row, 0)?)) {
                Some(Some((id, key))) => RoomRef { id, key: *key },
                Some(None) => return Ok(None),
                None => return Ok(Some(NO_ROOM)),
            };
            let message = db.read_message(row, room)?;
            let codec = db.codec;
            let optional = |column| row.get::<_, Option<i64>>(column).map_err(|e| db.fault(e));
            let target = message.relation.as_ref().map(|r| codec.event_key(room.id, &r.target).short());
            let txn = message.txn_id.as_ref().map(|txn_id| codec.txn_key(txn_id).short());
            let fits = codec.event_key(room.id, &message.id) == db.key(row, 1)?
                && Links::short_sender(&codec.sender_key(room.id, &message.sender)) == db.int(row, 5)?
                && target == optional(6)?
                && txn == optional(7)?;
            Ok((!fits).then_some(WRONG_KEY))
        })?;
        if self.db.message_sums()? != sums {
            self.find("messages", "the sums kept are not those of the rows");
        }
        Ok(())
    }

    fn gaps(&mut self) -> Result<()> {
        let sql = "SELECT pos, revision, payload FROM gap";
        self.table("gaps", sql, |check, row| {
            let (db, pos) = (check.db, check.db.int(row, 0)?);
            match check.rooms.get(&slot::room(pos)) {
                Some(Some((id, key))) => drop(db.read_gap(row, RoomRef { id, key: *key })?),
                Some(None) => {}
                None => return Ok(Some(NO_ROOM)),
            }
            Ok(db.is_message(pos)?.then_some("a message stands at its position"))
        })
    }

    fn pending(&mut self) -> Result<()> {
        let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending";
        let last = self.db.last_seq()?;
        self.table("pending", sql, |check, row| {
            let db = check.db;
            let pending = db.read_pending(row)?;
            let fits = db.codec.txn_key(&pending.txn_id) == db.key(row, 1)?
                && db.codec.room_key(&pending.room).short() == db.int(row, 5)?;
            Ok(if !fits {
                Some(WRONG_KEY)
            } else if pending.seq > last {
                Some("its sequence number was never given")
            } else {
                None
            })
        })
    }

    fn media(&mut self) -> Result<()> {
        let sql = "SELECT nr, key, size, last_access_ms, pinned, written, payload FROM media";
        self.table("media", sql, |check, row| {
            let db = check.db;
            let (nr, info) = db.read_media_info(row)?;
            db.media_bytes(nr, info.size, ByteRange::ALL)?;
            Ok((db.codec.media_key(&info.key) != db.key(row, 1)?).then_some(WRONG_KEY))
        })?;
        let sql = format!(
            "SELECT count(*) FROM media_chunk WHERE pos >> {CHUNK_BITS} NOT IN (SELECT nr FROM media)"
        );
        let orphans = self.db.number(&sql, ())?;
        if orphans > 0 {
            self.find("media", format!("{orphans} chunks belong to no item"));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<()> {
        let sql = "SELECT nr, key, written, payload, scope, kind FROM state";
        self.table("state", sql, |check, row| {
            let (db, codec) = (check.db, check.db.codec);
            let key = db.key(row, 1)?;
            let entry = db.read_state(row)?;
            let (scope, kind) = (&entry.scope, &entry.kind);
            let fits = codec.state_key(scope, kind, &entry.key) == key
                && codec.scope_key(scope) == db.key(row, 4)?
                && codec.kind_key(scope, kind).short() == db.int(row, 5)?;
            Ok(match scope {
                _ if !fits => Some(WRONG_KEY),
                Scope::Room(room) if db.room_nr(room)?.is_none() => Some(NO_ROOM),
                _ => None,
            })
        })
    }
}

const WRONG_KEY: &str = "its key columns are not those of its ids";
const NO_ROOM: &str = "its room is not stored";
