//! The records that one transaction has loaded, and the changes of the batch under way over them.
//!
//! The laws are synchronous and a database in a browser is not. So they run over known records; at an unknown one they
//! stop with a [`Fault`] that names it, it is loaded within the same transaction, and they run again. The records that
//! a batch names are loaded beforehand, so that mostly they run once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use haos_store_api::backend::Key;
use haos_store_api::backend::law::sort_by;
use haos_store_api::{Error, ErrorKind, Position, Result};

use super::head::Head;
use super::keys::{self, SegmentKey};
use super::kv::{Span, Table};
use super::segment::{Beneath, Overlay, Row};

/// The most records, and ranges of them, that are kept from one commit to the next.
const MOST_RECORDS: usize = 1024;
const MOST_SPANS: usize = 128;

/// Bytes of a record.
pub(crate) type Value = Rc<[u8]>;

/// Records by table and key; `None`: known to be absent.
pub(crate) type Records = BTreeMap<(Table, Vec<u8>), Option<Value>>;

/// The records to load before the laws can continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A record.
    Get(Table, Vec<u8>),
    /// A range of records.
    Scan(Table, Span),
    /// The timeline of a room between two positions.
    Place(Key, Position, Position),
    /// The position of a message: the room and the event.
    Event(Key, Key),
    /// The segments and overlays of a room.
    Index(Key),
}

/// The known part of a room's timeline.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Ranges, both ends included, of which `rows` has every message.
    loaded: Vec<(Position, Position)>,
    pub(crate) rows: BTreeMap<Position, Row>,
    /// By the newest message of each.
    pub(crate) segments: BTreeMap<Position, SegmentKey>,
    pub(crate) overlays: BTreeMap<Position, Over>,
    /// True if `segments` and `overlays` are all that the room has.
    pub(crate) indexed: bool,
    /// True if the room has no messages at all.
    pub(crate) empty: bool,
}

/// An overlay without its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) beneath: Option<Beneath>,
    /// Bytes of its own payload; absent if the message is removed.
    pub(crate) bytes: Option<u64>,
}

impl Over {
    /// Returns the bytes of the payload beneath.
    pub(crate) fn stale(&self) -> u64 {
        self.beneath.map_or(0, |beneath| beneath.bytes.into())
    }

    pub(crate) fn of(overlay: &Overlay) -> Self {
        Self { beneath: overlay.beneath, bytes: overlay.row.as_ref().map(|_| overlay.bytes()) }
    }
}

impl Places {
    /// Describes a room without messages.
    pub(crate) fn of_empty() -> Self {
        Self { loaded: vec![(Position::MIN, Position::MAX)], empty: true, ..Self::default() }
    }

    /// Returns the known free range above the last item, where `changed` is the last position that a batch wrote.
    fn free_above(&self, changed: Option<Position>) -> Option<Self> {
        let (from, _) = self.loaded.iter().find(|(_, to)| *to == Position::MAX)?;
        let last = [
            changed,
            self.rows.keys().next_back().copied(),
            self.segments.keys().next_back().copied(),
            self.overlays.keys().next_back().copied(),
        ];
        let from = match last.into_iter().flatten().max() {
            Some(last) => last.newer(1)?.max(*from),
            None => *from,
        };
        Some(Self { loaded: vec![(from, Position::MAX)], ..Self::default() })
    }

    pub(crate) fn is_loaded(&self, at: Position) -> bool {
        self.loaded.iter().any(|(oldest, newest)| *oldest <= at && at <= *newest)
    }

    /// Tells whether everything between two positions is known.
    pub(crate) fn spans(&self, oldest: Position, newest: Position) -> bool {
        self.loaded.iter().any(|(from, to)| *from <= oldest && newest <= *to)
    }

