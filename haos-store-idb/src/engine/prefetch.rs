//! The records that a batch names, loaded together before the laws run.

use haos_store_api::backend::law::sort_by;
use haos_store_api::backend::{Codec, Key};
use haos_store_api::{
    Error, MediaKey, Op, Position, Precondition, Result, Revision, RoomId, Scope, WriteBatch,
};

use super::head::Head;
use super::keys;
use super::known::{Known, Places};
use super::kv::{Answer, HEAD, Kv, Table, all};
use super::load;
use super::tables::state_place;

/// The number of messages from which on it pays to ask first which rooms are empty, and to skip look-ups there.
const MANY: usize = 64;

/// Lists the tables that a batch may touch.
pub(crate) fn tables_of(batch: &WriteBatch) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut note = |all: &[Table]| {
        for table in all {
            if !tables.contains(table) {
                tables.push(*table);
            }
        }
    };
    for precondition in batch.preconditions() {
        note(match precondition {
            Precondition::Room(..) => &[Table::Rooms][..],
            Precondition::Pending(..) => &[Table::Outbox, Table::OutboxIds],
            Precondition::Gap(..) => &[Table::Timeline],
            Precondition::State(..) => &[Table::State],
        });
    }
    for op in batch.ops() {
        note(match op {
            Op::PutRoom(_) => &[Table::Rooms][..],
            Op::RemoveRoom(_) => &[Table::Rooms, Table::Timeline, Table::State],
            Op::Prune(_) => &[Table::Rooms, Table::Timeline, Table::Outbox],
            Op::PutMessage(_)
            | Op::RemoveMessage(..)
            | Op::Redact(_)
            | Op::PutGap(_)
            | Op::RemoveGap(..)
            | Op::Renumber(..) => &[Table::Rooms, Table::Timeline],
            Op::PutPending(_) | Op::RemovePending(_) => &[Table::Outbox, Table::OutboxIds],
            Op::PutMedia(..)
            | Op::AppendMedia { .. }
            | Op::RenameMedia(..)
            | Op::TouchMedia(..)
            | Op::PinMedia(..)
            | Op::RemoveMedia(_) => &[Table::Media, Table::Chunks],
            Op::EvictMedia(..) => &[Table::Media, Table::Chunks, Table::Outbox],
            Op::PutState(_) | Op::RemoveState(..) => &[Table::Rooms, Table::State],
        });
    }
    tables
}

/// Sorts, and removes doubles.
fn once_each<T: Ord>(all: &mut Vec<T>) {
    sort_by(all, T::cmp);
    all.dedup();
}

/// The names in a batch: first lists with doubles, then each once.
#[derive(Default)]
struct Named {
    records: Vec<(Table, Vec<u8>)>,
    /// Rooms whose gaps the laws look at.
    timelines: Vec<Key>,
    /// Room and event.
    events: Vec<(Key, Key)>,
    /// The least and the greatest position of new messages, by room.
    places: Vec<(Key, (Position, Position))>,
    /// True if some of the events are changed and not new.
    changes: bool,
}

impl Named {
    /// Collects the names that are not known already.
    fn of(codec: &Codec, batch: &WriteBatch, known: &Known) -> Self {
        let mut named = Self::default();
        for precondition in batch.preconditions() {
            match precondition {
                Precondition::Room(room, _) => named.record(Table::Rooms, &codec.room_key(room)),
                Precondition::Pending(txn, _) => named.record(Table::OutboxIds, &codec.txn_key(txn)),
                Precondition::Gap(room, ..) => named.timelines.push(codec.room_key(room)),
                Precondition::State(scope, kind, key, _) => {
                    named.records.push((Table::State, state_place(codec, scope, kind, key)));
                }
            }
        }
        // Messages come in runs of one room.
        let mut latest = None;
        for op in batch.ops() {
            named.op(codec, op, known, &mut latest);
        }
        once_each(&mut named.records);
        once_each(&mut named.timelines);
        once_each(&mut named.events);
        sort_by(&mut named.places, |(a, _), (b, _)| a.cmp(b));
        named.places.dedup_by(|(later, (from, to)), (room, (oldest, newest))| {
            let is_same = later == room;
            if is_same {
                (*oldest, *newest) = ((*oldest).min(*from), (*newest).max(*to));
            }
            is_same
        });
        named.records.retain(|(table, key)| !known.has(*table, key));
        named
            .timelines
            .retain(|room| !known.covers(Table::Timeline, &keys::gaps(room, Position::MIN, Position::MAX)));
        named.places.retain(|(room, (oldest, newest))| {
            !known.places.get(room).is_some_and(|places| places.spans(*oldest, *newest))
        });
        named
    }

