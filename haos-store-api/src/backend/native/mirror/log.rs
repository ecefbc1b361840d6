//! The frames of each moment: a whole mirror, what is about to change, and what became of it.

use super::fold::Fold;
use super::frame::{Frame, Head, Mark, StoredPending};
use crate::files::StoreId;
use crate::{Key, Revision};

/// The outbox of one commit, as a store has it.
#[derive(Debug, Clone, Default)]
pub struct OutboxImage {
    /// The store's own id.
    pub id: Option<StoreId>,
    /// The record of the keyring of a sealed store.
    pub keyring: Option<Vec<u8>>,
    /// The latest commit.
    pub revision: Revision,
    /// The latest sequence number given.
    pub last_seq: u64,
    /// All rows.
    pub rows: Vec<StoredPending>,
}

/// Makes a whole mirror of the outbox; `check` tells under which keys the rows are. `others` are the open intents of
/// other handles.
pub(super) fn whole(
    image: &OutboxImage,
    check: Key,
    mark: Mark,
    by: u64,
    others: impl IntoIterator<Item = Frame>,
) -> Vec<u8> {
    let OutboxImage { id, keyring, revision, last_seq, rows } = image;
    let head = Head {
        id: *id,
        check,
        keyring: keyring.clone(),
        mark: Mark { revision: *revision, ..mark },
        last_seq: *last_seq,
        rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
    };
    let mut bytes = head.encode();
    for row in rows {
        Frame::Row { by, row: row.clone() }.encode(&mut bytes);
    }
    for intent in others {
        intent.encode(&mut bytes);
    }
    bytes
}

/// Makes the frames before a commit that may change or remove rows. A fresh row that the mirror does not have needs
/// none; of any other, a frame of another handle may be on its way.
pub(super) fn before(fold: &Fold, by: u64, keys: &[(Key, bool)]) -> Vec<Frame> {
    let announced = keys.iter().filter(|(key, is_fresh)| !is_fresh || fold.row(key).is_some());
    announced.map(|(key, _)| Frame::Intent { by, key: *key }).collect()
}

/// Makes the frames after a commit: what the store has under each key, at least as of the revision.
pub(super) fn after(
    fold: &Fold,
    by: u64,
    found: impl IntoIterator<Item = (Key, Option<StoredPending>)>,
    revision: Revision,
) -> Vec<Frame> {
    let frame = |(key, row): (Key, Option<StoredPending>)| match row {
        Some(row) => Some(Frame::Row { by, row }),
        None => fold.names(&key).then_some(Frame::Gone { by, key, revision }),
    };
    found.into_iter().filter_map(frame).collect()
}