    /// Notes that everything between two positions has been put into it.
    pub(crate) fn note_loaded(&mut self, mut oldest: Position, mut newest: Position) {
        let touches = |(from, to): &(Position, Position), oldest: Position, newest: Position| {
            from.get() <= newest.get() + 1 && oldest.get() <= to.get() + 1
        };
        // Ranges that meet become one, so that a run across both is seen as known.
        while let Some(nth) = self.loaded.iter().position(|range| touches(range, oldest, newest)) {
            let (from, to) = self.loaded.swap_remove(nth);
            (oldest, newest) = (oldest.min(from), newest.max(to));
        }
        self.loaded.push((oldest, newest));
    }

    /// Returns the segment whose range has the position, if it is known.
    pub(crate) fn segment_at(&self, at: Position) -> Option<&SegmentKey> {
        let (_, key) = self.segments.range(at..).next()?;
        key.contains(at).then_some(key)
    }
}

/// All knowledge of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) head: Head,
    records: Records,
    spans: Vec<(Table, Span)>,
    pub(crate) places: HashMap<Key, Places>,
    /// Positions of events; `None`: not stored.
    pub(crate) events: HashMap<Key, Option<Position>>,
}

impl Known {
    /// Makes the knowledge of a read, in which the existence of overlays is unknown.
    pub(crate) fn unread() -> Self {
        Self { head: Head { overlays: 1, ..Head::default() }, ..Self::default() }
    }

    /// Returns the rows within a loaded record, by its key.
    pub(crate) fn rows_in(&self, room: &Key, key: &[u8]) -> Vec<Row> {
        let (oldest, newest) = match (SegmentKey::decode(key), keys::position(key)) {
            (Some(key), _) => (key.oldest, key.newest),
            (None, Some(at)) => (at, at),
            (None, None) => return Vec::new(),
        };
        let rows = self.places.get(room).map(|places| places.rows.range(oldest..=newest));
        rows.into_iter().flatten().map(|(_, row)| row.clone()).collect()
    }

    /// Tells whether a record, or its absence, is known.
    pub(crate) fn has(&self, table: Table, key: &[u8]) -> bool {
        self.records.contains_key(&(table, key.to_vec())) || self.in_span(table, key)
    }

    /// Tells whether a whole range is known.
    pub(crate) fn covers(&self, table: Table, span: &Span) -> bool {
        self.spans.iter().any(|(of, loaded)| *of == table && loaded.covers(span))
    }

    /// Returns the remaining knowledge once a batch has been committed on top: records, gaps, and the ends of rooms.
    /// `None` if that is more than is worth keeping.
    pub(crate) fn after(
        mut self,
        head: Head,
        mut changed: Records,
        ends: &[(Key, Position)],
    ) -> Option<Self> {
        self.head = head;
        self.events.clear();
        self.records.append(&mut changed);
        self.records.retain(|(table, _), _| !matches!(table, Table::Media | Table::Chunks));
        self.spans.retain(|(table, _)| *table == Table::Timeline);
        let places = std::mem::take(&mut self.places);
        let end = |room: &Key| ends.iter().find(|(of, _)| of == room).map(|(_, at)| *at);
        self.places = places
            .into_iter()
            .filter_map(|(room, places)| Some((room, places.free_above(end(&room))?)))
            .collect();
        (self.records.len() <= MOST_RECORDS && self.spans.len() <= MOST_SPANS).then_some(self)
    }

    pub(crate) fn note(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.records.insert((table, key), value.map(Rc::from));
    }

    pub(crate) fn note_span(&mut self, table: Table, span: Span) {
        self.spans.push((table, span));
    }

    fn in_span(&self, table: Table, key: &[u8]) -> bool {
        self.spans.iter().any(|(of, span)| *of == table && span.has(key))
    }
}

/// The changes of one batch.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pub(crate) head: Head,
    pub(crate) records: Records,
    /// By room and position; `None`: the message is removed.
    pub(crate) rows: BTreeMap<(Key, Position), Option<Row>>,
    pub(crate) events: HashMap<Key, Option<Position>>,
    /// Ranges whose segments and overlays are removed.
    pub(crate) dropped: Vec<(Key, Position, Position)>,
    /// Removed segments.
    pub(crate) gone: BTreeSet<(Key, Position)>,
}

