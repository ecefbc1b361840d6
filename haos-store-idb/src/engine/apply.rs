//! One write.

use haos_store_api::backend::law;
use haos_store_api::backend::{Codec, Key, Keyring};
use haos_store_api::{Collection, Commit, Error, ErrorKind, Position, Result, Revision, WriteBatch};

use super::head::Head;
use super::keys;
use super::known::{Known, Layer, View};
use super::kv::{Answer, HEAD, KEYRING, Kv, Table};
use super::prefetch::Doubt;
use super::rows::EngineRows;
use super::segment::{Beneath, MOST_ROWS, Overlay, Row, runs, segment};
use super::{load, prefetch};

/// A batch that was written, in a transaction that has yet to commit.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) commit: Commit,
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the store in a browser reads it"))]
    pub(crate) head: Head,
    /// The records that a compaction could spare, by room.
    pub(crate) litter: Vec<(Key, Litter)>,
    /// The knowledge for this context's next transaction, once this one has committed.
    pub(crate) known: Option<Known>,
}

/// Applies a batch within a transaction. On an error the transaction must be aborted; if the batch itself was refused,
/// nothing was written. `before` is the knowledge after the latest commit, if that was one of this context. `None` if
/// it no longer holds: the transaction must be aborted too, and the batch applied again without it.
pub(crate) async fn apply<K: Kv>(
    kv: &K,
    codec: &Codec,
    batch: &WriteBatch,
    before: Option<Known>,
) -> Result<Option<Written>> {
    let keys = codec.keyring().map(|keyring| (keyring, kv.named(KEYRING)));
    let (mut known, doubt) = prefetch::batch(kv, codec, batch, before).await?;
    let mut doubt = match doubt {
        Some(doubt) => Some((doubt, keys)),
        None => {
            adopt(keys).await?;
            None
        }
    };
    let mut latest = None;
    loop {
        let next = Revision(known.head.revision.0 + 1);
        let mut rows = EngineRows::new(View::new(&known), codec, next);
        let outcome = law::apply(&mut rows, batch, next);
        let View { draft, fault, .. } = rows.view;
        // Before any further look-up, or a refusal of the batch.
        if !outcome.as_ref().is_ok_and(|done| done.changed) && !dispelled(doubt.take()).await? {
            return Ok(None);
        }
        if let Some(fault) = fault {
            if latest.as_ref() == Some(&fault) {
                let message = "a row could not be loaded: report this";
                return Err(Error::new(ErrorKind::Other, "apply", message));
            }
            load::fault(kv, &mut known, fault.clone()).await?;
            latest = Some(fault);
            continue;
        }
        let done = outcome?;
        let revision = if done.changed { next } else { known.head.revision };
        let commit = Commit { revision, changed: done.changed, assigned: done.assigned };
        if !commit.changed {
            return Ok(Some(Written { commit, head: known.head, litter: Vec::new(), known: None }));
        }
        let mut draft = draft;
        let rooms = write(kv, &known, &mut draft, next)?;
        let ends: Vec<(Key, Position)> = rooms.iter().map(|room| (room.key, room.last)).collect();
        let litter = rooms.into_iter().map(|room| (room.key, room.litter)).collect();
        let head = draft.head;
        let known = known.after(head, draft.records, &ends);
        let written = Written { commit, head, litter, known };
        return Ok(dispelled(doubt).await?.then_some(written));
    }
}

/// A keyring, and its record on the way.
type Keys<'k> = Option<(&'k Keyring, Answer<Option<Vec<u8>>>)>;

/// Takes over another context's change of the keys: a dropped key must seal nothing any more. Tells whether there was
/// one.
async fn adopt(keys: Keys<'_>) -> Result<bool> {
    let Some((keyring, record)) = keys else { return Ok(false) };
    record.await?.map_or(Ok(false), |record| keyring.adopt(&record))
}

