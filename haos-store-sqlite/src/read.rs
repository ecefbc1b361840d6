//! The reads of the contract, those of timelines in full. Each sees one commit: a read of two statements runs in a
//! snapshot.

use std::collections::BTreeMap;

use haos_store_api::backend::law::{relation_matches, slice};
use haos_store_api::backend::native::{Backend, unknown_query};
use haos_store_api::backend::*;
use haos_store_api::*;

use crate::backend::Sqlite;
use crate::db::{Db, NEXT, STOP, limit};
use crate::slot;

impl Reads for Db<'_> {
    fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        Ok((*self).room(id)?.map(|(_, room)| room))
    }

    fn rooms(&self, query: &RoomQuery) -> Result<Vec<Room>> {
        (*self).rooms(query.clone())
    }

    fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        (*self).message(room, event)
    }

    fn timeline(&self, room: &RoomId, page: &Page) -> Result<Slice> {
        self.snapshot(|db| {
            let Some((nr, room)) = db.room_ref(room)? else { return Ok(Slice::default()) };
            let Some((oldest, newest)) = db.span(nr, room.id, page)? else { return Ok(Slice::default()) };
            let (span, wanted) = ((oldest, newest), page.limit.saturating_add(1));
            let (messages, gaps) = match page.direction {
                Direction::Older => (
                    "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                     FROM message WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos DESC",
                    "SELECT pos, revision, payload FROM gap
                     WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos DESC LIMIT ?3",
                ),
                Direction::Newer => (
                    "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                     FROM message WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos",
                    "SELECT pos, revision, payload FROM gap
                     WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos LIMIT ?3",
                ),
            };
            let messages = db.messages_by(messages, span, room, wanted)?;
            let gaps = db.gaps_by(gaps, (oldest, newest, limit(wanted)), room)?;
            Ok(slice(messages, gaps, page.direction, page.limit))
        })
    }

    fn timelines(&self, pages: &[(RoomId, Page)]) -> Result<Vec<Slice>> {
        self.snapshot(|db| pages.iter().map(|(room, page)| db.timeline(room, page)).collect())
    }

    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.snapshot(|db| match db.room_ref(room)? {
            Some((nr, room)) => db.gaps(nr, room),
            None => Ok(Vec::new()),
        })
    }

    fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.snapshot(|db| {
            let Some(nr) = db.room_nr(room)? else { return Ok(0) };
            let count = match newer_than {
                Some(event) => {
                    let Some(pos) = db.message_pos(nr, room, event)? else { return Ok(0) };
                    let (_, newest) = slot::whole(nr);
                    db.number("SELECT count(*) FROM message WHERE pos > ?1 AND pos <= ?2", (pos, newest))?
                }
                // The index has a tenth of the table's pages.
                None => {
                    let sql = "SELECT count(*) FROM message INDEXED BY message_by_key WHERE pos >> 40 = ?1";
                    db.number(sql, [nr])?
                }
            };
            Ok(count.unsigned_abs())
        })
    }

    fn related(&self, query: &RelationQuery) -> Result<Vec<Message>> {
        let room = &query.room;
        self.snapshot(|db| {
            let Some((nr, room)) = db.room_ref(room)? else { return Ok(Vec::new()) };
            let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                       FROM message INDEXED BY message_by_target WHERE pos >> 40 = ?1 AND target = ?2 ORDER BY pos";
            let mut found = BTreeMap::new();
            for target in &query.targets {
                let mut taken = 0;
                let key = db.codec.event_key(room.id, target).short();
                db.each(sql, (nr, key), |row| {
                    if taken >= query.limit {
                        return Ok(STOP);
                    }
                    if let Some(message) = db.codec.keep(db.read_message(row, room))?
                        && relation_matches(query, target, &message)
                    {
                        taken += 1;
                        found.insert(message.position, message);
                    }
                    Ok(NEXT)
                })?;
            }
            Ok(found.into_values().take(query.limit).collect())
        })
    }

    fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>> {
        self.snapshot(|db| match query {
            MessageQuery::Ids { room, events } => {
                let mut found = BTreeMap::new();
                let Some(nr) = db.room_nr(room)? else { return Ok(Vec::new()) };
                for event in events {
                    let message = db.codec.keep(db.message_in(nr, room, event))?.flatten();
                    found.extend(message.map(|message| (message.position, message)));
                }
                Ok(found.into_values().collect())
            }
            MessageQuery::Txn(txn_id) => db.messages_of_txn(txn_id),
            MessageQuery::Sender { room, sender, limit } => db.messages_of_sender(room, sender, *limit),
            MessageQuery::Time { room, from_ms, until_ms, limit } => {
                db.messages_of_time(room, *from_ms, *until_ms, *limit)
            }
            _ => Err(unknown_query(Sqlite::NAME, db.operation)),
        })
    }

    fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>> {
        self.pending_rows(query)
    }

    fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        self.snapshot(|db| db.media(key, range))
    }

    fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        (*self).media_index(query)
    }

    fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        self.state_entries(query)
    }

    fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        let (scope, kind) = (self.codec.scope_key(scope), self.codec.kind_key(scope, kind).short());
        let sql = "SELECT count(*) FROM state WHERE scope = ?1 AND kind = ?2";
        Ok(self.number(sql, (scope.as_bytes(), kind))?.unsigned_abs())
    }

    fn states(&self, queries: &[StateQuery]) -> Result<Vec<Vec<StateEntry>>> {
        self.snapshot(|db| {
            let list = |query| db.codec.keep(db.state_entries(query)).map(Option::unwrap_or_default);
            queries.iter().map(list).collect()
        })
    }

    fn usage(&self) -> Result<Usage> {
        self.snapshot(Self::usage_now)
    }

    fn revision(&self) -> Result<Revision> {
        self.store_revision()
    }
}