/// The rows as the laws see them.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) known: &'a Known,
    pub(crate) draft: Layer,
    pub(crate) fault: Option<Fault>,
}

impl<'a> View<'a> {
    pub(crate) fn new(known: &'a Known) -> Self {
        let draft = Layer { head: known.head, ..Layer::default() };
        Self { known, draft, fault: None }
    }

    /// Stops the laws until something is loaded.
    pub(crate) fn lacks<T>(&mut self, fault: Fault) -> Result<T> {
        self.fault = Some(fault);
        Err(Error::new(ErrorKind::Other, "apply", "a row was not loaded beforehand"))
    }

    pub(crate) fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Value>> {
        let place = (table, key.to_vec());
        if let Some(changed) = self.draft.records.get(&place) {
            return Ok(changed.clone());
        }
        match self.known.records.get(&place) {
            Some(stored) => Ok(stored.clone()),
            None if self.known.in_span(table, key) => Ok(None),
            None => self.lacks(Fault::Get(table, place.1)),
        }
    }

    pub(crate) fn set(&mut self, table: Table, key: &[u8], value: Option<Vec<u8>>) {
        self.draft.records.insert((table, key.to_vec()), value.map(Rc::from));
    }

    /// Reads the keys and values of a range.
    pub(crate) fn scan(&mut self, table: Table, span: Span) -> Result<Vec<(Vec<u8>, Value)>> {
        if !self.known.covers(table, &span) {
            return self.lacks(Fault::Scan(table, span));
        }
        let range = || (table, span.low.clone())..=(table, span.high.clone());
        let stored = self.known.records.range(range());
        let stored = stored.filter(|(place, _)| !self.draft.records.contains_key(place));
        let both = stored.chain(self.draft.records.range(range()));
        let mut found: Vec<(Vec<u8>, Value)> =
            both.filter_map(|((_, key), value)| Some((key.clone(), value.clone()?))).collect();
        sort_by(&mut found, |(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// Returns the known part of a room's timeline.
    pub(crate) fn places(&self, room: &Key) -> Option<&'a Places> {
        self.known.places.get(room)
    }

    fn is_dropped(&self, room: &Key, at: Position) -> bool {
        self.draft.dropped.iter().any(|(of, oldest, newest)| of == room && *oldest <= at && at <= *newest)
    }

    /// Reads the message at a position.
    pub(crate) fn row(&mut self, room: &Key, at: Position) -> Result<Option<Row>> {
        if let Some(changed) = self.draft.rows.get(&(*room, at)) {
            return Ok(changed.clone());
        }
        if self.is_dropped(room, at) {
            return Ok(None);
        }
        match self.places(room) {
            Some(places) if places.is_loaded(at) => Ok(places.rows.get(&at).cloned()),
            _ => self.lacks(Fault::Place(*room, at, at)),
        }
    }

    /// Reads the position of an event.
    pub(crate) fn place_of(&mut self, room: &Key, event: &Key) -> Result<Option<Position>> {
        if let Some(changed) = self.draft.events.get(event) {
            return Ok(*changed);
        }
        match self.known.events.get(event) {
            Some(place) => Ok(place.filter(|at| !self.is_dropped(room, *at))),
            None if self.places(room).is_some_and(|places| places.empty) => Ok(None),
            None => self.lacks(Fault::Event(*room, *event)),
        }
    }

    pub(crate) fn put_row(&mut self, room: &Key, row: Row) {
        self.draft.events.insert(row.event, Some(row.at));
        self.draft.rows.insert((*room, row.at), Some(row));
    }

    /// Removes a message, and returns it.
    pub(crate) fn take_row(&mut self, room: &Key, at: Position) -> Result<Option<Row>> {
        let Some(row) = self.row(room, at)? else { return Ok(None) };
        // Unless it stands elsewhere by now.
        if self.place_of(room, &row.event)? == Some(at) {
            self.draft.events.insert(row.event, None);
        }
        self.draft.rows.insert((*room, at), None);
        Ok(Some(row))
    }
}
