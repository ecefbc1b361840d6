//! The meaning of a batch, over any [`Rows`].

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Inserted, Rows, evict, prune, redact, resolve_message, resolve_pending};
use crate::*;

/// What a batch did to the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Whether anything changed. If not, the store's revision stays.
    pub changed: bool,
    /// The sequence numbers given to new outbox rows.
    pub assigned: Vec<(TxnId, u64)>,
}

/// Applies a batch to the rows of one transaction; what changes gets the revision `next`.
///
/// On an error the transaction must be rolled back: rows may have been written.
///
/// # Errors
/// `Conflict` where a precondition fails or a position is taken; `Invalid` for input that breaks the
/// contract; whatever the rows report.
pub fn apply<R: Rows + ?Sized>(rows: &mut R, batch: &WriteBatch, next: Revision) -> Result<Applied> {
    let mut writer = Writer { rows, next, rooms: HashMap::new(), done: Applied::default() };
    for precondition in batch.preconditions() {
        writer.check(precondition)?;
    }
    for op in batch.ops() {
        writer.op(op)?;
    }
    writer.finish()
}

struct Writer<'a, R: ?Sized> {
    rows: &'a mut R,
    next: Revision,
    rooms: HashMap<RoomId, Touch>,
    done: Applied,
}

/// A room that the batch met.
struct Touch {
    room: Room,
    /// Its timeline changed and its row does not say so yet.
    dirty: bool,
    gaps: Option<BTreeSet<Position>>,
}

