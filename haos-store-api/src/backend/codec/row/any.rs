use super::super::{Bound, Codec, Key};
use super::{MediaColumns, MessageColumns, StateColumns};
use crate::{Collection, Position, Revision};

/// The place of a payload: the binding of a row of any kind.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the fields are the columns of the rows")]
pub enum RowRef<'a> {
    /// A room.
    Room { key: &'a Key, last_activity_ms: i64, revision: Revision },
    /// A message, under its room's key and its own.
    Message { room: &'a Key, key: &'a Key, columns: MessageColumns },
    /// A gap, under its room's key.
    Gap { room: &'a Key, position: Position, revision: Revision },
    /// An outbox row.
    Pending { key: &'a Key, seq: u64, not_before_ms: i64, revision: Revision },
    /// A media item.
    Media { key: &'a Key, columns: MediaColumns },
    /// A chunk of a blob.
    Chunk { blob: u64, index: u64 },
    /// A state entry.
    State { columns: StateColumns },
}

impl RowRef<'_> {
    /// Returns the binding of the row's payload.
    pub(in crate::backend::codec) fn bound(&self, codec: &Codec) -> Bound {
        let int = |count: u64| count as i64;
        match *self {
            Self::Room { key, last_activity_ms, revision } => {
                Bound::new(Collection::Rooms, [key], [last_activity_ms, int(revision.0)])
            }
            Self::Message { room, key, columns } => {
                let MessageColumns { position, timestamp_ms, written, links } = columns;
                let [sender, target, txn, which] = links.columns();
                let columns = [int(position.get()), timestamp_ms, int(written.0), sender, target, txn, which];
                Bound::new(Collection::Messages, [room, key], columns)
            }
            Self::Gap { room, position, revision } => {
                Bound::new(Collection::Gaps, [room], [int(position.get()), int(revision.0)])
            }
            Self::Pending { key, seq, not_before_ms, revision } => {
                Bound::new(Collection::Pending, [key], [int(seq), not_before_ms, int(revision.0)])
            }
            Self::Media { key, columns } => {
                let MediaColumns { blob, size, last_access_ms, pinned, written } = columns;
                let columns = [int(blob), int(size), last_access_ms, pinned.into(), int(written.0)];
                Bound::new(Collection::Media, [key], columns)
            }
            Self::Chunk { blob, index } => Bound::new(Collection::Media, [&codec.chunk_key(blob, index)], []),
            Self::State { columns: StateColumns { scope, kind, key, written } } => {
                Bound::new(Collection::State, [&scope, &key], [kind, int(written.0)])
            }
        }
    }
}