    fn op<'b>(&mut self, codec: &Codec, op: &'b Op, known: &Known, latest: &mut Option<(&'b RoomId, Key)>) {
        let mut room_key = |room: &'b RoomId| match latest {
            Some((id, key)) if *id == room => *key,
            _ => {
                let key = codec.room_key(room);
                *latest = Some((room, key));
                key
            }
        };
        let media = |named: &mut Self, key: &MediaKey| named.record(Table::Media, &codec.media_key(key));
        match op {
            Op::PutRoom(room) => self.record(Table::Rooms, &room_key(&room.id)),
            Op::PutMessage(message) => {
                let room = room_key(&message.room);
                self.timeline(&room);
                if !known.places.get(&room).is_some_and(|places| places.empty) {
                    self.event(room, codec.event_key(&message.room, &message.id));
                    self.position(room, message.position);
                }
            }
            Op::RemoveMessage(id, event) => {
                let room = room_key(id);
                self.timeline(&room);
                self.event(room, codec.event_key(id, event));
                self.changes = true;
            }
            Op::Redact(redact) => {
                let room = room_key(&redact.room);
                self.timeline(&room);
                self.event(room, codec.event_key(&redact.room, &redact.target));
                self.changes = true;
            }
            Op::RemoveRoom(id) | Op::RemoveGap(id, _) => self.timeline(&room_key(id)),
            Op::Prune(prune) => self.timeline(&room_key(&prune.room)),
            Op::PutGap(gap) => {
                let room = room_key(&gap.room);
                self.timeline(&room);
                self.position(room, gap.position);
            }
            Op::Renumber(id, moves) => {
                let room = room_key(id);
                self.timeline(&room);
                moves.iter().for_each(|(from, to)| {
                    self.position(room, *from);
                    self.position(room, *to);
                });
            }
            Op::PutPending(row) => self.record(Table::OutboxIds, &codec.txn_key(&row.txn_id)),
            Op::RemovePending(txn_id) => self.record(Table::OutboxIds, &codec.txn_key(txn_id)),
            Op::PutMedia(info, _) => media(self, &info.key),
            Op::AppendMedia { key, .. } | Op::PinMedia(key, _) | Op::RemoveMedia(key) => media(self, key),
            Op::RenameMedia(from, to) => {
                media(self, from);
                media(self, to);
            }
            Op::TouchMedia(keys, _) => keys.iter().for_each(|key| media(self, key)),
            Op::EvictMedia(..) => {}
            Op::PutState(entry) => {
                if let Scope::Room(room) = &entry.scope {
                    self.record(Table::Rooms, &room_key(room));
                }
                let place = state_place(codec, &entry.scope, &entry.kind, &entry.key);
                self.records.push((Table::State, place));
            }
            Op::RemoveState(scope, kind, key) => {
                self.records.push((Table::State, state_place(codec, scope, kind, key)));
            }
        }
    }

    /// Tells whether all events are new.
    fn are_new_events(&self) -> bool {
        let nothing_else = self.records.is_empty() && self.timelines.is_empty() && self.places.is_empty();
        nothing_else && !self.changes
    }

    fn record(&mut self, table: Table, key: &Key) {
        self.records.push((table, key.as_bytes().to_vec()));
    }

    fn timeline(&mut self, room: &Key) {
        // Messages come in runs of one room.
        if self.timelines.last() != Some(room) {
            self.timelines.push(*room);
            self.record(Table::Rooms, room);
        }
    }

    fn event(&mut self, room: Key, event: Key) {
        self.events.push((room, event));
    }

    fn position(&mut self, room: Key, at: Position) {
        match self.places.last_mut() {
            Some((of, (oldest, newest))) if *of == room => {
                (*oldest, *newest) = ((*oldest).min(at), (*newest).max(at));
            }
            _ => self.places.push((room, (at, at))),
        }
    }
}

/// An assumption made before the database answered: the store is still as this context's latest commit left it, also in
/// its counters, which a compaction changes without a revision, and new messages are not stored yet. The answer is
/// requested at once, and may be read after the writes were fired: that spares each commit a turn of waiting.
pub(crate) struct Doubt {
    before: Head,
    head: Answer<Option<Vec<u8>>>,
    holders: Vec<Answer<Vec<Vec<u8>>>>,
}

impl Doubt {
    /// Tells whether it was true.
    pub(crate) async fn dispelled(self) -> Result<bool> {
        let head = decode_head(self.head.await?)?;
        let holders = all(self.holders).await?;
        Ok(head == self.before && holders.iter().all(Vec::is_empty))
    }
}

