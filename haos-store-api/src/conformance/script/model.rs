//! The contract once more, written as slowly and plainly as possible: lists and loops. It shares no code with the laws,
//! so that it checks them as well as the backends.

use crate::*;

#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) revision: Revision,
    pub(super) last_seq: u64,
    pub(super) rooms: Vec<Room>,
    pub(super) messages: Vec<Message>,
    pub(super) gaps: Vec<Gap>,
    pub(super) pending: Vec<Pending>,
    pub(super) media: Vec<(MediaInfo, Vec<u8>)>,
    pub(super) state: Vec<StateEntry>,
}

/// The expected outcome of a batch. The numbers in `assigned` are the model's guess.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) changed: bool,
    pub(super) assigned: Vec<(TxnId, u64)>,
}

type Ruled<T = ()> = Result<T, ErrorKind>;

impl Model {
    /// Applies a batch, or returns the expected error and stays as it is.
    pub(super) fn apply(&mut self, batch: &WriteBatch) -> Ruled<Expected> {
        for precondition in batch.preconditions() {
            let (now, expected) = match precondition {
                Precondition::Room(id, expected) => (self.room(id).map(|room| room.revision), expected),
                Precondition::Pending(txn_id, expected) => {
                    let row = self.pending.iter().find(|row| row.txn_id == *txn_id);
                    (row.map(|row| row.revision), expected)
                }
                Precondition::Gap(room, position, expected) => {
                    let gap = self.gaps.iter().find(|gap| gap.room == *room && gap.position == *position);
                    (gap.map(|gap| gap.revision), expected)
                }
                Precondition::State(scope, kind, key, expected) => {
                    let same = |entry: &&StateEntry| {
                        entry.scope == *scope && entry.kind == *kind && entry.key == *key
                    };
                    match self.state.iter().find(same).map(|entry| &entry.value) == expected.as_ref() {
                        true => continue,
                        false => return Err(ErrorKind::Conflict),
                    }
                }
            };
            if now != *expected {
                return Err(ErrorKind::Conflict);
            }
        }
        let mut after = self.clone();
        after.revision = self.revision.next();
        let mut expected = Expected { changed: false, assigned: Vec::new() };
        for op in batch.ops() {
            expected.changed |= after.op(op, &mut expected.assigned)?;
        }
        if expected.changed {
            *self = after;
        }
        Ok(expected)
    }

    /// Takes over the sequence numbers that the store gave.
    pub(super) fn adopt(&mut self, guessed: &[(TxnId, u64)], given: &[(TxnId, u64)]) {
        for ((_, guess), (_, seq)) in guessed.iter().zip(given).rev() {
            for row in self.pending.iter_mut().filter(|row| row.seq == *guess) {
                row.seq = *seq;
            }
            self.last_seq = self.last_seq.max(*seq);
        }
    }

