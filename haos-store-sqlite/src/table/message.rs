use std::ops::{Add, AddAssign, Neg};

use haos_store_api::backend::{Key, Links, MessageColumns, RoomRef};
use haos_store_api::{EventId, Message, Result, Revision, RoomId};
use rusqlite::{CachedStatement, Params, Row};

use crate::db::{Db, NEXT, STOP, signed};
use crate::slot;

/// Rows and payload bytes, or their change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) rows: i64,
    pub(crate) bytes: i64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Add for Sums {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, bytes: self.bytes + other.bytes }
    }
}

impl Neg for Sums {
    type Output = Self;
    fn neg(self) -> Self {
        Self { rows: -self.rows, bytes: -self.bytes }
    }
}

/// The outcome of an insert.
pub(crate) enum Put {
    /// It is stored.
    Stored(Sums),
    /// Its id or its position is taken already.
    There,
}

/// Reads the columns of a row that begins with `pos, key, timestamp_ms, written, payload, sender, target, txn`.
pub(crate) fn message_columns(db: Db<'_>, row: &Row<'_>) -> Result<MessageColumns> {
    let optional = |column| row.get(column).map_err(|e| db.fault(e));
    // Plain payloads are not bound.
    let links = if db.codec.binds() {
        Links { sender: db.int(row, 5)?, target: optional(6)?, txn: optional(7)? }
    } else {
        Links::default()
    };
    Ok(MessageColumns {
        position: slot::position(db.int(row, 0)?)?,
        timestamp_ms: db.int(row, 2)?,
        written: db.revision(row, 3)?,
        links,
    })
}

impl<'c> Db<'c> {
    /// Prepares the hottest statement of all, so that a batch looks it up once.
    pub(crate) fn prepare_insert(self) -> Result<CachedStatement<'c>> {
        self.prepare(
            "INSERT INTO message (pos, key, sender, target, txn, timestamp_ms, written, payload)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )
    }

    pub(crate) fn insert_message(
        self,
        insert: &mut CachedStatement<'_>,
        nr: i64,
        message: &Message,
        written: Revision,
    ) -> Result<Put> {
        let row = self.codec.message_row(message, written)?;
        let links = row.links();
        let inserted = insert.execute((
            slot::pack(nr, message.position),
            row.key.as_bytes(),
            links.sender,
            links.target,
            links.txn,
            message.timestamp_ms,
            signed(written.0),
            self.bind(&row.payload),
        ));
        Ok(match inserted.map_err(|e| self.fault(e))? {
            0 => Put::There,
            _ => Put::Stored(Sums { rows: 1, bytes: row.payload.as_bytes().len() as i64 }),
        })
    }

    /// Reads a message of a room whose number is not known. The plus keeps the comparison free of an affinity, which
    /// would keep it from the index.
    pub(crate) fn message(self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let sql = "SELECT m.pos, m.key, m.timestamp_ms, m.written, m.payload, m.sender, m.target, m.txn
                   FROM room AS r
                   CROSS JOIN message AS m INDEXED BY message_by_key ON m.pos >> 40 = +r.nr AND m.key = ?2
                   WHERE r.key = ?1";
        let (room, event_key) = (self.codec.room_ref(room), self.codec.event_key(room, event));
        let keys = (room.key.as_bytes(), event_key.as_bytes());
        let found = self.first(sql, keys, |row| self.read_message(row, room))?;
        self.is_its_own(found, event)
    }

    pub(crate) fn message_in(self, nr: i64, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                   FROM message INDEXED BY message_by_key WHERE pos >> 40 = ?1 AND key = ?2";
        let (room, key) = (self.codec.room_ref(room), self.codec.event_key(room, event));
        let found = self.first(sql, (nr, key.as_bytes()), |row| self.read_message(row, room))?;
        self.is_its_own(found, event)
    }

    fn is_its_own(self, found: Option<Message>, event: &EventId) -> Result<Option<Message>> {
        match found {
            Some(found) if found.id != *event => Err(self.corrupt("a message stands under another's key")),
            found => Ok(found),
        }
    }

    /// Reads the rowid of a message.
    pub(crate) fn message_pos(self, nr: i64, room: &RoomId, event: &EventId) -> Result<Option<i64>> {
        let sql = "SELECT pos FROM message INDEXED BY message_by_key WHERE pos >> 40 = ?1 AND key = ?2";
        let key = self.codec.event_key(room, event);
        self.first(sql, (nr, key.as_bytes()), |row| self.int(row, 0))
    }

    pub(crate) fn message_at(self, pos: i64, room: RoomRef<'_>) -> Result<Option<Message>> {
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                   FROM message WHERE pos = ?1";
        self.first(sql, [pos], |row| self.read_message(row, room))
    }

