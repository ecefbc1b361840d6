//! The rows of one batch, as the laws see them.

use haos_store_api::law::{Inserted, Rows};
use haos_store_api::*;
use sled::{IVec, Tree};

use crate::db::Db;
use crate::draft::Draft;
use crate::keys;

/// One batch under way.
pub(crate) struct SledRows<'t> {
    tree: &'t Tree,
    pub(crate) codec: &'t Codec,
    pub(crate) draft: &'t mut Draft,
    /// The revision that the batch makes.
    pub(crate) revision: Revision,
    /// Messages come in runs of one room.
    latest: Option<(RoomId, u32)>,
}

impl<'t> SledRows<'t> {
    pub(crate) fn new(tree: &'t Tree, codec: &'t Codec, draft: &'t mut Draft, revision: Revision) -> Self {
        Self { tree, codec, draft, revision, latest: None }
    }

    pub(crate) fn db(&self) -> Db<'_> {
        Db { tree: self.tree, changes: Some(&self.draft.changes), codec: self.codec, operation: "apply" }
    }

    pub(crate) fn set(&mut self, key: Vec<u8>, value: Option<IVec>) {
        self.draft.set(key, value);
    }

    /// A row came.
    pub(crate) fn grow(&mut self, of: Collection, bytes: usize) {
        let sum = self.draft.head.sum(of);
        sum.rows += 1;
        sum.bytes += bytes as u64;
    }

    /// A row went. Damage must not make the sums wrap.
    pub(crate) fn shrink(&mut self, of: Collection, bytes: usize) {
        let sum = self.draft.head.sum(of);
        sum.rows = sum.rows.saturating_sub(1);
        sum.bytes = sum.bytes.saturating_sub(bytes as u64);
    }

    fn nr(&mut self, room: &RoomId) -> Result<Option<u32>> {
        if let Some((id, nr)) = &self.latest
            && id == room
        {
            return Ok(Some(*nr));
        }
        let nr = self.db().room_nr(room)?;
        self.latest = nr.map(|nr| (room.clone(), nr));
        Ok(nr)
    }

    /// Takes away the damaged row of a message that comes again.
    fn drop_damaged(&mut self, nr: u32, message: &Message) -> Result<()> {
        if let Some(at) = self.db().message_position(nr, &message.room, &message.id)? {
            tracing::warn!("a damaged message is replaced");
            self.take_message(nr, at)?;
        }
        Ok(())
    }

    /// The number of a room that the laws have seen to.
    fn known(&mut self, room: &RoomId) -> Result<u32> {
        self.nr(room)?.ok_or_else(|| self.db().corrupt("a room's rows came without the room"))
    }
}

impl Rows for SledRows<'_> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        // A damaged row counts as none: the sync that brings the room writes it anew.
        Ok(self.codec.keep(self.db().room(id))?.flatten().map(|(_, room)| room))
    }

    fn write_room(&mut self, room: &Room) -> Result<()> {
        let nr = self.put_room(room)?;
        self.latest = Some((room.id.clone(), nr));
        Ok(())
    }

    fn delete_room(&mut self, id: &RoomId) -> Result<()> {
        self.latest = None;
        self.drop_room(id)
    }

    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        let nr = self.known(&message.room)?;
        match self.codec.keep(self.db().message_in(nr, &message.room, &message.id))? {
            Some(Some(stored)) => return Ok(Inserted::Exists(Box::new(stored))),
            Some(None) => {}
            None => self.drop_damaged(nr, message)?,
        }
        let room = self.codec.room_ref(&message.room);
        let there = self.db().message_at(nr, room, message.position);
        match self.codec.keep(there)? {
            Some(Some(_)) => return Ok(Inserted::Taken),
            Some(None) => {}
            None => drop(self.take_message(nr, message.position)?),
        }
        self.put_message(nr, message)?;
        Ok(Inserted::Done)
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        match self.nr(room)? {
            Some(nr) => Ok(self.codec.keep(self.db().message_in(nr, room, event))?.flatten()),
            None => Ok(None),
        }
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        match self.nr(room)? {
            Some(nr) => self.db().has(&keys::message(nr, position)),
            None => Ok(false),
        }
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        let nr = self.known(&message.room)?;
        self.take_message(nr, at)?;
        self.put_message(nr, message)
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        if let Some(nr) = self.nr(room)? {
            self.take_message(nr, at)?;
        }
        Ok(())
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        match self.nr(room)? {
            Some(nr) => self.places((keys::message(nr, Position::MIN), keys::message(nr, Position::MAX))),
            None => Ok(Vec::new()),
        }
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        match self.nr(room)? {
            Some(nr) => self.drop_span(nr, oldest, newest),
            None => Ok(()),
        }
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        let (nr, home) = (self.known(room)?, self.codec.room_ref(room));
        let (mut messages, mut gaps) = (Vec::new(), Vec::new());
        // All are lifted before the first is set down: a target may be a source.
        for (from, to) in moves {
            if let Some(record) = self.take_message(nr, *from)? {
                let columns = record.columns(*from);
                let payload =
                    self.codec.moved_message(&home.key, &record.event, columns, *to, record.payload())?;
                messages.push((*to, record, payload));
            } else if let Some(gap) = self.db().gap_at(nr, home, *from)? {
                self.drop_gap(nr, *from)?;
                gaps.push(Gap { position: *to, revision, ..gap });
            }
        }
        for (to, record, payload) in messages {
            self.place_message(nr, to, record, payload.as_ref().map(Payload::as_bytes))?;
        }
        gaps.iter().try_for_each(|gap| self.put_gap(nr, gap))
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        match self.nr(room)? {
            Some(nr) => self.db().gaps(nr, self.codec.room_ref(room)),
            None => Ok(Vec::new()),
        }
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        let nr = self.known(&gap.room)?;
        self.put_gap(nr, gap)
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        match self.nr(room)? {
            Some(nr) => self.drop_gap(nr, position),
            None => Ok(()),
        }
    }

    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        self.db().pending(txn_id)
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        self.db().pending_rows(&PendingQuery::default())
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.draft.head.last_seq += 1;
        Ok(self.draft.head.last_seq)
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        self.put_pending(pending)
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        self.drop_pending(txn_id)
    }

    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        Ok(self.codec.keep(self.db().media_info(key))?.flatten().map(|(_, info)| info))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        self.db().media_index(&MediaQuery::default())
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        Ok(self.db().media(key, ByteRange::ALL)?.map_or_else(Vec::new, |media| media.bytes))
    }

    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()> {
        self.put_media(info)
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        self.append(key, at, bytes)
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        self.move_media(from, to)
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<()> {
        self.drop_media(key)
    }

    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        Ok(self.codec.keep(self.db().state(scope, kind, key))?.flatten())
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        self.put_state(entry)
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<()> {
        self.drop_state(scope, kind, key)
    }
}
