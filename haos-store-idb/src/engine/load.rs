//! Loads records from the database.

use haos_store_api::backend::Key;
use haos_store_api::backend::kv::corrupt;
use haos_store_api::{Position, Result};

use super::keys::{self, SegmentKey};
use super::known::{Fault, Known, Over, Places};
use super::kv::{Kv, Span, Table};
use super::segment::{self, Overlay, Row};

/// Loads the records of a fault.
pub(crate) async fn fault<K: Kv>(kv: &K, known: &mut Known, fault: Fault) -> Result<()> {
    match fault {
        Fault::Get(table, key) => {
            let value = kv.get(table, &key).await?;
            known.note(table, key, value);
        }
        Fault::Scan(table, span) => scan(kv, known, table, span).await?,
        Fault::Place(room, oldest, newest) => place(kv, known, &room, oldest, newest).await?,
        Fault::Event(room, event) => {
            let holders = kv.holders(&keys::event_entry(&event)).await?;
            resolve(kv, known, &room, &event, &holders).await?;
        }
        Fault::Index(room) => index(kv, known, &room).await?,
    }
    Ok(())
}

async fn scan<K: Kv>(kv: &K, known: &mut Known, table: Table, span: Span) -> Result<()> {
    let values = kv.range(table, &span, None).await?;
    note_range(known, table, span, values)
}

/// Notes a whole range that was read.
pub(crate) fn note_range(known: &mut Known, table: Table, span: Span, values: Vec<Vec<u8>>) -> Result<()> {
    for value in values {
        let key =
            key_of(table, &span, &value).ok_or_else(|| corrupt("apply", "a record has lost its key"))?;
        known.note(table, key, Some(value));
    }
    known.note_span(table, span);
    Ok(())
}

/// Returns the key that a value begins with; a gap's begins with its position.
fn key_of(table: Table, span: &Span, value: &[u8]) -> Option<Vec<u8>> {
    if table != Table::Timeline {
        return value.get(..table.key_bytes()).map(<[u8]>::to_vec);
    }
    let room = Key::from_bytes(*span.low.first_chunk()?);
    let at = haos_store_api::backend::kv::Cut(value).position().ok()?;
    Some(keys::gap(&room, at))
}

/// Notes the position of an event, whose records' keys are known.
pub(crate) async fn resolve<K: Kv>(
    kv: &K,
    known: &mut Known,
    room: &Key,
    event: &Key,
    holders: &[Vec<u8>],
) -> Result<()> {
    for key in holders {
        holder(kv, known, room, key).await?;
    }
    // A record may hold a message that an overlay has replaced.
    known.events.entry(*event).or_insert(None);
    Ok(())
}

/// Loads the record of a timeline with this key.
pub(crate) async fn holder<K: Kv>(kv: &K, known: &mut Known, room: &Key, key: &[u8]) -> Result<()> {
    let spans = |known: &Known, oldest, newest| {
        known.places.get(room).is_some_and(|places| places.spans(oldest, newest))
    };
    if let Some(key) = SegmentKey::decode(key) {
        if !spans(known, key.oldest, key.newest) {
            take(kv, known, room, key.oldest, key).await?;
        }
    } else if let Some(at) = keys::position(key) {
        if !spans(known, at, at) {
            let overlays = overlays(kv, known, room, at, at).await?;
            absorb(known, room, (at, at), None, overlays);
        }
    } else {
        return Err(corrupt("apply", "a key of the timeline is damaged"));
    }
    Ok(())
}

/// Loads a segment, with the overlays over it and over the empty range from `from` on.
async fn take<K: Kv>(kv: &K, known: &mut Known, room: &Key, from: Position, key: SegmentKey) -> Result<()> {
    let value = kv.get(Table::Timeline, &key.encode());
    let from = from.min(key.oldest);
    let overlays = overlays(kv, known, room, from, key.newest).await?;
    let value = value.await?.ok_or_else(|| corrupt("apply", "a segment is gone"))?;
    absorb(known, room, (from, key.newest), Some((key, segment::rows(&value)?)), overlays);
    Ok(())
}