impl Db<'_> {
    /// Returns the rowids that a page may show, both ends included.
    fn span(self, nr: i64, room: &RoomId, page: &Page) -> Result<Option<(i64, i64)>> {
        let Start::Beyond(cursor) = &page.start else { return Ok(Some(slot::whole(nr))) };
        let anchor = match cursor.anchor() {
            Some(event) => self.message_pos(nr, room, event)?.map(slot::position).transpose()?,
            None => None,
        };
        let at = cursor.resolve(anchor);
        let (oldest, newest) = slot::whole(nr);
        Ok(match page.direction {
            Direction::Older => at.older(1).map(|at| (oldest, slot::pack(nr, at))),
            Direction::Newer => at.newer(1).map(|at| (slot::pack(nr, at), newest)),
        })
    }

    fn messages_of_txn(self, txn_id: &TxnId) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                   FROM message WHERE txn = ?1";
        self.each(sql, [self.codec.txn_key(txn_id).short()], |row| {
            let read = self.room_at(slot::room(self.int(row, 0)?)).and_then(|room| {
                let room = room.ok_or_else(|| self.corrupt("a message has no room"))?;
                self.read_message(row, self.codec.room_ref(&room.id))
            });
            let message = self.codec.keep(read)?;
            found.extend(message.filter(|message| message.txn_id.as_ref() == Some(txn_id)));
            Ok(NEXT)
        })?;
        found.sort_by(|a, b| (&a.room, a.position).cmp(&(&b.room, b.position)));
        Ok(found)
    }

    /// Walks the room's times (not its payloads), then reads the matches. An index by time would cost every insert a
    /// sixth more; the walk takes about half a millisecond a thousand messages.
    fn messages_of_time(
        self,
        room: &RoomId,
        from_ms: i64,
        until_ms: i64,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(Vec::new()) };
        let (oldest, newest) = slot::whole(nr);
        let sql = "SELECT timestamp_ms, pos FROM message
                   WHERE pos BETWEEN ?1 AND ?2 AND timestamp_ms >= ?3 AND timestamp_ms < ?4";
        let mut places = self.all(sql, (oldest, newest, from_ms, until_ms), |row| {
            Ok((self.int(row, 0)?, self.int(row, 1)?))
        })?;
        places.sort_unstable();
        places.truncate(limit);
        let mut found = Vec::with_capacity(places.len());
        for (_, pos) in places {
            found.extend(self.codec.keep(self.message_at(pos, room))?.flatten());
        }
        Ok(found)
    }

    /// Walks the room from its newest message: an index by sender would cost every insert a page, for a
    /// question that is asked rarely and answered early.
    fn messages_of_sender(self, room: &RoomId, sender: &UserId, limit: usize) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        let Some((nr, room)) = self.room_ref(room)? else { return Ok(found) };
        let (oldest, newest) = slot::whole(nr);
        let sql = "SELECT pos, key, timestamp_ms, written, payload, sender, target, txn
                   FROM message WHERE pos BETWEEN ?1 AND ?2 AND sender = ?3 ORDER BY pos DESC";
        let sender_key = Links::short_sender(&self.codec.sender_key(room.id, sender));
        self.each(sql, (oldest, newest, sender_key), |row| {
            if found.len() >= limit {
                return Ok(STOP);
            }
            let message = self.codec.keep(self.read_message(row, room))?;
            found.extend(message.filter(|message| message.sender == *sender));
            Ok(NEXT)
        })?;
        Ok(found)
    }
}