    /// Reads the messages that a statement selects by `pos, key, timestamp_ms, written, payload, sender, target, txn`,
    /// up to this number, without damaged ones.
    pub(crate) fn messages_by(
        self,
        sql: &str,
        params: impl Params,
        room: RoomRef<'_>,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            if found.len() >= limit {
                return Ok(STOP);
            }
            found.extend(self.codec.keep(self.read_message(row, room))?);
            Ok(NEXT)
        })?;
        Ok(found)
    }

    /// Deletes the message under a key or at a position if it is damaged; returns the change of the sums. It may come
    /// again.
    pub(crate) fn clear_damaged(self, nr: i64, message: &Message) -> Result<Option<Sums>> {
        let key = self.codec.event_key(&message.room, &message.id);
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                   FROM message INDEXED BY message_by_key WHERE pos >> 40 = ?1 AND key = ?2";
        let room = self.codec.room_ref(&message.room);
        let look = |row: &Row<'_>| Ok((self.int(row, 0)?, self.read_message(row, room)));
        let found = match self.first(sql, (nr, key.as_bytes()), look)? {
            Some(found) => Some(found),
            None => {
                let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                           FROM message WHERE pos = ?1";
                self.first(sql, [slot::pack(nr, message.position)], look)?
            }
        };
        match found {
            Some((pos, Err(e))) if self.codec.is_damage(&e) => {
                tracing::warn!(error = %e, "a damaged message is replaced");
                self.delete_messages(pos, pos).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn read_message(self, row: &Row<'_>, room: RoomRef<'_>) -> Result<Message> {
        self.codec.message(room, &self.key(row, 1)?, message_columns(self, row)?, self.bytes(row, 4)?)
    }

    /// Moves a message from one rowid to another, and on to the negative of that; tells whether it existed.
    pub(crate) fn move_message(self, room: &Key, pos: i64, to: i64) -> Result<bool> {
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                   FROM message WHERE pos = ?1";
        let target = slot::position(to)?;
        let moved = self.first(sql, [pos], |row| {
            let columns = message_columns(self, row)?;
            self.codec.moved_message(room, &self.key(row, 1)?, columns, target, self.bytes(row, 4)?)
        })?;
        match moved {
            None => return Ok(false),
            Some(None) => self.run("UPDATE message SET pos = -?2 WHERE pos = ?1", (pos, to))?,
            Some(Some(payload)) => {
                let sql = "UPDATE message SET pos = -?2, payload = ?3 WHERE pos = ?1";
                self.run(sql, (pos, to, self.bind(&payload)))?
            }
        };
        Ok(true)
    }

    pub(crate) fn is_message(self, pos: i64) -> Result<bool> {
        Ok(self.first("SELECT 1 FROM message WHERE pos = ?1", [pos], |_| Ok(()))?.is_some())
    }

    /// Replaces the message at a rowid by one of the same id; returns the change of the sums.
    pub(crate) fn update_message(
        self,
        pos: i64,
        nr: i64,
        message: &Message,
        written: Revision,
    ) -> Result<Sums> {
        let row = self.codec.message_row(message, written)?;
        let links = row.links();
        let before = self.sums_of(pos, pos)?;
        let to = slot::pack(nr, message.position);
        if to != pos {
            self.run("UPDATE message SET pos = ?2 WHERE pos = ?1", (pos, to))?;
        }
        let sql = "UPDATE message SET sender = ?2, target = ?3, txn = ?4, timestamp_ms = ?5, written = ?6,
                   payload = ?7 WHERE pos = ?1";
        self.run(
            sql,
            (
                to,
                links.sender,
                links.target,
                links.txn,
                message.timestamp_ms,
                signed(written.0),
                self.bind(&row.payload),
            ),
        )?;
        Ok(Sums { rows: 1, bytes: row.payload.as_bytes().len() as i64 } + -before)
    }

    /// Deletes the messages from one rowid to another, both included; returns the change of the sums.
    pub(crate) fn delete_messages(self, oldest: i64, newest: i64) -> Result<Sums> {
        let before = self.sums_of(oldest, newest)?;
        self.run("DELETE FROM message WHERE pos BETWEEN ?1 AND ?2", (oldest, newest))?;
        Ok(-before)
    }

    /// Sums rows and bytes from one rowid to another, both included.
    pub(crate) fn sums_of(self, oldest: i64, newest: i64) -> Result<Sums> {
        let sql = "SELECT count(*), coalesce(sum(octet_length(payload)), 0) FROM message
                   WHERE pos BETWEEN ?1 AND ?2";
        let sums = self.first(sql, (oldest, newest), |row| {
            Ok(Sums { rows: self.int(row, 0)?, bytes: self.int(row, 1)? })
        })?;
        Ok(sums.unwrap_or_default())
    }
}