/// Loads a room's timeline between two positions, and further around them at no cost.
pub(crate) async fn place<K: Kv>(
    kv: &K,
    known: &mut Known,
    room: &Key,
    oldest: Position,
    newest: Position,
) -> Result<()> {
    let mut at = oldest;
    loop {
        let above = kv.last_key(&keys::segments(room, at, Position::MAX)).await?;
        let Some(next) = beyond(kv, known, room, at, newest, above).await? else { return Ok(()) };
        at = next;
    }
}

/// Takes up the items from `at` on: the segment next above it, whose key is `above`, or nothing. Returns the place at
/// which to continue, if any.
pub(crate) async fn beyond<K: Kv>(
    kv: &K,
    known: &mut Known,
    room: &Key,
    at: Position,
    newest: Position,
    above: Option<Vec<u8>>,
) -> Result<Option<Position>> {
    let damaged = || corrupt("apply", "a key of the timeline is damaged");
    let above = above.map(|key| SegmentKey::decode(&key).ok_or_else(damaged)).transpose()?;
    let free_to = above.map_or(Some(Position::MAX), |key| key.oldest.older(1));
    let Some(key) = above.filter(|key| key.oldest <= newest) else {
        let free_to = free_to.unwrap_or(Position::MIN);
        let overlays = overlays(kv, known, room, at, free_to).await?;
        absorb(known, room, (at, free_to), None, overlays);
        return Ok(None);
    };
    take(kv, known, room, at, key).await?;
    Ok(key.newest.newer(1).filter(|next| *next <= newest))
}

/// Reads the overlays between two positions; does not ask a store without overlays.
async fn overlays<K: Kv>(
    kv: &K,
    known: &Known,
    room: &Key,
    oldest: Position,
    newest: Position,
) -> Result<Vec<Overlay>> {
    if known.head.overlays == 0 {
        return Ok(Vec::new());
    }
    let values = kv.range(Table::Timeline, &keys::overlays(room, oldest, newest), None).await?;
    values.iter().map(|value| Overlay::decode(value)).collect()
}

/// Notes a range of a timeline that is completely loaded.
fn absorb(
    known: &mut Known,
    room: &Key,
    (oldest, newest): (Position, Position),
    segment: Option<(SegmentKey, Vec<Row>)>,
    overlays: Vec<Overlay>,
) {
    let places: &mut Places = known.places.entry(*room).or_default();
    if let Some((key, rows)) = segment {
        places.segments.insert(key.newest, key);
        places.rows.extend(rows.into_iter().map(|row| (row.at, row)));
    }
    for overlay in overlays {
        places.overlays.insert(overlay.at, Over::of(&overlay));
        match overlay.row {
            Some(row) => places.rows.insert(overlay.at, row),
            None => places.rows.remove(&overlay.at),
        };
    }
    places.note_loaded(oldest, newest);
    known.events.extend(places.rows.range(oldest..=newest).map(|(at, row)| (row.event, Some(*at))));
}

/// Notes the segments and overlays of a room.
async fn index<K: Kv>(kv: &K, known: &mut Known, room: &Key) -> Result<()> {
    let segments = kv.keys(Table::Timeline, &keys::segments(room, Position::MIN, Position::MAX), None);
    let overlays = overlays(kv, known, room, Position::MIN, Position::MAX).await?;
    let segments = segments.await?;
    let places = known.places.entry(*room).or_default();
    for key in segments {
        let key = SegmentKey::decode(&key).ok_or_else(|| corrupt("apply", "a segment's key is damaged"))?;
        places.segments.insert(key.newest, key);
    }
    places.overlays.extend(overlays.iter().map(|overlay| (overlay.at, Over::of(overlay))));
    places.indexed = true;
    Ok(())
}
