//! The meaning of a batch, over any [`Rows`].

mod records;
mod room;
mod timeline;
mod touched;

use self::touched::Touched;
use super::Rows;
use crate::*;

/// The effect of a batch on the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// True if anything changed. If not, the store's revision stays.
    pub changed: bool,
    /// The sequence numbers given to new outbox rows.
    pub assigned: Vec<(TxnId, u64)>,
}

/// Applies a batch to the rows of one transaction; changed rows get the revision `next`.
///
/// On an error the transaction must be rolled back: rows may have been written.
///
/// # Errors
/// `Conflict` where a precondition fails or a position is taken; `Invalid` for input that breaks the contract; those of
/// the rows.
pub fn apply<R: Rows + ?Sized>(rows: &mut R, batch: &WriteBatch, next: Revision) -> Result<Applied> {
    let mut writer = Writer { rows, next, rooms: Touched::default(), done: Applied::default() };
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
    rooms: Touched,
    done: Applied,
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
                (self.gap(room, *position)?.map(|gap| gap.revision), expected, "gap")
            }
            Precondition::State(scope, kind, key, expected) => {
                let found = self.rows.state(scope, kind, key)?.map(|entry| entry.value);
                if found == *expected {
                    return Ok(());
                }
                let message = "a state entry has another value than expected: read it again and plan again";
                return Err(Error::conflict(message));
            }
        };
        if found == *expected {
            return Ok(());
        }
        let say = |revision: Option<Revision>| {
            revision.map_or_else(|| "absent".to_owned(), |r| format!("at revision {r}"))
        };
        Err(Error::conflict(format!(
            "the {what} was expected {} and is {}: read it again and plan again",
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
            Op::PinMedia(key, pinned) => self.pin_media(key, *pinned),
            Op::RemoveMedia(key) => self.remove_media(key),
            Op::EvictMedia(policy, now_ms) => self.evict_media(*policy, *now_ms),
            Op::PutState(entry) => self.put_state(entry),
            Op::RemoveState(scope, kind, key) => self.remove_state(scope, kind, key),
        }
    }

    fn finish(self) -> Result<Applied> {
        for touch in self.rooms.touches.into_iter().filter(|touch| touch.dirty) {
            self.rows.write_room(&Room { revision: self.next, ..touch.room })?;
        }
        Ok(self.done)
    }
}

fn missing_room(id: &RoomId) -> Error {
    Error::invalid("apply", format!("the room {id} is not stored: put it first"))
}

fn taken(position: Position) -> Error {
    Error::conflict(format!("the position {position} is taken: read the timeline again and plan again"))
}