/// Loads the names, on top of the knowledge after the latest commit. All independent requests are fired at once; if
/// everything is known, none is waited for.
pub(crate) async fn batch<K: Kv>(
    kv: &K,
    codec: &Codec,
    batch: &WriteBatch,
    before: Option<Known>,
) -> Result<(Known, Option<Doubt>)> {
    let messages = batch.ops().iter().filter(|op| matches!(op, Op::PutMessage(_))).count();
    let is_large = messages >= MANY;
    let named = async |known: &mut Known| {
        if is_large {
            find_empty_rooms(kv, codec, batch, known).await?;
        }
        Ok::<_, Error>(Named::of(codec, batch, known))
    };
    let head = kv.named(HEAD);
    let expected = before.as_ref().map(|known| known.head);
    let mut known = before.unwrap_or_default();
    let names = named(&mut known).await?;
    if let Some(before) = expected
        && !is_large
        && names.are_new_events()
    {
        let holders = names.events.iter().map(|(_, event)| kv.holders(&keys::event_entry(event))).collect();
        known.events.extend(names.events.into_iter().map(|(_, event)| (event, None)));
        return Ok((known, Some(Doubt { before, head, holders })));
    }
    if !fill(kv, &mut known, names, head, expected.map(|before| before.revision)).await? {
        // Another context committed meanwhile: none of it is known.
        known = Known::default();
        let names = named(&mut known).await?;
        fill(kv, &mut known, names, kv.named(HEAD), None).await?;
    }
    Ok((known, None))
}

fn decode_head(head: Option<Vec<u8>>) -> Result<Head> {
    head.map_or(Ok(Head::default()), |head| Head::decode("apply", &head))
}

/// Tells whether the store is at the revision `expected`; if not, loads nothing.
async fn fill<K: Kv>(
    kv: &K,
    known: &mut Known,
    named: Named,
    head: Answer<Option<Vec<u8>>>,
    expected: Option<Revision>,
) -> Result<bool> {
    let records = fire(named.records, |(table, key)| kv.get(*table, key));
    let gaps = fire(named.timelines, |room| {
        kv.range(Table::Timeline, &keys::gaps(room, Position::MIN, Position::MAX), None)
    });
    let events = fire(named.events, |(_, event)| kv.holders(&keys::event_entry(event)));
    let places =
        fire(named.places, |(room, (oldest, _))| kv.last_key(&keys::segments(room, *oldest, Position::MAX)));

    known.head = decode_head(head.await?)?;
    if expected.is_some_and(|revision| revision != known.head.revision) {
        return Ok(false);
    }
    for ((table, key), value) in both(records).await? {
        if let (Table::OutboxIds, Some(value)) = (table, &value) {
            let seq = value.get(table.key_bytes()..).unwrap_or_default().to_vec();
            let row = kv.get(Table::Outbox, &seq).await?;
            known.note(Table::Outbox, seq, row);
        }
        known.note(table, key, value);
    }
    for (room, values) in both(gaps).await? {
        let span = keys::gaps(&room, Position::MIN, Position::MAX);
        load::note_range(known, Table::Timeline, span, values)?;
    }
    for ((room, event), holders) in both(events).await? {
        load::resolve(kv, known, &room, &event, &holders).await?;
    }
    for ((room, (oldest, newest)), above) in both(places).await? {
        // One step: new messages mostly stand above everything or below everything. The laws ask for the rest.
        load::beyond(kv, known, &room, oldest, newest, above).await?;
    }
    Ok(true)
}

/// Notes rooms without a record as empty: they need no look-up.
async fn find_empty_rooms<K: Kv>(kv: &K, codec: &Codec, batch: &WriteBatch, known: &mut Known) -> Result<()> {
    let rooms = batch.ops().iter().filter_map(|op| match op {
        Op::PutMessage(message) => Some(&message.room),
        _ => None,
    });
    let mut rooms: Vec<_> = rooms.collect();
    rooms.dedup();
    let mut rooms: Vec<Key> = rooms.into_iter().map(|room| codec.room_key(room)).collect();
    once_each(&mut rooms);
    let firsts = fire(rooms, |room| kv.keys(Table::Timeline, &keys::timeline(room), Some(1)));
    for (room, first) in both(firsts).await? {
        if first.is_empty() {
            known.places.insert(room, Places::of_empty());
        }
    }
    Ok(())
}

type Fired<Q, A> = (Vec<Q>, Vec<Answer<A>>);

fn fire<Q, A>(questions: Vec<Q>, ask: impl Fn(&Q) -> Answer<A>) -> Fired<Q, A> {
    let answers = questions.iter().map(ask).collect();
    (questions, answers)
}

async fn both<Q, A>((questions, answers): Fired<Q, A>) -> Result<impl Iterator<Item = (Q, A)>> {
    Ok(questions.into_iter().zip(all(answers).await?))
}
