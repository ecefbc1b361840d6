//! A timeline read step by step: segments, with the overlay over them.

use std::collections::BTreeMap;

use haos_store_api::backend::{Codec, Key};
use haos_store_api::{Position, Result};

use super::super::keys;
use super::super::kv::{Kv, Table};
use super::super::segment::{self, MOST_ROWS, Overlay, Row};

/// Overlays that are requested with a step before its extent is known.
const AHEAD: u32 = 256;

/// A walk from newer to older.
pub(crate) struct Older<'a, K> {
    kv: &'a K,
    codec: &'a Codec,
    room: Key,
    /// The newest unread position.
    next: Option<Position>,
    start: Start,
}

/// The position of the message that a page continues from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    /// Absent, or removed.
    Nowhere,
    At(Position),
    /// The latest known position of the event.
    Assumed(Key, Position),
}

impl Anchor {
    pub(crate) fn position(self) -> Option<Position> {
        match self {
            Self::Nowhere => None,
            Self::At(at) | Self::Assumed(_, at) => Some(at),
        }
    }
}

/// The way to the segment that begins above the first step and reaches into it.
enum Start {
    /// It does not exist.
    Clear,
    /// A search.
    Search,
    /// It has the event assumed at a position, with its neighbours.
    Assumed(Key, Position),
}

/// The outcome of a step.
pub(crate) enum Walked {
    /// The rows, newest first.
    Rows(Vec<Row>),
    End,
    /// The event is not at its assumed position.
    Elsewhere,
}

impl<'a, K: Kv> Older<'a, K> {
    /// Walks a whole room.
    pub(crate) fn all(kv: &'a K, codec: &'a Codec, room: Key) -> Self {
        Self { kv, codec, room, next: Some(Position::MAX), start: Start::Clear }
    }

    /// Walks from a position on, near an anchor.
    pub(crate) fn new(kv: &'a K, codec: &'a Codec, room: Key, newest: Position, anchor: Anchor) -> Self {
        let start = match anchor {
            Anchor::Assumed(event, at) => Start::Assumed(event, at),
            _ if newest == Position::MAX => Start::Clear,
            _ => Start::Search,
        };
        Self { kv, codec, room, next: Some(newest), start }
    }

    /// Reads the rows of the next segments, about `segments` of them.
    pub(crate) async fn step(&mut self, segments: usize) -> Result<Walked> {
        let Some(newest) = self.next else { return Ok(Walked::End) };
        let (kv, room) = (self.kv, &self.room);
        // Everything at once: the segment that begins above and reaches below, those below, the overlay.
        let start = std::mem::replace(&mut self.start, Start::Clear);
        let across = match start {
            Start::Search => newest.newer(1),
            _ => None,
        };
        let across = across.map(|above| kv.last(&keys::segments(room, above, Position::MAX)));
        let (top, segments) = match start {
            // A segment without holes that has the event ends at most this far above it.
            Start::Assumed(_, at) => {
                (at.newer(MOST_ROWS as u64 - 1).map_or(Position::MAX, |top| top.max(newest)), segments + 1)
            }
            _ => (newest, segments),
        };
        let limit = u32::try_from(segments).unwrap_or(u32::MAX);
        let below = kv.range(Table::Timeline, &keys::segments(room, Position::MIN, top), Some(limit));
        let ahead = kv.range(Table::Timeline, &keys::overlays(room, Position::MIN, top), Some(AHEAD));
        let mut rows = BTreeMap::new();
        if let Some(across) = across
            && let Some(value) = across.await?
        {
            self.add(&mut rows, &value)?;
        }
        let below = below.await?;
        for value in &below {
            self.add(&mut rows, value)?;
        }
        if let Start::Assumed(_, at) = start
            && !rows.contains_key(&at)
        {
            return Ok(Walked::Elsewhere);
        }
        let is_last = below.len() < segments;
        let lowest = rows.keys().next().copied();
        let oldest = lowest.filter(|_| !is_last).unwrap_or(Position::MIN);
        let mut overlays = ahead.await?;
        let reaches = |value: Option<&Vec<u8>>| match value {
            Some(value) => Overlay::decode(value).map(|last| last.at <= oldest),
            None => Ok(true),
        };
        if overlays.len() as u32 >= AHEAD && !reaches(overlays.last())? {
            overlays = kv.range(Table::Timeline, &keys::overlays(room, oldest, top), None).await?;
        }
        lay_over(&mut rows, &overlays, oldest)?;
        if let Start::Assumed(event, at) = start
            && rows.get(&at).is_none_or(|row| row.event != event)
        {
            return Ok(Walked::Elsewhere);
        }
        rows.retain(|at, _| *at <= newest);
        self.next = oldest.older(1).filter(|_| !is_last);
        Ok(Walked::Rows(rows.into_values().rev().collect()))
    }

    /// Adds a segment's rows; leaves out and counts an unreadable one, as a damaged row.
    fn add(&self, rows: &mut BTreeMap<Position, Row>, value: &[u8]) -> Result<()> {
        let read = self.codec.keep(segment::rows(value))?;
        rows.extend(read.into_iter().flatten().map(|row| (row.at, row)));
        Ok(())
    }
}

/// Puts overlays from `oldest` on over the rows.
fn lay_over(rows: &mut BTreeMap<Position, Row>, overlays: &[Vec<u8>], oldest: Position) -> Result<()> {
    for value in overlays {
        let overlay = Overlay::decode(value)?;
        if overlay.at < oldest {
            break;
        }
        match overlay.row {
            Some(row) => rows.insert(overlay.at, row),
            None => rows.remove(&overlay.at),
        };
    }
    Ok(())
}

/// Reads the rows from `oldest` on, oldest first: `wanted` or more of them, if the room has as many.
pub(crate) async fn newer<K: Kv>(
    kv: &K,
    codec: &Codec,
    room: &Key,
    oldest: Position,
    wanted: usize,
) -> Result<Vec<Row>> {
    let mut found = BTreeMap::new();
    let mut from = oldest;
    let mut width = (wanted as u64).saturating_add(2 * segment::MOST_ROWS as u64);
    loop {
        let to = from.newer(width).unwrap_or(Position::MAX);
        // The segments that end within the window, and the one that reaches out of it at its upper end.
        let within = kv.range(Table::Timeline, &keys::segments(room, from, to), None);
        let beyond = to.newer(1).map(|above| kv.last(&keys::segments(room, above, Position::MAX)));
        let mut values = within.await?;
        let is_empty = values.is_empty();
        let mut bound = to;
        if let Some(beyond) = beyond {
            match beyond.await? {
                Some(value) => values.push(value),
                None => bound = Position::MAX,
            }
        } else {
            bound = Position::MAX;
        }
        let mut rows = BTreeMap::new();
        for value in values {
            let read = codec.keep(segment::rows(&value))?;
            rows.extend(read.into_iter().flatten().map(|row| (row.at, row)));
        }
        rows.retain(|at, _| *at >= from);
        // The segment beyond the window is complete, and nothing stands between it and the window.
        bound = rows.keys().next_back().copied().map_or(bound, |last| bound.max(last));
        let overlays = kv.range(Table::Timeline, &keys::overlays(room, from, bound), None).await?;
        lay_over(&mut rows, &overlays, from)?;
        found.append(&mut rows);
        match bound.newer(1) {
            Some(next) if found.len() < wanted => from = next,
            _ => return Ok(found.into_values().collect()),
        }
        width = if is_empty { width } else { width.saturating_mul(2) };
    }
}