/// Tells whether the assumptions hold.
async fn dispelled(doubt: Option<(Doubt, Keys<'_>)>) -> Result<bool> {
    let Some((doubt, keys)) = doubt else { return Ok(true) };
    Ok(doubt.dispelled().await? && !adopt(keys).await?)
}

/// The spare records that commits left in a room.
#[derive(Debug, Clone, Copy, Default)]
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the store in a browser reads it"))]
pub(crate) struct Litter {
    /// Records that a compaction could spare.
    pub(crate) records: u32,
    /// Small segments at the newest end of the appended ones,
    pub(crate) tail: u32,
    /// and true if a full one stands before them.
    pub(crate) full: bool,
}

/// A room whose messages changed.
struct ChangedRoom {
    key: Key,
    litter: Litter,
    /// The greatest changed position.
    last: Position,
}

/// Writes the changes of a batch. Waits for nothing.
fn write<K: Kv>(kv: &K, known: &Known, draft: &mut Layer, next: Revision) -> Result<Vec<ChangedRoom>> {
    let records = std::mem::take(&mut draft.records);
    // Deletions first: a new segment may bear the key of one that goes.
    for (table, key) in records.iter().filter(|(_, value)| value.is_none()).map(|(place, _)| place) {
        kv.delete(*table, key)?;
    }
    for (room, newest) in &draft.gone {
        if let Some(key) = known.places.get(room).and_then(|places| places.segments.get(newest)) {
            kv.delete(Table::Timeline, &key.encode())?;
        }
    }
    for ((table, key), value) in &records {
        if let Some(value) = value {
            kv.put(*table, key, value)?;
        }
    }
    let is_deleted = |key: &[u8]| records.get(&(Table::Timeline, key.to_vec())).is_some_and(Option::is_none);
    let mut rooms = Vec::new();
    let mut rows = std::mem::take(&mut draft.rows).into_iter().peekable();
    while let Some(((room, _), _)) = rows.peek() {
        let room = *room;
        let mut changed = Vec::new();
        while let Some(((_, at), row)) = rows.next_if(|((of, _), _)| *of == room) {
            changed.push((at, row));
        }
        let last = changed.last().map_or(Position::MIN, |(at, _)| *at);
        let litter = write_room(kv, known, draft, &room, changed, is_deleted)?;
        rooms.push(ChangedRoom { key: room, litter, last });
    }
    draft.head.revision = next;
    kv.put_named(HEAD, &draft.head.encode())?;
    draft.records = records;
    Ok(rooms)
}

/// Writes the changed messages of a room: those that no segment reaches into new segments, the others into the overlay.
fn write_room<K: Kv>(
    kv: &K,
    known: &Known,
    draft: &mut Layer,
    room: &Key,
    changed: Vec<(Position, Option<Row>)>,
    is_deleted: impl Fn(&[u8]) -> bool,
) -> Result<Litter> {
    let places = known.places.get(room);
    let stays = |newest: Position| !draft.gone.contains(&(*room, newest));
    let (mut appended, mut litter) = (Vec::new(), Litter::default());
    for (at, row) in changed {
        let key = keys::overlay(room, at);
        let segment = places.and_then(|places| places.segment_at(at)).filter(|key| stays(key.newest));
        let over = places.and_then(|places| places.overlays.get(&at)).filter(|_| !is_deleted(&key));
        let beneath = match over {
            Some(over) => over.beneath,
            None => segment.and(places).and_then(|places| places.rows.get(&at)).map(Beneath::of),
        };
        let before = over.map_or(beneath.map(|beneath| beneath.bytes.into()), |over| over.bytes);
        if let Some(bytes) = before {
            draft.head.sums.shrink(Collection::Messages, bytes);
        }
        if let Some(row) = &row {
            draft.head.sums.grow(Collection::Messages, row.payload.len() as u64);
        }
        match (row, over, beneath) {
            (Some(row), None, _) if segment.is_none() => appended.push(row),
            (None, None, None) => {}
            (None, Some(_), None) => {
                kv.delete(Table::Timeline, &key)?;
                draft.head.overlays = draft.head.overlays.saturating_sub(1);
            }
            (row, over, beneath) => {
                if over.is_none() {
                    draft.head.overlays += 1;
                    draft.head.stale += beneath.map_or(0, |beneath| u64::from(beneath.bytes));
                }
                let overlay = Overlay { at, beneath, row };
                kv.put_indexed(&key, &overlay.ids(), &overlay.encode())?;
                litter.records += 1;
            }
        }
    }
    let together = |a: &Row, b: &Row| {
        places.is_some_and(|places| {
            places.spans(a.at, b.at) && !places.segments.range(a.at..=b.at).any(|(newest, _)| stays(*newest))
        })
    };
    for run in runs(appended, together) {
        let (key, ids, value) = segment(*room, &run);
        kv.put_indexed(&key.encode(), &ids, &value)?;
        if run.len() < MOST_ROWS {
            litter.records += 1;
            litter.tail += 1;
        } else {
            (litter.tail, litter.full) = (0, true);
        }
    }
    Ok(litter)
}