impl<R: Rows + ?Sized> Writer<'_, R> {
    fn check(&mut self, precondition: &Precondition) -> Result<()> {
        let (found, expected, what) = match precondition {
            Precondition::Room(id, expected) => {
                (self.rows.room(id)?.map(|room| room.revision), expected, "room")
            }
            Precondition::Pending(txn_id, expected) => {
                (self.rows.pending(txn_id)?.map(|row| row.revision), expected, "outbox row")
            }
            Precondition::Gap(room, position, expected) => {
                let gaps = self.rows.gaps(room)?;
                let gap = gaps.into_iter().find(|gap| gap.position == *position);
                (gap.map(|gap| gap.revision), expected, "gap")
            }
        };
        if found == *expected {
            return Ok(());
        }
        let say = |revision: Option<Revision>| {
            revision.map_or_else(|| "absent".to_owned(), |r| format!("at revision {r}"))
        };
        Err(Error::conflict(format!(
            "the {what} was expected {} and is {}: read it again and plan anew",
            say(*expected),
            say(found)
        )))
    }

    fn op(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::PutRoom(room) => self.put_room(room),
            Op::RemoveRoom(id) => self.remove_room(id),
            Op::PutMessage(message) => self.put_message(message),
            Op::RemoveMessage(room, event) => self.remove_message(room, event),
            Op::Redact(request) => self.redact(request),
            Op::Prune(request) => self.prune(request),
            Op::PutGap(gap) => self.put_gap(gap),
            Op::RemoveGap(room, position) => self.remove_gap(room, *position),
            Op::Renumber(room, moves) => self.renumber(room, moves),
            Op::PutPending(row) => self.put_pending(row),
            Op::RemovePending(txn_id) => self.remove_pending(txn_id),
            Op::PutMedia(info, bytes) => self.put_media(info, bytes),
            Op::AppendMedia { key, at, bytes } => self.append_media(key, *at, bytes),
            Op::RenameMedia(from, to) => self.rename_media(from, to),
            Op::TouchMedia(keys, now_ms) => keys.iter().try_for_each(|key| self.touch_media(key, *now_ms)),
            Op::RemoveMedia(key) => self.remove_media(key),
            Op::EvictMedia(policy, now_ms) => self.evict_media(*policy, *now_ms),
            Op::PutState(entry) => self.put_state(entry),
            Op::RemoveState(scope, kind, key) => self.remove_state(scope, kind, key),
        }
    }

    fn finish(self) -> Result<Applied> {
        for touch in self.rooms.into_values().filter(|touch| touch.dirty) {
            self.rows.write_room(&Room { revision: self.next, ..touch.room })?;
        }
        Ok(self.done)
    }

    // Rooms

    fn put_room(&mut self, incoming: &Room) -> Result<()> {
        let stored = match self.rooms.get(&incoming.id) {
            Some(touch) => Some(touch.room.clone()),
            None => self.rows.room(&incoming.id)?,
        };
        let stored_revision = stored.as_ref().map(|room| room.revision);
        let mut room = Room { revision: stored_revision.unwrap_or_default(), ..incoming.clone() };
        if stored.as_ref() == Some(&room) {
            return Ok(());
        }
        room.revision = self.next;
        self.rows.write_room(&room)?;
        let gaps = self.rooms.remove(&room.id).and_then(|touch| touch.gaps);
        self.rooms.insert(room.id.clone(), Touch { room, dirty: false, gaps });
        self.done.changed = true;
        Ok(())
    }

    fn remove_room(&mut self, id: &RoomId) -> Result<()> {
        if self.rooms.remove(id).is_some() || self.rows.room(id)?.is_some() {
            self.rows.delete_room(id)?;
            self.done.changed = true;
        }
        Ok(())
    }

    /// The room that a timeline op hangs on.
    fn touch(&mut self, id: &RoomId) -> Result<&mut Touch> {
        if !self.rooms.contains_key(id) {
            let room = self.rows.room(id)?.ok_or_else(|| missing_room(id))?;
            self.rooms.insert(id.clone(), Touch { room, dirty: false, gaps: None });
        }
        self.rooms.get_mut(id).ok_or_else(|| missing_room(id))
    }

    /// The timeline of the room changed.
    fn dirty(&mut self, id: &RoomId) -> Result<()> {
        let next = self.next;
        let touch = self.touch(id)?;
        touch.dirty |= touch.room.revision != next;
        self.done.changed = true;
        Ok(())
    }

    /// The positions of the room's gaps, read once a batch.
    fn gaps(&mut self, id: &RoomId) -> Result<&mut BTreeSet<Position>> {
        if self.touch(id)?.gaps.is_none() {
            let gaps = self.rows.gaps(id)?.into_iter().map(|gap| gap.position).collect();
            self.touch(id)?.gaps = Some(gaps);
        }
        Ok(self.touch(id)?.gaps.get_or_insert_default())
    }

    // Timeline

    fn put_message(&mut self, message: &Message) -> Result<()> {
        let gap_there = self.gaps(&message.room)?.contains(&message.position);
        if gap_there {
            // Only a message that is stored already, elsewhere, may name a gap's position.
            let Some(stored) = self.rows.message(&message.room, &message.id)? else {
                return Err(taken(message.position));
            };
            return self.merge_message(&stored, message, gap_there);
        }
        match self.rows.insert_message(message)? {
            Inserted::Done => self.dirty(&message.room),
            Inserted::Exists(stored) => self.merge_message(&stored, message, gap_there),
            Inserted::Taken => Err(taken(message.position)),
        }
    }

    fn merge_message(&mut self, stored: &Message, incoming: &Message, gap_there: bool) -> Result<()> {
        let merged = resolve_message(stored, incoming)?;
        if merged == *stored {
            return Ok(());
        }
        if merged.position != stored.position
            && (gap_there || self.rows.is_taken(&merged.room, merged.position)?)
        {
            return Err(taken(merged.position));
        }
        self.rows.update_message(stored.position, &merged)?;
        self.dirty(&merged.room)
    }

    fn remove_message(&mut self, room: &RoomId, event: &EventId) -> Result<()> {
        if let Some(stored) = self.rows.message(room, event)? {
            self.rows.delete_message(room, stored.position)?;
            self.dirty(room)?;
        }
        Ok(())
    }

    fn redact(&mut self, request: &Redact) -> Result<()> {
        let Some(stored) = self.rows.message(&request.room, &request.target)? else {
            return Ok(());
        };
        let emptied = redact(&stored, request);
        if emptied != stored {
            self.rows.update_message(stored.position, &emptied)?;
            self.dirty(&request.room)?;
        }
        Ok(())
    }

    fn prune(&mut self, request: &Prune) -> Result<()> {
        if request.keep == 0 {
            return Err(Error::invalid(
                "apply",
                "a pruned room keeps at least one message: use remove_room to forget it",
            ));
        }
        let room = &request.room;
        if self.rows.room(room)?.is_none() {
            return Ok(());
        }
        let targets: Vec<EventId> = self
            .rows
            .all_pending()?
            .into_iter()
            .filter(|row| row.room == *room)
            .filter_map(|row| row.target)
            .collect();
        let mut protected = BTreeSet::new();
        for event in request.protect.iter().chain(&targets) {
            protected.extend(self.rows.message(room, event)?.map(|message| message.position));
        }
        let messages = self.rows.positions(room)?;
        let gaps = self.rows.gaps(room)?;
        let keep = usize::try_from(request.keep).unwrap_or(usize::MAX);
        for run in prune(&messages, &gaps, keep, &protected) {
            self.rows.delete_span(room, run.oldest, run.newest)?;
            let gap = Gap { room: room.clone(), position: run.newest, token: run.token, revision: self.next };
            self.rows.write_gap(&gap)?;
            self.dirty(room)?;
        }
        self.touch(room)?.gaps = None;
        Ok(())
    }

    fn put_gap(&mut self, gap: &Gap) -> Result<()> {
        if self.gaps(&gap.room)?.insert(gap.position) {
            if self.rows.is_taken(&gap.room, gap.position)? {
                return Err(taken(gap.position));
            }
        } else {
            let stored = self.rows.gaps(&gap.room)?;
            if stored.iter().any(|old| old.position == gap.position && old.token == gap.token) {
                return Ok(());
            }
        }
        self.rows.write_gap(&Gap { revision: self.next, ..gap.clone() })?;
        self.dirty(&gap.room)
    }

    fn remove_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        if self.rows.room(room)?.is_none() || !self.gaps(room)?.remove(&position) {
            return Ok(());
        }
        self.rows.delete_gap(room, position)?;
        self.dirty(room)
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)]) -> Result<()> {
        let moves: Vec<_> = moves.iter().copied().filter(|(from, to)| from != to).collect();
        let from: HashSet<_> = moves.iter().map(|(from, _)| *from).collect();
        let to: HashSet<_> = moves.iter().map(|(_, to)| *to).collect();
        if from.len() != moves.len() || to.len() != moves.len() {
            return Err(Error::invalid("apply", "a renumbering names a position twice"));
        }
        for position in &from {
            let is_gap = self.gaps(room)?.contains(position);
            if !is_gap && !self.rows.is_taken(room, *position)? {
                return Err(Error::conflict(format!(
                    "nothing stands at {position}: read the timeline again and plan anew"
                )));
            }
        }
        for position in to.difference(&from) {
            if self.gaps(room)?.contains(position) || self.rows.is_taken(room, *position)? {
                return Err(taken(*position));
            }
        }
        if moves.is_empty() {
            return Ok(());
        }
        self.rows.renumber(room, &moves, self.next)?;
        self.dirty(room)?;
        self.touch(room)?.gaps = None;
        Ok(())
    }

    // Outbox

    fn put_pending(&mut self, incoming: &Pending) -> Result<()> {
        let merged = match self.rows.pending(&incoming.txn_id)? {
            Some(stored) => {
                let merged = resolve_pending(&stored, incoming)?;
                if merged == stored {
                    return Ok(());
                }
                merged
            }
            None => {
                let seq = self.rows.next_seq()?;
                self.done.assigned.push((incoming.txn_id.clone(), seq));
                Pending { seq, ..incoming.clone() }
            }
        };
        self.done.changed = true;
        self.rows.write_pending(&Pending { revision: self.next, ..merged })
    }

    fn remove_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        if self.rows.pending(txn_id)?.is_some() {
            self.rows.delete_pending(txn_id)?;
            self.done.changed = true;
        }
        Ok(())
    }

    // Media

    fn put_media(&mut self, info: &MediaInfo, bytes: &[u8]) -> Result<()> {
        let incoming = MediaInfo { size: bytes.len() as u64, ..info.clone() };
        if let Some(stored) = self.rows.media_info(&info.key)? {
            if stored == incoming && self.rows.media_bytes(&info.key)? == bytes {
                return Ok(());
            }
            self.rows.delete_media(&info.key)?;
        }
        self.rows.write_media_info(&incoming)?;
        self.rows.append_media(&info.key, 0, bytes)?;
        self.done.changed = true;
        Ok(())
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let stored = self.rows.media_info(key)?;
        let Some(stored) = stored.filter(|stored| stored.size == at) else {
            return Err(Error::conflict(
                "the media item does not have that many bytes: read its size and append there",
            ));
        };
        if !bytes.is_empty() {
            self.rows.append_media(key, at, bytes)?;
            self.rows.write_media_info(&MediaInfo { size: at + bytes.len() as u64, ..stored })?;
            self.done.changed = true;
        }
        Ok(())
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaKey) -> Result<()> {
        let Some(stored) = self.rows.media_info(from)?.filter(|_| from != to) else {
            return Ok(());
        };
        if self.rows.media_info(to)?.is_some() {
            self.rows.delete_media(to)?;
        }
        self.rows.rename_media(from, &MediaInfo { key: to.clone(), ..stored })?;
        self.done.changed = true;
        Ok(())
    }

    fn touch_media(&mut self, key: &MediaKey, now_ms: i64) -> Result<()> {
        if let Some(stored) = self.rows.media_info(key)?.filter(|stored| stored.last_access_ms < now_ms) {
            self.rows.write_media_info(&MediaInfo { last_access_ms: now_ms, ..stored })?;
            self.done.changed = true;
        }
        Ok(())
    }

    fn remove_media(&mut self, key: &MediaKey) -> Result<()> {
        if self.rows.media_info(key)?.is_some() {
            self.rows.delete_media(key)?;
            self.done.changed = true;
        }
        Ok(())
    }

    fn evict_media(&mut self, policy: MediaPolicy, now_ms: i64) -> Result<()> {
        let in_outbox = self.rows.all_pending()?.into_iter().flat_map(|row| row.media).collect();
        for key in evict(&self.rows.all_media()?, &in_outbox, policy, now_ms) {
            self.rows.delete_media(&key)?;
            self.done.changed = true;
        }
        Ok(())
    }

    // State

    fn put_state(&mut self, entry: &StateEntry) -> Result<()> {
        if let Scope::Room(room) = &entry.scope {
            self.touch(room)?;
        }
        if self.rows.state(&entry.scope, &entry.kind, &entry.key)?.as_ref() != Some(entry) {
            self.rows.write_state(entry)?;
            self.done.changed = true;
        }
        Ok(())
    }

    fn remove_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<()> {
        if self.rows.state(scope, kind, key)?.is_some() {
            self.rows.delete_state(scope, kind, key)?;
            self.done.changed = true;
        }
        Ok(())
    }
}

fn missing_room(id: &RoomId) -> Error {
    Error::invalid("apply", format!("the room {id} is not stored: put it first"))
}

fn taken(position: Position) -> Error {
    Error::conflict(format!("the position {position} is taken: read the timeline again and plan anew"))
}