    pub(super) fn room(&self, id: &RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == *id)
    }

    /// Lists the items of a room, oldest first.
    pub(super) fn timeline(&self, room: &RoomId) -> Vec<Item> {
        let messages = self.messages.iter().filter(|m| m.room == *room).cloned().map(Item::Message);
        let gaps = self.gaps.iter().filter(|g| g.room == *room).cloned().map(Item::Gap);
        let mut items: Vec<Item> = messages.chain(gaps).collect();
        items.sort_by_key(Item::position);
        items
    }

    pub(super) fn is_free(&self, room: &RoomId, position: Position) -> bool {
        self.timeline(room).iter().all(|item| item.position() != position)
    }

    /// Requires the room of a timeline.
    pub(super) fn known(&self, room: &RoomId) -> Ruled {
        if self.room(room).is_some() { Ok(()) } else { Err(ErrorKind::Invalid) }
    }

    /// Notes a change of a room's timeline.
    pub(super) fn touch(&mut self, id: &RoomId) -> bool {
        let revision = self.revision;
        for room in self.rooms.iter_mut().filter(|room| room.id == *id) {
            room.revision = revision;
        }
        true
    }

    pub(super) fn op(&mut self, op: &Op, assigned: &mut Vec<(TxnId, u64)>) -> Ruled<bool> {
        match op {
            Op::PutRoom(room) => Ok(self.put_room(room)),
            Op::RemoveRoom(id) => Ok(self.remove_room(id)),
            Op::PutMessage(message) => self.put_message(message),
            Op::RemoveMessage(room, event) => Ok(self.remove_message(room, event)),
            Op::Redact(redact) => Ok(self.redact(redact)),
            Op::Prune(prune) => self.prune(prune),
            Op::PutGap(gap) => self.put_gap(gap),
            Op::RemoveGap(room, position) => Ok(self.remove_gap(room, *position)),
            Op::Renumber(room, moves) => self.renumber(room, moves),
            Op::PutPending(row) => self.put_pending(row, assigned),
            Op::RemovePending(txn_id) => Ok(self.remove_pending(txn_id)),
            Op::PutMedia(info, bytes) => Ok(self.put_media(info, bytes)),
            Op::AppendMedia { key, at, bytes } => self.append_media(key, *at, bytes),
            Op::RenameMedia(from, to) => Ok(self.rename_media(from, to)),
            Op::TouchMedia(keys, now_ms) => Ok(self.touch_media(keys, *now_ms)),
            Op::PinMedia(key, pinned) => Ok(self.pin_media(key, *pinned)),
            Op::RemoveMedia(key) => Ok(self.remove_media(key)),
            Op::EvictMedia(policy, now_ms) => Ok(self.evict_media(*policy, *now_ms)),
            Op::PutState(entry) => self.put_state(entry),
            Op::RemoveState(scope, kind, key) => Ok(self.remove_state(scope, kind, key)),
        }
    }

    fn put_room(&mut self, incoming: &Room) -> bool {
        let incoming = Room { revision: self.revision, ..incoming.clone() };
        match self.rooms.iter_mut().find(|room| room.id == incoming.id) {
            Some(stored) if (Room { revision: incoming.revision, ..stored.clone() }) == incoming => false,
            Some(stored) => {
                *stored = incoming;
                true
            }
            None => {
                self.rooms.push(incoming);
                true
            }
        }
    }

    fn remove_room(&mut self, id: &RoomId) -> bool {
        if self.room(id).is_none() {
            return false;
        }
        self.rooms.retain(|room| room.id != *id);
        self.messages.retain(|message| message.room != *id);
        self.gaps.retain(|gap| gap.room != *id);
        self.state.retain(|entry| entry.scope != Scope::Room(id.clone()));
        true
    }

    fn put_pending(&mut self, incoming: &Pending, assigned: &mut Vec<(TxnId, u64)>) -> Ruled<bool> {
        let revision = self.revision;
        let Some(stored) = self.pending.iter_mut().find(|row| row.txn_id == incoming.txn_id) else {
            self.last_seq += 1;
            assigned.push((incoming.txn_id.clone(), self.last_seq));
            self.pending.push(Pending { seq: self.last_seq, revision, ..incoming.clone() });
            return Ok(true);
        };
        let may_be_there =
            stored.ambiguous || stored.state == PendingState::Sending || stored.state == PendingState::Sent;
        let same_wire = (&stored.wire, &stored.wire_kind) == (&incoming.wire, &incoming.wire_kind);
        let same_content = stored.kind == incoming.kind
            && stored.content == incoming.content
            && (same_wire || !may_be_there);
        if stored.room != incoming.room || (stored.first_attempt_ms.is_some() && !same_content) {
            return Err(ErrorKind::Invalid);
        }
        let tried = stored.first_attempt_ms.is_some();
        let merged = Pending {
            seq: stored.seq,
            created_ms: stored.created_ms,
            first_attempt_ms: stored.first_attempt_ms.or(incoming.first_attempt_ms),
            anchor: if tried { stored.anchor.clone() } else { incoming.anchor.clone() },
            fence: stored.fence.max(incoming.fence),
            revision: stored.revision,
            ..incoming.clone()
        };
        if merged == *stored {
            return Ok(false);
        }
        *stored = Pending { revision, ..merged };
        Ok(true)
    }

    fn remove_pending(&mut self, txn_id: &TxnId) -> bool {
        let before = self.pending.len();
        self.pending.retain(|row| row.txn_id != *txn_id);
        self.pending.len() != before
    }

    fn put_state(&mut self, entry: &StateEntry) -> Ruled<bool> {
        if let Scope::Room(room) = &entry.scope {
            self.known(room)?;
        }
        if self.state.contains(entry) {
            return Ok(false);
        }
        self.remove_state(&entry.scope, &entry.kind, &entry.key);
        self.state.push(entry.clone());
        Ok(true)
    }

    fn remove_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> bool {
        let before = self.state.len();
        self.state.retain(|entry| entry.scope != *scope || entry.kind != *kind || entry.key != *key);
        self.state.len() != before
    }
}
